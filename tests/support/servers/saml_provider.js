// A SAML identity provider for tests: the npm package samlp on a free port of the loopback, where everyone is Keiko.
//
// Prints its address as JSON in the first line. GET / with a SAMLRequest answers the page with the form of the response.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { inflateRawSync } from "node:zlib";
import samlp from "samlp";

const [keyPath, certificatePath, email] = process.argv.slice(2);
const [key, cert] = [readFileSync(keyPath), readFileSync(certificatePath)];

const KEIKO = {
  id: "keiko-1",
  emails: [{ value: email }],
  name: { givenName: "Keiko", familyName: "Sato" },
  groups: ["noc", "tea"],
};

class Mapper {
  constructor(user) {
    this.user = user;
  }
  getClaims() {
    return { email: this.user.emails[0].value, givenName: "Keiko", sn: "Sato", groups: this.user.groups };
  }
  getNameIdentifier() {
    return {
      nameIdentifier: this.user.id,
      nameIdentifierFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    };
  }
}

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  const parsed = {
    query: Object.fromEntries(url.searchParams),
    body: {},
    method: "GET",
    headers: request.headers,
    user: KEIKO,
  };
  response.set = (name, value) => response.setHeader(name, value);
  response.send = (text) => response.end(text);
  const sent = inflateRawSync(Buffer.from(url.searchParams.get("SAMLRequest"), "base64")).toString();
  const acs = /AssertionConsumerServiceURL="([^"]+)"/.exec(sent)[1];
  const settings = {
    destination: acs,
    recipient: acs,
    issuer: "urn:company:idp",
    cert,
    key,
    getPostURL: (_audience, _document, _request, callback) => callback(null, acs),
    getUserFromRequest: (one) => one.user,
    profileMapper: (user) => new Mapper(user),
    signatureAlgorithm: "rsa-sha256",
    digestAlgorithm: "sha256",
    includeAttributeNameFormat: true,
    RelayState: url.searchParams.get("RelayState"),
  };
  samlp.auth(settings)(parsed, response, (error) => response.writeHead(500).end(String(error?.stack ?? error)));
});
server.listen(0, "127.0.0.1", () =>
  console.log(JSON.stringify({ address: `http://127.0.0.1:${server.address().port}/` })),
);
