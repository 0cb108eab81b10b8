// The peer of `make bench`: the purchase of a meme as a plain Express + pg + Socket.IO server does it.
//
// One process, one transaction a request: lock the wallet, take the price, insert the activation and the ledger row,
// commit, tell the channel's room. Written to be fast without tricks: prepared statements, a pool, nothing logged.
//
// Settings: DATABASE_URL (with the tables of schema.sql), PORT, JWT_SECRET, POOL_SIZE (default 20).

import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { parse as parseCookies } from "cookie";
import express from "express";
import jwt from "jsonwebtoken";
import pg from "pg";
import { Server } from "socket.io";

const { DATABASE_URL, PORT, JWT_SECRET, POOL_SIZE = "20" } = process.env;

// Coins are bigint; below 2^53 a number is exact.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(POOL_SIZE) });

const app = express();
app.disable("x-powered-by");
app.disable("etag");
const server = createServer(app);
const io = new Server(server);
io.on("connection", (socket) => socket.on("join", (slug) => socket.join(`channel:${slug}`)));

// A named statement is prepared once a connection.
const FIND_MEME = {
  name: "find-meme",
  text: `select m.id, m.title, m.channel_id, m.file_url, m.duration_ms, coalesce(m.price, c.default_price) as price, c.slug
         from memes m join channels c on c.id = m.channel_id where m.id = $1 and m.status = 'approved'`,
};
const LOCK_WALLET = {
  name: "lock-wallet",
  text: "select id, balance from wallets where user_id = $1 and channel_id = $2 for update",
};
const TAKE = { name: "take", text: "update wallets set balance = balance - $2 where id = $1 returning balance" };
const INSERT_ACTIVATION = {
  name: "insert-activation",
  text: `insert into activations (id, channel_id, user_id, meme_id, price) values ($1, $2, $3, $4, $5)
         returning status, created_at`,
};
const INSERT_LEDGER = {
  name: "insert-ledger",
  text: `insert into ledger (id, wallet_id, activation_id, amount, balance_after, reason) values ($1, $2, $3, $4, $5, 'activation')`,
};

class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}

function authenticate(request, _response, next) {
  try {
    const { token } = parseCookies(request.headers.cookie ?? "");
    request.userId = jwt.verify(token ?? "", JWT_SECRET, { algorithms: ["HS256"] }).sub;
    next();
  } catch {
    next(new Refusal(401, "UNAUTHORIZED"));
  }
}

async function buy(client, userId, memeId) {
  const meme = (await client.query({ ...FIND_MEME, values: [memeId] })).rows[0];
  if (!meme) throw new Refusal(404, "MEME_NOT_FOUND");
  const wallet = (await client.query({ ...LOCK_WALLET, values: [userId, meme.channel_id] })).rows[0];
  if (!wallet || wallet.balance < meme.price) throw new Refusal(402, "INSUFFICIENT_COINS");
  const { balance } = (await client.query({ ...TAKE, values: [wallet.id, meme.price] })).rows[0];
  const id = randomUUID();
  const values = [id, meme.channel_id, userId, meme.id, meme.price];
  const { status, created_at } = (await client.query({ ...INSERT_ACTIVATION, values })).rows[0];
  await client.query({ ...INSERT_LEDGER, values: [randomUUID(), wallet.id, id, -meme.price, balance] });
  return { meme, wallet: { id: wallet.id, balance }, activation: { id, status, createdAt: created_at } };
}

app.post("/memes/:id/activate", authenticate, async (request, response) => {
  const client = await pool.connect();
  let bought;
  try {
    await client.query("begin");
    bought = await buy(client, request.userId, request.params.id);
    await client.query("commit");
    client.release();
  } catch (error) {
    await client.query("rollback").then(
      () => client.release(),
      (broken) => client.release(broken),
    );
    throw error;
  }
  const { meme, wallet, activation } = bought;
  io.to(`channel:${meme.slug}`).emit("activation:new", {
    id: activation.id,
    memeId: meme.id,
    title: meme.title,
    fileUrl: meme.file_url,
    durationMs: meme.duration_ms,
  });
  response.json({
    activation: { ...activation, channelId: meme.channel_id, userId: request.userId, memeId: meme.id, coinsSpent: meme.price },
    wallet: { ...wallet, channelId: meme.channel_id },
    finalPrice: meme.price,
  });
});

app.post("/auth/dev/login", express.json(), async (request, response) => {
  const user = (await pool.query("select id from users where login = $1", [request.body.login])).rows[0];
  if (!user) throw new Refusal(401, "UNAUTHORIZED");
  response.json({ token: jwt.sign({ sub: user.id }, JWT_SECRET, { algorithm: "HS256", expiresIn: "7d" }) });
});

app.get("/health", async (_request, response) => {
  await pool.query("select 1");
  response.json({ status: "ok" });
});

app.use((error, _request, response, _next) => {
  if (!error.status) console.error(error);
  response.status(error.status ?? 500).json({ errorCode: error.status ? error.message : "INTERNAL_ERROR" });
});

server.listen(Number(PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
