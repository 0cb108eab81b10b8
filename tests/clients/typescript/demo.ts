// The demo with a client that openapi-typescript generated: a viewer pays, the overlay shows, the coins are spent.
// Usage: node demo.js BASE_URL CHANNEL  (dev mode, a channel with a meme)

import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [baseUrl, slug] = process.argv.slice(2) as [string, string];

/** A client with a session of the dev login, which is no part of the promise. */
async function login(name: string, role: string) {
  const response = await fetch(`${baseUrl}/auth/dev/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ login: name, role }),
  });
  assert.equal(response.status, 200);
  const { token } = (await response.json()) as { token: string };
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
}

/** The body of an answer that must be good. */
function good<T>(answer: { data?: T; error?: unknown }): T {
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  assert.ok(answer.data !== undefined);
  return answer.data;
}

const anonymous = createClient<paths>({ baseUrl });
const refused = await anonymous.GET("/me");
assert.equal(refused.response.status, 401);
const code: components["schemas"]["ErrorCode"] | undefined = refused.error?.errorCode;
assert.equal(code, "UNAUTHORIZED");

const streamer = await login(slug, "streamer");
const admin = await login("admin_ts", "admin");
const viewer = await login("viewer_ts", "viewer");
const me = good(await viewer.GET("/me"));
const channel = good(await viewer.GET("/channels/{slug}", { params: { path: { slug } } }));
good(
  await admin.POST("/owner/wallets/{userId}/{channelId}/adjust", {
    params: { path: { userId: me.id, channelId: channel.id } },
    body: { delta: 1000, reason: "demo" },
  }),
);

const { token } = good(await streamer.GET("/streamer/overlay/token"));
const screenId = randomUUID();
async function poll(cursor?: string) {
  const answer = await anonymous.GET("/overlay/t/{token}/poll", {
    params: { path: { token }, query: { cursor, wait: 10, screen: "obs", screenId } },
  });
  return good(answer);
}
let page = await poll();
assert.equal(page.events[0]?.event, "overlay:config");

const [meme] = good(await viewer.GET("/channels/{slug}/memes", { params: { path: { slug } } }));
assert.ok(meme);
const activate = { params: { path: { id: meme.id }, header: { "Idempotency-Key": randomUUID() } } };
const placed = good(await viewer.POST("/memes/{id}/activate", activate));
assert.equal(placed.activation.coinsSpent, placed.finalPrice);
assert.deepEqual(good(await viewer.POST("/memes/{id}/activate", activate)), placed, "the same key, the same answer");

const id = placed.activation.id;
const shown = () => page.events.find((event) => event.event === "activation:new" && (event.data as { id: string }).id === id);
for (let turn = 0; !shown() && turn < 10; turn += 1) page = await poll(page.cursor);
const started = shown();
assert.ok(started, "the overlay was not told");
const { playEpoch } = started.data as { playEpoch: number };
for (const state of ["started", "done"] as const) {
  const ack = { params: { path: { token, id } }, body: { state, playEpoch, screenId } };
  good(await anonymous.POST("/overlay/t/{token}/activations/{id}/ack", ack));
}
assert.equal(good(await viewer.GET("/me/activations/{id}", { params: { path: { id } } })).status, "done");
const stats = good(await streamer.GET("/streamer/stats/channel"));
assert.ok(stats.activationsDone >= 1);
console.log(`typescript: ${meme.title} was shown for ${placed.finalPrice} coins`);
