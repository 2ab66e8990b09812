import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { currentToken } from "./token";
import { flag, instant, list, maybe, text, z } from "./zod";

const loginWire = z.object({
  version: text,
  local: flag,
  oidc: maybe(z.object({ authorization_endpoint: text, client_id: z.string(), scope: text })),
});

/** What the login page may offer. The issuer's address is "" while the issuer cannot be asked. */
export interface LoginOptions {
  version: string;
  local: boolean;
  oidc: { authorizationEndpoint: string; clientId: string; scope: string } | undefined;
}

function toLoginOptions(wire: z.output<typeof loginWire>): LoginOptions {
  return {
    version: wire.version,
    local: wire.local,
    oidc: wire.oidc && {
      authorizationEndpoint: wire.oidc.authorization_endpoint,
      clientId: wire.oidc.client_id,
      scope: wire.oidc.scope || "openid",
    },
  };
}

const sessionWire = z.object({
  role: z.enum(["admin", "viewer"]),
  subject: text,
  name: text,
  key_id: text,
  account: text,
  scopes: list(z.string()),
  expires_at: maybe(instant),
  local: flag,
  version: text,
  features: z
    .object({ reveal_keys: flag, simulator: flag, generate: flag })
    .nullish()
    .transform((value) => value ?? { reveal_keys: false, simulator: false, generate: false }),
});

/** Who is logged in, and what this deployment lets them do. */
export interface Session {
  role: "admin" | "viewer";
  subject: string;
  name: string;
  keyId: string;
  account: string;
  scopes: string[];
  expiresAt: Date | undefined;
  local: boolean;
  version: string;
  canReveal: boolean;
  canSimulate: boolean;
  canGenerate: boolean;
}

function toSession(wire: z.output<typeof sessionWire>): Session {
  return {
    role: wire.role,
    subject: wire.subject,
    name: wire.name || wire.subject,
    keyId: wire.key_id,
    account: wire.account,
    scopes: wire.scopes,
    expiresAt: wire.expires_at,
    local: wire.local,
    version: wire.version,
    canReveal: wire.features.reveal_keys && wire.role === "admin",
    canSimulate: wire.features.simulator && wire.role === "admin",
    canGenerate: wire.features.generate,
  };
}

export const sessionKeys = { login: ["login"] as const, session: (token: string) => ["session", token.slice(0, 16)] as const };

export const loginOptionsQuery = queryOptions({
  queryKey: sessionKeys.login,
  queryFn: ({ signal }) => request(loginWire.transform(toLoginOptions), "api/admin/login", { signal }),
  staleTime: Infinity,
});

export function sessionQuery() {
  return queryOptions({
    queryKey: sessionKeys.session(currentToken()),
    queryFn: ({ signal }) => request(sessionWire.transform(toSession), "api/admin/session", { signal }),
    staleTime: 5 * 60_000,
  });
}

/** Asks the server who a token is, without starting a session with it. */
export function whoIs(token: string): Promise<Session> {
  return request(sessionWire.transform(toSession), "api/admin/session", { headers: { Authorization: `Bearer ${token}` } });
}

/** Exchanges an authorization code for a token. */
export async function redeemCode(code: string, verifier: string, redirectUri: string): Promise<string> {
  const answer = await request(z.object({ token: z.string() }), "api/admin/login/oidc", {
    method: "POST",
    body: { code, code_verifier: verifier, redirect_uri: redirectUri },
  });
  return answer.token;
}
