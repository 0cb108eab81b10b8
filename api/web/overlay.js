// The meme overlay: events in, plays on the stage, answers out.

import { answersFor, screenId } from "./answers.js";
import { listen, parseStyle, pass } from "./connection.js";
import { Stage } from "./stage.js";

const door = pass();
const screen = screenId();
const stage = new Stage(document.getElementById("stage"));
const preloaded = new Set();

/** History is not shown: what plays is what `overlay:state` of this connection says, and what starts after it. */
let caughtUp = false;

function show(item) {
  stage.show(item, answersFor(door, screen, item, () => stage.remove(item.id)));
}

/** Fetches the files of what comes next, so that they begin at once. */
function preload(items) {
  for (const { fileUrl } of items ?? []) {
    if (preloaded.has(fileUrl)) continue;
    if (preloaded.size > 50) preloaded.clear();
    preloaded.add(fileUrl);
    fetch(fileUrl, { credentials: "omit" })
      .then((response) => response.arrayBuffer())
      .catch(() => preloaded.delete(fileUrl));
  }
}

const on = {
  "overlay:config"(config) {
    stage.configure({ showSender: config.overlayShowSender, style: parseStyle(config.overlayStyleJson) });
  },
  "overlay:state"(state) {
    caughtUp = true;
    stage.keepOnly(state.playing);
    state.playing.forEach(show);
    if (state.playbackPaused) stage.pause();
    preload(state.next);
  },
  "activation:new"(item) {
    if (caughtUp) show(item);
  },
  "activation:stop"({ id }) {
    if (caughtUp) stage.remove(id);
  },
  "activation:pause"() {
    if (caughtUp) stage.pause();
  },
  "activation:resume"() {
    if (caughtUp) stage.resume();
  },
  "queue:state"(state) {
    if (caughtUp) preload(state.next);
  },
};

const kind = window.obsstudio ? "obs" : "browser";
listen(`${door.base}/events?screen=${kind}&screenId=${screen}`, door.headers, {
  onOpen() {
    caughtUp = false;
  },
  onEvent(name, data) {
    on[name]?.(data);
  },
  onRefused() {
    stage.clear();
  },
});
