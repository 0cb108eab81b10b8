// Server-sent events that come back by themselves.

/** Silence for longer than this is a dead connection: the server says something every 15 s. */
const SILENCE_MS = 40_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** A refused token may be good again after a restore, and asking once a minute disturbs nobody. */
const REFUSED_WAIT_MS = 60_000;

/**
 * How this page's questions are addressed and what proves them: the token stands in the page's address, at its end or, where
 * nothing but this page shall see it, behind `#`. It goes on in a header, so that it is in no address but the page's.
 * @returns {{base: string, headers: Record<string, string>}} `base` without a trailing slash
 */
export function pass() {
  const [, before, last] = /^(.*\/)([^/]+)\/?$/.exec(location.pathname);
  const token = last === "-" ? decodeURIComponent(location.hash.slice(1)) : last;
  return { base: `${before}-`, headers: { Authorization: `Bearer ${token}` } };
}

/**
 * Listens to `url` for ever.
 * @param {string} url
 * @param {Record<string, string>} proof headers
 * @param {{onOpen?: () => void, onEvent: (name: string, data: any) => void, onRefused: () => void}} handlers
 *   `onOpen` at each new connection, `onEvent` for each event with its parsed JSON, `onRefused` when the token is no good.
 */
export async function listen(url, proof, handlers) {
  let lastId = null;
  let failures = 0;
  for (;;) {
    let refused = false;
    try {
      const end = await listenOnce(url, proof, lastId, handlers, (id) => {
        lastId = id;
        failures = 0;
      });
      refused = end === "refused";
    } catch (error) {
      console.debug("connection lost", error);
    }
    if (refused) handlers.onRefused();
    const longest = refused ? REFUSED_WAIT_MS : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
    failures += 1;
    // All overlays lose a restarting server at the same moment; they must not return at the same moment.
    await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
  }
}

async function listenOnce(url, proof, lastId, handlers, onId) {
  const abort = new AbortController();
  let silence = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const headers = { Accept: "text/event-stream", ...proof };
    if (lastId !== null) headers["Last-Event-ID"] = lastId;
    const response = await fetch(url, { headers, cache: "no-store", credentials: "omit", signal: abort.signal });
    if ([401, 403, 404].includes(response.status)) return "refused";
    if (!response.ok || !response.body) return "lost";
    handlers.onOpen?.();
    let end = "lost";
    const parser = new Parser((id, name, data) => {
      if (id !== null) onId(id);
      if (data === null) return;
      if (name === "closed") end = ["revoked", "expired"].includes(data.reason) ? "refused" : "lost";
      else handlers.onEvent(name, data);
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return end;
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
      parser.push(value);
    }
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

/** Cuts text into events: `id`, `event` and one line of JSON `data`; comments and other fields are passed over. */
class Parser {
  constructor(emit) {
    this.emit = emit;
    this.rest = "";
    this.clear();
  }

  clear() {
    this.id = null;
    this.name = "message";
    this.data = null;
  }

  push(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) this.line(line);
  }

  line(line) {
    if (line === "") {
      if (this.id !== null || this.data !== null) this.event();
      this.clear();
      return;
    }
    const colon = line.indexOf(": ");
    const field = line.slice(0, colon);
    const value = line.slice(colon + 2);
    if (field === "id") this.id = value;
    else if (field === "event") this.name = value;
    else if (field === "data") this.data = value;
  }

  event() {
    let data = null;
    try {
      if (this.data !== null) data = JSON.parse(this.data);
      this.emit(this.id, this.name, data);
    } catch (error) {
      // One bad event must not cost the connection.
      console.debug("event passed over", this.name, error);
    }
  }
}

/** An object from JSON text that a streamer wrote; anything else is an empty one. */
export function parseStyle(text) {
  try {
    const style = JSON.parse(text ?? "{}");
    return style !== null && typeof style === "object" && !Array.isArray(style) ? style : {};
  } catch {
    return {};
  }
}
