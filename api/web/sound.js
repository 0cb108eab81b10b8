// How loud an item is. A media element alone can only be made quieter; what shall be louder goes through Web Audio.

/** A browser that has not let the sound run by then does not: a tab without a click. */
const RUNS_WITHIN_MS = 300;

export class Sound {
  /** @param {HTMLMediaElement} media */
  constructor(media) {
    this.media = media;
    this.level = 1;
    /** @type {AudioContext|null} */
    this.context = null;
    /** @type {GainNode|null} */
    this.booster = null;
  }

  /** 1 is as loud as the file is. */
  set(level) {
    this.level = level;
    this.media.volume = Math.min(1, level);
    if (this.booster) this.booster.gain.value = Math.max(1, level);
  }

  /** Before the file is asked for. Web Audio is silent about files of elsewhere that were not asked for like this. */
  ask() {
    if (this.level > 1) this.media.crossOrigin = "anonymous";
  }

  /** The file could not be loaded: whether it may be, asked for in another way. */
  askAgain() {
    if (this.media.crossOrigin === null || this.booster) return false;
    this.media.removeAttribute("crossorigin");
    return true;
  }

  /** Before it plays. Where the browser forbids it, the item is as loud as it is. */
  async prepare() {
    if (this.level <= 1 || this.booster || this.media.crossOrigin === null) return;
    this.context = new AudioContext();
    await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, RUNS_WITHIN_MS))]);
    if (this.context.state !== "running") return this.leave();
    this.booster = new GainNode(this.context, { gain: Math.max(1, this.level) });
    this.context.createMediaElementSource(this.media).connect(this.booster).connect(this.context.destination);
  }

  leave() {
    if (this.context && this.context.state !== "closed") this.context.close();
  }
}
