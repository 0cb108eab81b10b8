// Puts items on the screen and takes them off. Knows media; no network but the files.

import { Sound } from "./sound.js";

/** A file that has not begun by then will not. The server waits 10 s for the first screen. */
const START_WITHIN_MS = 8_000;
/** A video whose end is not reported is over this long after it should be. */
const OVERRUN_MS = 2_000;

/**
 * @typedef {object} Item one play, as the server tells it
 * @property {string} id
 * @property {number} playEpoch
 * @property {"image"|"gif"|"video"|"audio"} type
 * @property {string} fileUrl
 * @property {number} durationMs
 * @property {string} [title]
 * @property {string} [senderDisplayName]
 * @property {number} [volume] how loud the channel wants it, in per cent
 * @property {number} [gainDb] decibels that make it as loud as other items
 * @property {number} [elapsedMs] how long it has been playing when this was told
 */

export class Stage {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Map<string, Play>} by activation */
    this.plays = new Map();
    this.showSender = true;
    this.volume = 1;
  }

  /** What the streamer has set. */
  configure({ showSender, style }) {
    this.showSender = showSender;
    this.volume = clamp(style.volume, 0, 1, 1);
    this.root.style.setProperty("--scale", String(clamp(style.scale, 0.1, 1, 1)));
    const [vertical, horizontal] = placement(style.position);
    this.root.style.setProperty("--vertical", vertical);
    this.root.style.setProperty("--horizontal", horizontal);
    for (const [name, value] of [
      ["--sender-color", style.senderColor],
      ["--sender-font", style.senderFont],
      ["--sender-size", style.senderSize],
    ]) {
      if (typeof value === "string") this.root.style.setProperty(name, value);
      else this.root.style.removeProperty(name);
    }
    for (const play of this.plays.values()) play.configure(this);
  }

  has(id, playEpoch) {
    return this.plays.get(id)?.item.playEpoch === playEpoch;
  }

  /**
   * Shows the item from its elapsed time on; the same play twice is one play.
   * @param {Item} item
   * @param {(state: "started"|"done"|"failed", reason?: string) => void} answer
   */
  show(item, answer) {
    if (this.has(item.id, item.playEpoch)) return;
    this.remove(item.id);
    const play = new Play(item, answer, this, () => {
      if (this.plays.get(item.id) === play) this.remove(item.id);
    });
    this.plays.set(item.id, play);
    this.root.append(play.frame);
    this.arrange();
    play.start();
  }

  /** Takes the item off, without an answer. */
  remove(id) {
    const play = this.plays.get(id);
    if (!play) return;
    this.plays.delete(id);
    play.leave();
    this.arrange();
  }

  /** Takes off whatever is not in the list of what plays. */
  keepOnly(items) {
    for (const [id, play] of [...this.plays]) {
      if (!items.some((item) => item.id === id && item.playEpoch === play.item.playEpoch)) this.remove(id);
    }
  }

  pause() {
    for (const play of this.plays.values()) play.pause();
  }

  resume() {
    for (const play of this.plays.values()) play.resume();
  }

  clear() {
    this.keepOnly([]);
  }

  arrange() {
    const columns = Math.ceil(Math.sqrt(this.plays.size)) || 1;
    this.root.style.setProperty("--columns", String(columns));
    this.root.style.setProperty("--rows", String(Math.ceil(this.plays.size / columns) || 1));
  }
}

/** One item on the screen, from loading to its end. */
class Play {
  constructor(item, answer, stage, onEnd) {
    this.item = item;
    this.answer = answer;
    this.onEnd = onEnd;
    this.timed = item.type === "image" || item.type === "gif";
    this.elapsedMs = Math.max(0, item.elapsedMs ?? 0);
    /** When `elapsedMs` was true; null while it does not run. */
    this.since = performance.now();
    this.began = false;
    this.over = false;
    this.timer = null;
    this.frame = document.createElement("figure");
    this.frame.className = `play ${item.type}`;
    this.frame.dataset.activation = item.id;
    this.media = document.createElement(this.timed ? "img" : item.type === "audio" ? "audio" : "video");
    this.media.className = "media";
    this.sender = document.createElement("figcaption");
    this.sender.textContent = item.senderDisplayName ?? "";
    this.frame.append(this.media, this.sender);
    this.sound = this.timed ? null : new Sound(this.media);
    this.configure(stage);
  }

  configure({ showSender, volume }) {
    this.sender.hidden = !showSender || this.sender.textContent === "";
    const { volume: wanted, gainDb } = this.item;
    this.sound?.set(volume * clamp(wanted / 100, 0, 1, 1) * 10 ** (clamp(gainDb, -60, 20, 0) / 20));
  }

  /** Milliseconds since the item began, wherever it did. */
  elapsed() {
    return this.elapsedMs + (this.since === null ? 0 : performance.now() - this.since);
  }

  start() {
    // An item that nobody has begun yet begins when this screen is ready.
    if (this.elapsedMs === 0) this.since = null;
    if (this.elapsed() >= this.item.durationMs) return this.end("done");
    this.wait(START_WITHIN_MS, () => this.fail("it did not load in time"));
    this.media.addEventListener("error", () => {
      if (this.sound?.askAgain()) this.media.src = this.item.fileUrl;
      else this.fail(this.media.error?.message || "it cannot be shown");
    });
    if (this.timed) {
      this.media.addEventListener("load", () => this.begin());
    } else {
      this.media.preload = "auto";
      this.sound.ask();
      this.media.playsInline = true;
      this.media.addEventListener("loadedmetadata", () => this.seek());
      this.media.addEventListener("canplay", () => this.play(), { once: true });
      this.media.addEventListener("playing", () => this.begin());
      this.media.addEventListener("ended", () => this.end("done"));
    }
    this.media.src = this.item.fileUrl;
  }

  seek() {
    if (this.elapsed() > 0) this.media.currentTime = this.elapsed() / 1000;
  }

  async play() {
    try {
      await this.sound.prepare();
      if (this.over) return this.sound.leave();
      this.frame.dataset.boost = String(this.sound.booster?.gain.value ?? 1);
      await this.media.play();
    } catch (error) {
      if (this.over || error.name === "AbortError") return;
      if (error.name !== "NotAllowedError" || this.media.muted) return this.fail(error.message);
      // A browser tab without a click may play muted only. OBS always plays with sound.
      this.media.muted = true;
      await this.play();
    }
  }

  /** It can be seen or heard. */
  begin() {
    if (this.began || this.over) return;
    this.began = true;
    if (this.since === null) this.since = performance.now();
    this.frame.classList.add("on");
    this.answer("started");
    this.waitForEnd();
  }

  waitForEnd() {
    const left = this.item.durationMs - this.elapsed() + (this.timed ? 0 : OVERRUN_MS);
    this.wait(left, () => this.end("done"));
  }

  pause() {
    if (this.since === null || this.over) return;
    this.elapsedMs = this.elapsed();
    this.since = null;
    clearTimeout(this.timer);
    if (!this.timed) this.media.pause();
  }

  resume() {
    if (this.since !== null || !this.began || this.over) return;
    this.since = performance.now();
    if (!this.timed) this.play();
    this.waitForEnd();
  }

  fail(reason) {
    this.end("failed", reason);
  }

  end(state, reason) {
    if (this.over) return;
    this.answer(state, reason);
    this.leave();
    this.onEnd();
  }

  /** Off the screen at once, and the file let go. */
  leave() {
    this.over = true;
    clearTimeout(this.timer);
    this.frame.remove();
    if (!this.timed) {
      this.media.pause();
      this.sound.leave();
      this.media.removeAttribute("src");
      this.media.load();
    }
  }

  wait(ms, then) {
    clearTimeout(this.timer);
    this.timer = setTimeout(then, Math.max(0, ms));
  }
}

function clamp(value, low, high, otherwise) {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise;
}

/** `top-left` and the like as values of `align-items` and `justify-items`. */
function placement(position) {
  const words = typeof position === "string" ? position.split("-") : [];
  const pick = (first, last) => (words.includes(first) ? "start" : words.includes(last) ? "end" : "center");
  return [pick("top", "bottom"), pick("left", "right")];
}
