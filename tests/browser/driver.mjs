// Opens a page in headless Chromium and does what standard input says, one JSON object a line:
//   {"do":"open","url":"...","obs":true}  {"do":"look"}  {"do":"reload"}  {"do":"fill","what":"#name","text":"..."}
//   {"do":"click","what":"button"}  {"do":"close"}
// Each is answered by one line: {"ok":...} or {"error":"..."}. The first argument is the browser's rule for sound without
// a click: `no-user-gesture-required`, as OBS has it, or `document-user-activation-required`.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.MEMALERTS_TEST_BROWSER,
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--autoplay-policy=${process.argv[2]}`,
  ],
});
const viewport = { width: 640, height: 360 };
const page = await browser.newPage({ viewport });
// Decodes screenshots; a page of its own, so that nothing of it is on stream.
const darkroom = await browser.newPage();
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("request", (request) => {
  if (new URL(request.url()).origin !== origin && !request.url().startsWith("data:")) {
    complaints.push(`a request to elsewhere: ${request.url()}`);
  }
});
let origin;

/** How much of the screen is not transparent (0 to 1), and the colour in its middle. */
async function pixels() {
  const png = (await page.screenshot({ omitBackground: true })).toString("base64");
  return darkroom.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data: bytes } = context.getImageData(0, 0, image.width, image.height);
    let covered = 0;
    for (let at = 3; at < bytes.length; at += 4) if (bytes[at] > 0) covered += 1;
    const middle = 4 * (Math.floor(image.height / 2) * image.width + Math.floor(image.width / 2));
    return { covered: covered / (bytes.length / 4), middle: [...bytes.slice(middle, middle + 4)] };
  }, png);
}

const can = {
  async open({ url, obs }) {
    origin = new URL(url).origin;
    if (obs) await page.addInitScript(() => (window.obsstudio = { pluginVersion: "2.26.0" }));
    const response = await page.goto(url);
    return { status: response.status() };
  },
  async reload() {
    await page.reload();
    return {};
  },
  async fill({ what, text }) {
    await page.fill(what, text);
    return {};
  },
  async click({ what }) {
    await page.click(what);
    return {};
  },
  /** What is on the screen, and what plays there. */
  async look() {
    const { covered, middle } = await pixels();
    const plays = await page.evaluate(() =>
      [...document.querySelectorAll(".play.on")].map((play) => {
        const media = play.querySelector(".media");
        return {
          activation: play.dataset.activation,
          tag: media.tagName.toLowerCase(),
          at: media.currentTime ?? null,
          paused: media.paused ?? null,
          muted: media.muted ?? null,
          volume: media.volume ?? null,
          boost: Number(play.dataset.boost ?? 1),
          sender: play.querySelector("figcaption:not([hidden])")?.textContent ?? null,
        };
      }),
    );
    const text = await page.evaluate(() => document.body.innerText.trim());
    return { covered, middle, plays, text, complaints };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.do === "close") break;
  let answer;
  try {
    answer = { ok: await can[order.do](order) };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
