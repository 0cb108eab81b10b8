// Tells the server what became of an item, until it has heard.

/** After this the server has given the item up by itself. */
const GIVE_UP_MS = 20_000;

/** Names this screen, also after a refresh. Two tabs may share it; the server counts. */
export function screenId() {
  try {
    const kept = sessionStorage.getItem("screenId");
    if (kept) return kept;
  } catch {
    // Storage may be forbidden; then a refresh is a new screen.
  }
  // Not randomUUID(): it exists on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  try {
    sessionStorage.setItem("screenId", id);
  } catch {
    // As above.
  }
  return id;
}

/**
 * One item's answers, sent in their order.
 * @param {{base: string, headers: Record<string, string>}} door path of the overlay, and what proves its questions
 * @param {string} screen
 * @param {{id: string, playEpoch: number}} item
 * @param {() => void} onStale when the server has moved on: the item must leave the screen
 */
export function answersFor(door, screen, item, onStale) {
  let last = Promise.resolve();
  return (state, reason) => {
    const body = { state, playEpoch: item.playEpoch, screenId: screen };
    if (reason) body.reason = String(reason).slice(0, 200);
    last = last.then(() => send(`${door.base}/activations/${item.id}/ack`, door.headers, body, onStale));
  };
}

async function send(url, proof, body, onStale) {
  const until = Date.now() + GIVE_UP_MS;
  for (let wait = 250; Date.now() < until; wait = Math.min(wait * 2, 4000)) {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...proof },
        body: JSON.stringify(body),
        credentials: "omit",
        // The last answer must get through when OBS closes the page.
        keepalive: true,
      });
      if (response.status === 409) return onStale();
      if (response.status < 500 && response.status !== 429) return;
    } catch (error) {
      console.debug("answer not delivered yet", error);
    }
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
  }
}
