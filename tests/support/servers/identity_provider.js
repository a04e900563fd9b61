// An identity provider for tests: the certified npm package oidc-provider on a free port of the loopback.
//
// Prints its address as the first line. People sign in with their name alone. Beside OpenID Connect it has
//   PUT    /people/NAME           {"groups": [...], "email": ...}: adds a person, or changes their claims
//   DELETE /people/NAME           removes a person, and sends logout tokens to all clients where they are signed in

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const PEOPLE = new Map();
const VISITS = new Map();
const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });

const configuration = {
  jwks: { keys: [{ ...key, kid: "first", use: "sig", alg: "ES256" }] },
  enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  claims: {
    openid: ["sub", "amr"],
    profile: ["given_name", "family_name", "preferred_username"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    backchannelLogout: { enabled: true },
  },
  // Without its own guard, which blocks the loopback.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  ttl: { Session: 3600, Grant: 3600, Interaction: 600, IdToken: 600, AccessToken: 600, AuthorizationCode: 60 },
  findAccount: (_context, name) => {
    const claims = PEOPLE.get(name);
    return claims && { accountId: name, claims: () => ({ sub: name, ...claims }) };
  },
  // Its clients belong to the same company: nobody is asked for consent.
  loadExistingGrant: async (context) => {
    const { client, session } = context.oidc;
    const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile email groups");
    await grant.save();
    return grant;
  },
};

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  const respond = provider.callback();
  provider.on("authorization.success", remember);
  server.on("request", (request, response) => {
    const [, kind, name] = new URL(request.url, issuer).pathname.split("/");
    const route = { people: changePerson, interaction: signIn }[kind];
    if (route) {
      route(provider, request, response, name).catch((error) => response.writeHead(500).end(String(error)));
    } else {
      respond(request, response);
    }
  });
  console.log(issuer);
});

function remember(context) {
  const { client, session } = context.oidc;
  const visits = VISITS.get(session.accountId) ?? [];
  VISITS.set(session.accountId, [...visits, { client, sid: session.sidFor(client.clientId) }]);
}

async function signIn(provider, request, response) {
  if (request.method === "GET") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(
      `<!doctype html><title>Company</title><form method="post"><label>Name <input name="name"></label><button>Sign in</button></form>`,
    );
    return;
  }
  const name = new URLSearchParams(await body(request)).get("name");
  const result = PEOPLE.has(name) ? { login: { accountId: name, amr: PEOPLE.get(name).amr } } : { error: "access_denied" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function changePerson(_provider, request, response, name) {
  if (request.method === "PUT") {
    PEOPLE.set(name, JSON.parse(await body(request)));
  } else {
    PEOPLE.delete(name);
    const visits = VISITS.get(name) ?? [];
    VISITS.delete(name);
    await Promise.all(visits.map(({ client, sid }) => client.backchannelLogout(name, sid)));
  }
  response.writeHead(204).end();
}

async function body(request) {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
