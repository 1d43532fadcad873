// Drives one version of the npm package `phoenix` against a server in test mode, and prints what it saw, a JSON object
// a line: node drive.mjs FOLDER CLIENT URL, where FOLDER holds node_modules and URL is the server's.

import { createRequire } from "node:module";

const [folder, client, url] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { Socket, Presence } = require(client);
const WebSocket = require("ws");

const PATIENCE = 20000;

function open(user, options = {}) {
  const socket = new Socket(`${url.replace("http", "ws")}/ws`, {
    transport: WebSocket,
    params: user === null ? {} : { user_id: user },
    reconnectAfterMs: () => 10,
    rejoinAfterMs: () => 20,
    ...options,
  });
  socket.connect();
  return socket;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(holds) {
  for (const end = Date.now() + PATIENCE; !holds(); await pause(5)) {
    if (Date.now() > end) throw new Error(`never: ${holds}`);
  }
}

// What became of a push: ["ok", response], ["error", response] or ["timeout"].
function outcome(push) {
  return new Promise((done) => {
    for (const status of ["ok", "error"]) push.receive(status, (response) => done([status, response]));
    push.receive("timeout", () => done(["timeout"]));
  });
}

async function joined(socket, topic, params = {}) {
  const channel = socket.channel(topic, params);
  const result = await outcome(channel.join());
  if (result[0] !== "ok") throw new Error(`${topic}: ${JSON.stringify(result)}`);
  return channel;
}

const bytes = (buffer) => Array.from(new Uint8Array(buffer));

const scenarios = {
  async pushes() {
    const channel = await joined(open("user_ada"), "room:pushes");
    const pushed = [];
    channel.on("hello", (payload) => pushed.push(payload));
    channel.push("test:push", { event: "hello", payload: { n: 1 } });
    await until(() => pushed.length === 1);
    return {
      echo: await outcome(channel.push("test:echo", { a: [1, "ü"] })),
      error: await outcome(channel.push("test:error", { reason: "no" })),
      noreply: await outcome(channel.push("test:noreply", {}, 50)),
      pushed,
    };
  },

  async broadcast() {
    const [one, other] = [await joined(open("user_ada"), "room:b"), await joined(open("user_sam"), "room:b")];
    const heard = [];
    one.on("news", (payload) => heard.push(["one", payload.n]));
    other.on("news", (payload) => heard.push(["other", payload.n]));
    const reply = await outcome(one.push("test:broadcast", { event: "news", payload: { n: 7 } }));
    await until(() => heard.length === 2);
    return { reply, heard: heard.sort() };
  },

  async events() {
    const heard = [];
    const channel = await joined(open("user_ada"), "user:user_ada:deals");
    channel.on("deal:updated", (payload) => heard.push(payload.changes.title));
    const headers = { authorization: "Bearer acme-admin", "content-type": "application/json" };
    const deals = await (await fetch(`${url}/api/deals?limit=1`, { headers })).json();
    const body = JSON.stringify({ title: `Told ${client}` });
    await fetch(`${url}/api/deals/${deals[0].id}`, { method: "PUT", headers, body });
    await until(() => heard.length === 1);
    return { heard };
  },

  async presence() {
    const [one, other] = [open("user_ada"), open("user_sam")];
    const shown = [];
    const channel = one.channel("room:presence", { meta: { at: "desk" } });
    const presence = new Presence(channel);
    const names = () => presence.list((id) => id).sort().join();
    presence.onSync(() => shown.push(names()));
    await outcome(channel.join());
    await until(() => names() === "user_ada");
    const guest = await joined(other, "room:presence");
    await until(() => names() === "user_ada,user_sam");
    await outcome(guest.push("test:meta", { typing: true }));
    const metas = () => presence.list((id, { metas }) => metas.map((meta) => [id, meta.typing, meta.at])).flat();
    await until(() => metas().some(([, typing]) => typing));
    const there = metas().sort();
    other.disconnect();
    await until(() => names() === "user_ada");
    return { there };
  },

  async heartbeat() {
    let opens = 0, errors = 0;
    // The client gives up a link whose answer takes longer than this: a busy machine needs more than a moment.
    const socket = open("user_ada", { heartbeatIntervalMs: 1500 });
    socket.onOpen(() => opens++);
    socket.onError(() => errors++);
    let beats = 0;
    socket.onMessage((message) => {
      if (message.topic === "phoenix" && message.event === "phx_reply") beats++;
    });
    await until(() => beats === 2);
    return { opens, errors };
  },

  async silence() {
    let opens = 0;
    const socket = open("user_ada", { heartbeatIntervalMs: 200 });
    socket.onOpen(() => opens++);
    const channel = await joined(socket, "room:silence");
    channel.push("test:silent", {});
    await until(() => opens >= 2 && channel.state === "joined");
    return { echo: await outcome(channel.push("test:echo", {})) };
  },

  async leave() {
    const channel = await joined(open("user_ada"), "room:leave");
    let closed = 0;
    channel.onClose(() => closed++);
    const result = await outcome(channel.leave());
    return { result, closed, state: channel.state };
  },

  async duplicate() {
    const socket = open("user_ada");
    const channel = await joined(socket, "room:twice");
    let closed = 0;
    const replies = [];
    channel.onClose(() => closed++);
    socket.onMessage(({ event, join_ref, payload }) => {
      if (join_ref === "99" || event === "phx_close") replies.push([event, join_ref === "99", payload.status ?? null]);
    });
    socket.push({ topic: "room:twice", event: "phx_join", payload: {}, ref: "99", join_ref: "99" });
    await until(() => closed === 1);
    return { replies: replies.filter(([event]) => !event.startsWith("presence")) };
  },

  async lost() {
    let closes = 0;
    const socket = open("user_ada");
    const channel = await joined(socket, "room:lost");
    socket.onClose(() => closes++);
    channel.push("test:drop", {});
    await until(() => closes === 1);
    await until(() => channel.state === "joined");
    return { echo: await outcome(channel.push("test:echo", { again: true })) };
  },

  async restarted() {
    const codes = [];
    const socket = open("user_ada");
    const channel = await joined(socket, "room:restart");
    socket.onClose((event) => codes.push(event.code));
    channel.push("test:wsclose", { code: 1012 });
    await until(() => codes.length === 1);
    await until(() => channel.state === "joined");
    return { codes };
  },

  async refused() {
    const socket = open("user_ada");
    const results = {};
    for (const topic of ["user:user_sam:deals", "company:tenant_globex", "nothing:here"]) {
      const channel = socket.channel(topic, {});
      results[topic] = await outcome(channel.join());
      channel.leave();
    }
    return results;
  },

  async crash() {
    const channel = await joined(open("user_ada"), "room:crash");
    const reasons = [];
    channel.onError((payload) => reasons.push(payload?.reason ?? null));
    channel.push("test:crash", {});
    await until(() => reasons.length === 1);
    await until(() => channel.state === "joined");
    return { reasons, echo: await outcome(channel.push("test:echo", {})) };
  },

  async binary() {
    const channel = await joined(open("user_ada"), "room:binary");
    const heard = {};
    for (const event of ["bin", "binb"]) channel.on(event, (payload) => (heard[event] = bytes(payload)));
    const [status, response] = await outcome(channel.push("test:echo", new Uint8Array([1, 0, 255]).buffer));
    channel.push("test:binpush", {});
    await until(() => "bin" in heard && "binb" in heard);
    return { echo: [status, bytes(response)], heard };
  },

  async token() {
    let refused = 0;
    const good = open("user_ada", { authToken: "a-good-one" });
    if (good.authToken === undefined) return null; // the older ones offer no token as a sub-protocol
    const bad = open("user_ada", { authToken: "bad", reconnectAfterMs: () => PATIENCE });
    bad.onError(() => refused++);
    await until(() => good.isConnected() && refused === 1);
    return { protocol: good.conn.protocol, connected: bad.isConnected() };
  },
};

async function tell(name, run) {
  const saw = await run().catch(String);
  console.log(JSON.stringify({ name, saw }));
}

await Promise.all(Object.entries(scenarios).map(([name, run]) => tell(name, run)));
process.exit(0);
