// The rolling credits: everybody who wrote or gave, from the bottom to the top, over and over.

import { listen, parseStyle, pass } from "./connection.js";

const DEFAULT_SPEED = 80;

const door = pass();
const roll = document.getElementById("roll");
let state = { chatters: [], donors: [] };
let style = {};
let rolling = null;

function line(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function section(title, names) {
  return names.length === 0 ? [] : [line("h2", title), ...names.map((name) => line("p", name))];
}

function amount({ name, amount: sum, currency }) {
  return sum === undefined || sum === null ? name : `${name} – ${sum} ${currency ?? ""}`.trim();
}

function word(value, otherwise) {
  return typeof value === "string" ? value : otherwise;
}

/** One roll with the names of now; the next one has those of then. Names that come meanwhile do not make it jump. */
function run() {
  roll.replaceChildren(
    ...section(word(style.titleDonors, "Thank you"), (state.donors ?? []).map(amount)),
    ...section(word(style.titleChatters, "In chat"), (state.chatters ?? []).map(({ name }) => name)),
  );
  rolling = null;
  if (roll.childElementCount === 0) return;
  const way = window.innerHeight + roll.offsetHeight;
  const speed = Number.isFinite(style.speed) && style.speed > 0 ? style.speed : DEFAULT_SPEED;
  rolling = roll.animate([{ transform: "translateY(0)" }, { transform: `translateY(-${way}px)` }], {
    duration: (way / speed) * 1000,
    easing: "linear",
  });
  rolling.onfinish = run;
}

function stop() {
  if (rolling) rolling.cancel();
  rolling = null;
  roll.replaceChildren();
}

const on = {
  "credits:config"(config) {
    style = parseStyle(config.creditsStyleJson);
    for (const [name, value] of [["--color", style.color], ["--font", style.font], ["--size", style.size]]) {
      if (typeof value === "string") roll.style.setProperty(name, value);
      else roll.style.removeProperty(name);
    }
  },
  "credits:state"(next) {
    const emptied = (next.chatters ?? []).length + (next.donors ?? []).length === 0;
    state = next;
    if (emptied) stop();
    else if (rolling === null) run();
  },
};

listen(`${door.base}/events`, door.headers, {
  onEvent(name, data) {
    on[name]?.(data);
  },
  onRefused: stop,
});
