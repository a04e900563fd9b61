// A terminal in JavaScript. It needs Node 20 and the package ws:
//   TMS_URL=wss://tms.example.com/ws/terminal/ TMS_CREDENTIAL=UID.SECRET node terminal.mjs
// It passes the core checks of tms-conformance. It keeps reports in memory, and makes none while there is no link.
import { randomUUID } from "node:crypto";
import os from "node:os";
import WebSocket from "ws";

const { TMS_URL, TMS_CREDENTIAL } = process.env;
const MOST_KEPT = 200; // as many reports as TMS takes in one array
const WAITS = { 4400: [60, 240], 4401: [300, 300], 4409: [60, 60], 4413: [10, 50], 4429: [30, 30], 4503: [1, 30] };
const boot = { boot_id: randomUUID(), agent: "terminal.mjs", firmware: os.release(), capabilities: ["ping"] };
const kept = []; // reports without an acknowledgement, in the order of seq
let [link, timer, seq, clockError, waited, unanswered, isEnding] = [null, null, 0, 0, 0, 0, false];

const send = (frame) => link.readyState === WebSocket.OPEN && link.send(JSON.stringify(frame));
const call = (method, params) => ({ jsonrpc: "2.0", method, params });
const state = () => ({ status: "ok", metrics: { load_1m: os.loadavg()[0], memory_free_mb: os.freemem() / 2 ** 20 } });

function connect() {
  const headers = { Authorization: `Bearer ${TMS_CREDENTIAL}` };
  let wait = null; // [at least, and a random part of] so many seconds, if TMS says so
  link = new WebSocket(TMS_URL, "tms.v1", { headers, handshakeTimeout: 20_000, maxPayload: 2 ** 20 });
  const params = { ...boot, uptime_s: os.uptime(), last_seq: seq, full: state() };
  link.on("open", () => send({ ...call("boot", params), id: 1 }));
  link.on("message", (data) => {
    try {
      wait = take(JSON.parse(data)) ?? wait;
    } catch (error) {
      console.error(`ignored a frame: ${error.message}`);
    }
  });
  link.on("pong", () => {
    unanswered = 0;
  });
  link.on("unexpected-response", async (_, response) => {
    wait = await waitAfter(response);
    link.terminate();
  });
  link.on("error", (error) => console.error(error.message));
  link.on("close", (code) => {
    clearInterval(timer);
    if (isEnding) process.exit();
    // At random, so that not all terminals come back at once; the window grows with the time waited so far.
    const [least, spread] = wait ?? WAITS[code] ?? [0, Math.min(Math.max(1, waited), 60)];
    const seconds = least + Math.random() * spread;
    waited += seconds;
    setTimeout(connect, seconds * 1000);
  });
}

// After a refused handshake. Without a problem document of TMS, a 401 is of a proxy, and says nothing about the credential.
async function waitAfter(response) {
  const { "retry-after": after, date } = response.headers;
  if (after) return [Number(after) || (Date.parse(after) - (Date.parse(date) || Date.now())) / 1000, 1];
  let body = "";
  for await (const part of response) if (body.length < 65_536) body += part;
  return response.statusCode === 401 && body.includes('"tms:unauthorised"') ? [300, 300] : null;
}

function take({ id, method, params, result }) {
  if (method === "drain") {
    link.close(1000);
    return [params.reconnect_after_s, params.spread_s];
  }
  if (method === "ack" && !params.boot_id) acknowledge(params.seq);
  if (method && id !== undefined) send({ jsonrpc: "2.0", id, ...answer(method, params) });
  if (!method && id === 1) begin(result ?? {});
}

function begin({ heartbeat_s, server_time, acked_seq }) {
  if (!(heartbeat_s > 0 && Date.parse(server_time))) return link.terminate(); // not an answer of TMS
  unanswered = 0;
  clockError = Date.now() - Date.parse(server_time);
  acknowledge(acked_seq ?? 0);
  if (kept.length) send(kept.map((report) => call("report", { ...report, late: true })));
  timer = setInterval(report, Math.min(Math.max(1, heartbeat_s), 3600) * 1000);
}

function report() {
  waited = 0; // this link is a good one
  if (unanswered++ > 3) link.terminate(); // a dead connection
  link.ping();
  kept.push({ seq: ++seq, at: new Date(Date.now() - clockError).toISOString(), ...state() });
  if (kept.length > MOST_KEPT) kept.shift();
  send(call("report", kept.at(-1)));
}

function acknowledge(upTo) {
  while (kept.length && kept[0].seq <= upTo) kept.shift();
}

function answer(method, params) {
  if (method !== "command") return { error: { code: -32601, message: `unknown method ${method}` } };
  if (!(Date.parse(params.deadline) > Date.now() - clockError)) return { error: { code: -32006, message: "too late" } };
  if (params.name === "ping") return { result: { answer: "pong" } };
  return { error: { code: -32005, message: `unknown command ${params.name}` } };
}

process.on("SIGTERM", () => {
  isEnding = true;
  if (link.readyState === WebSocket.CLOSED) process.exit();
  send(call("goodbye", { reason: "shutdown" }));
  link.close(1000);
});
connect();
