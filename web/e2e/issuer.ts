import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Somebody who can log in at the issuer. */
export interface Person {
  name: string;
  groups: string[];
}

interface Grant {
  person: Person;
  challenge: string;
  redirectUri: string;
}

const clientId = "easel-console";

/** The people that the issuer's page offers. */
export const people: Person[] = [
  { name: "ada", groups: ["staff", "easel-admins"] },
  { name: "vera", groups: ["easel-viewers"] },
  { name: "otto", groups: ["staff"] },
];

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * A small OpenID Connect issuer: discovery, a page to choose who one is, codes
 * with PKCE, and tokens signed by a key that is made when it starts.
 */
export async function startIssuer(): Promise<{ url: string; clientId: string; stop: () => Promise<void> }> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const grants = new Map<string, Grant>();
  let url = "";

  const token = (person: Person) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: url, aud: clientId, sub: `sub-${person.name}`, email: `${person.name}@example.com`, email_verified: true, groups: person.groups, iat: now, exp: now + 3600,
    };
    const text = `${encode({ alg: "RS256", typ: "JWT", kid: "one" })}.${encode(claims)}`;
    return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey).toString("base64url")}`;
  };

  const page = (query: URLSearchParams) => {
    const wrong = query.get("client_id") !== clientId || query.get("response_type") !== "code" || query.get("code_challenge_method") !== "S256";
    if (wrong) return undefined;
    const back = (parameters: Record<string, string>) => {
      const to = new URL(query.get("redirect_uri") ?? "");
      for (const [name, value] of Object.entries({ ...parameters, state: query.get("state") ?? "" })) to.searchParams.set(name, value);
      return to.toString().replaceAll("&", "&amp;");
    };
    const links = people.map((person) => {
      const code = randomUUID();
      grants.set(code, { person, challenge: query.get("code_challenge") ?? "", redirectUri: query.get("redirect_uri") ?? "" });
      return `<p><a href="${back({ code })}">${person.name}</a></p>`;
    });
    return `<!doctype html><title>Issuer</title>${links.join("")}<p><a href="${back({ error: "access_denied" })}">refuse</a></p>`;
  };

  const redeem = (form: URLSearchParams) => {
    const grant = grants.get(form.get("code") ?? "");
    grants.delete(form.get("code") ?? "");
    const proof = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const good = grant?.challenge === proof && grant.redirectUri === form.get("redirect_uri") && form.get("client_id") === clientId && form.get("grant_type") === "authorization_code";
    return good ? { token_type: "Bearer", expires_in: 3600, id_token: token(grant.person) } : undefined;
  };

  const json = (response: ServerResponse, status: number, body: unknown) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  const read = async (request: IncomingMessage) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    return Buffer.concat(parts).toString();
  };

  const server = createServer((request, response) => {
    void (async () => {
      const asked = new URL(request.url ?? "/", url);
      switch (asked.pathname) {
        case "/.well-known/openid-configuration":
          json(response, 200, { issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`, jwks_uri: `${url}/keys` });
          break;
        case "/keys":
          json(response, 200, { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" }] });
          break;
        case "/authorize": {
          const body = page(asked.searchParams);
          response.writeHead(body === undefined ? 400 : 200, { "Content-Type": "text/html" }).end(body ?? "bad request");
          break;
        }
        case "/token": {
          const answer = redeem(new URLSearchParams(await read(request)));
          json(response, answer === undefined ? 400 : 200, answer ?? { error: "invalid_grant" });
          break;
        }
        default:
          response.writeHead(404).end();
      }
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    clientId,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
