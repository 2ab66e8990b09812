import { infiniteQueryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { count, instant, list, maybe, page, text, z } from "./zod";

export const moderations = ["default", "strict", "off"] as const;

export const scopes = ["generate", "read", "act_as", "viewer", "admin"] as const;

/** Something that a key may do. */
export type Scope = (typeof scopes)[number];

const wire = z.object({
  id: z.string(),
  name: text,
  mask: text,
  account: text,
  scopes: list(z.string()),
  rate_per_minute: count,
  concurrency: count,
  moderation: z.enum(moderations).nullish().catch("default"),
  allow_ips: list(z.string()),
  expires_at: maybe(instant),
  revoked_at: maybe(instant),
  previous_until: maybe(instant),
  created_at: maybe(instant),
  last_used_at: maybe(instant),
  status: z.enum(["active", "expired", "revoked"]).catch("active"),
  version: count,
});

/** What callers authenticate with. */
export interface ApiKey {
  id: string;
  name: string;
  mask: string;
  account: string;
  scopes: string[];
  ratePerMinute: number;
  concurrency: number;
  /** The content filter's policy for what this key asks. */
  moderation: (typeof moderations)[number];
  allowIps: string[];
  expiresAt: Date | undefined;
  revokedAt: Date | undefined;
  previousUntil: Date | undefined;
  createdAt: Date | undefined;
  lastUsedAt: Date | undefined;
  status: "active" | "expired" | "revoked";
  version: number;
}

function toKey(w: z.output<typeof wire>): ApiKey {
  return {
    id: w.id,
    name: w.name,
    mask: w.mask || `esl_${w.id}_…`,
    account: w.account,
    scopes: w.scopes,
    ratePerMinute: w.rate_per_minute,
    concurrency: w.concurrency,
    moderation: w.moderation ?? "default",
    allowIps: w.allow_ips,
    expiresAt: w.expires_at,
    revokedAt: w.revoked_at,
    previousUntil: w.previous_until,
    createdAt: w.created_at,
    lastUsedAt: w.last_used_at,
    status: w.status,
    version: w.version,
  };
}

/** What an operator sets of a key. */
export interface KeyDraft {
  name: string;
  account: string;
  scopes: string[];
  ratePerMinute: number;
  concurrency: number;
  moderation: (typeof moderations)[number];
  allowIps: string[];
  expiresAt: Date | undefined;
}

function fromDraft(draft: KeyDraft) {
  return {
    name: draft.name,
    scopes: draft.scopes,
    rate_per_minute: draft.ratePerMinute,
    concurrency: draft.concurrency,
    moderation: draft.moderation,
    allow_ips: draft.allowIps,
    ...(draft.expiresAt && { expires_at: draft.expiresAt.toISOString() }),
  };
}

const one = wire.transform(toKey);
const secretWire = z.object({ key: wire, secret: z.string() });

/** A key with its secret, which the server tells only once. */
export interface KeySecret {
  key: ApiKey;
  secret: string;
}

const shownOnce = secretWire.transform((w): KeySecret => ({ key: toKey(w.key), secret: w.secret }));
const path = (id: string, rest = "") => `api/admin/keys/${encodeURIComponent(id)}${rest}`;

export const keyKeys = { all: ["keys"] as const, list: (account: string) => ["keys", account] as const };

export function keysQuery(account = "") {
  return infiniteQueryOptions({
    queryKey: keyKeys.list(account),
    queryFn: ({ pageParam, signal }) =>
      request(page(wire, toKey), "api/admin/keys", { query: { account, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
}

export const createKey = (draft: KeyDraft, once: string) =>
  request(shownOnce, "api/admin/keys", { method: "POST", body: { ...fromDraft(draft), account: draft.account }, once });

export const patchKey = (id: string, draft: KeyDraft, version: number) =>
  request(one, path(id), { method: "PATCH", body: fromDraft(draft), version });

export const revokeKey = (id: string) => request(one, path(id, "/revoke"), { method: "POST" });

export const rotateKey = (id: string, overlapSeconds: number, once: string) =>
  request(shownOnce, path(id, "/rotate"), { method: "POST", body: { overlap_seconds: overlapSeconds }, once });
