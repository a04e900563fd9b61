// Terminals on the library `ocpp-rpc`, with pg.

const { createHash, timingSafeEqual } = require("node:crypto");
const { readFileSync } = require("node:fs");
const path = require("node:path");
const { RPCServer } = require("ocpp-rpc");
const { Pool } = require("pg");

const HOST = "127.0.0.1";
const INTERVAL_S = 300;

const { PEER_DATABASE_URL, PEER_CONNECTIONS, PEER_PORT } = process.env;

const pool = new Pool({ connectionString: PEER_DATABASE_URL, max: Number(PEER_CONNECTIONS) });
const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true });

// PostgreSQL prepares a statement once a connection if it has a name.
function statement(name) {
  const text = readFileSync(path.join(__dirname, "..", `${name}.sql`), "utf8");
  return (values) => pool.query({ name, text, values });
}

const findCredential = statement("credential");
const insertReport = statement("report");

function isSecret(password, digest) {
  return timingSafeEqual(createHash("sha256").update(password).digest(), Buffer.from(digest, "hex"));
}

function boot() {
  return { currentTime: new Date().toISOString(), interval: INTERVAL_S, status: "Accepted" };
}

async function report(terminalId, data) {
  const { seq, at, status, metrics } = JSON.parse(data);
  await insertReport([terminalId, seq, at, status, metrics]);
  return { status: "Accepted" };
}

// The library handles the calls of a link at the same time; a state must not become older than it was.
function inOrder(handle) {
  let last = Promise.resolve();
  return (call) => {
    last = last.catch(() => {}).then(() => handle(call));
    return last;
  };
}

server.auth(async (accept, reject, { identity, password }) => {
  const { rows } = await findCredential([identity]);
  if (password && rows.length && isSecret(password, rows[0].digest)) {
    accept({ terminalId: rows[0].id });
  } else {
    reject(401, "Unauthorized");
  }
});

server.on("client", (client) => {
  client.handle("BootNotification", boot);
  client.handle(
    "DataTransfer",
    inOrder(({ params }) => report(client.session.terminalId, params.data)),
  );
});

server.listen(Number(PEER_PORT), HOST);
