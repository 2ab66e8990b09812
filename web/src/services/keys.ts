import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { count, flag, instant, list, maybe, page, text, z } from "./zod";

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
  user_rate_per_minute: count,
  user_concurrency: count,
  cache_ttl_seconds: count,
  cache_unseeded: flag,
  moderation: z.enum(moderations).nullish().catch("default"),
  allow_ips: list(z.string()),
  expires_at: maybe(instant),
  revoked_at: maybe(instant),
  previous_until: maybe(instant),
  created_at: maybe(instant),
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
  /** The limits of each user that the key acts for; 0 is none. */
  userRatePerMinute: number;
  userConcurrency: number;
  /** How long answers are remembered, to answer the same request again; 0 is never. */
  cacheTtlSeconds: number;
  /** Also pictures and videos that were asked for without a seed. */
  cacheUnseeded: boolean;
  /** The content filter's policy for what this key asks. */
  moderation: (typeof moderations)[number];
  allowIps: string[];
  expiresAt: Date | undefined;
  revokedAt: Date | undefined;
  previousUntil: Date | undefined;
  createdAt: Date | undefined;
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
    userRatePerMinute: w.user_rate_per_minute,
    userConcurrency: w.user_concurrency,
    cacheTtlSeconds: w.cache_ttl_seconds,
    cacheUnseeded: w.cache_unseeded,
    moderation: w.moderation ?? "default",
    allowIps: w.allow_ips,
    expiresAt: w.expires_at,
    revokedAt: w.revoked_at,
    previousUntil: w.previous_until,
    createdAt: w.created_at,
    status: w.status,
    version: w.version,
  };
}

/** What an operator sets of a key; plain JSON, so that it can be kept. */
export interface KeyDraft {
  name: string;
  account: string;
  scopes: string[];
  ratePerMinute: number;
  concurrency: number;
  userRatePerMinute: number;
  userConcurrency: number;
  cacheTtlSeconds: number;
  cacheUnseeded: boolean;
  moderation: (typeof moderations)[number];
  allowIps: string[];
  /** RFC 3339, or "" for never. */
  expiresAt: string;
}

/** A key that nobody has made yet. */
export const newKey = (account: string): KeyDraft => ({
  name: "", account, scopes: ["generate"], ratePerMinute: 0, concurrency: 0, userRatePerMinute: 0, userConcurrency: 0,
  cacheTtlSeconds: 0, cacheUnseeded: false,
  moderation: "default", allowIps: [], expiresAt: "",
});

/** The part of a key that an operator sets. */
export function keyDraftOf(key: ApiKey): KeyDraft {
  const { name, account, scopes, ratePerMinute, concurrency, userRatePerMinute, userConcurrency, cacheTtlSeconds, cacheUnseeded, moderation, allowIps } = key;
  return {
    name, account, scopes, ratePerMinute, concurrency, userRatePerMinute, userConcurrency, cacheTtlSeconds, cacheUnseeded, moderation, allowIps,
    expiresAt: key.expiresAt?.toISOString() ?? "",
  };
}

/** The members of a draft that a key can be given again and again, by their names on the wire. */
export function fromKeyDraft(draft: KeyDraft): Record<string, unknown> {
  return {
    name: draft.name,
    scopes: draft.scopes,
    rate_per_minute: draft.ratePerMinute,
    concurrency: draft.concurrency,
    user_rate_per_minute: draft.userRatePerMinute,
    user_concurrency: draft.userConcurrency,
    cache_ttl_seconds: draft.cacheTtlSeconds,
    cache_unseeded: draft.cacheUnseeded,
    moderation: draft.moderation,
    allow_ips: draft.allowIps,
    expires_at: draft.expiresAt === "" ? null : draft.expiresAt,
  };
}

/** A key as the server answers with it. */
export const keySchema = wire.transform(toKey);
const secretWire = z.object({ key: wire, secret: z.string() });

/** A key with its secret, which the server tells only once. */
export interface KeySecret {
  key: ApiKey;
  secret: string;
}

const shownOnce = secretWire.transform((w): KeySecret => ({ key: toKey(w.key), secret: w.secret }));
const path = (id: string, rest = "") => `api/admin/keys/${encodeURIComponent(id)}${rest}`;

export const keyKeys = {
  all: ["keys"] as const,
  list: (account: string) => ["keys", "list", account] as const,
  one: (id: string) => ["keys", "one", id] as const,
};

export function keyQuery(id: string) {
  return queryOptions({ queryKey: keyKeys.one(id), queryFn: ({ signal }) => request(keySchema, path(id), { signal }), enabled: id !== "" });
}

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
  request(shownOnce, "api/admin/keys", { method: "POST", body: { ...fromKeyDraft(draft), account: draft.account }, once });

export const patchKey = (id: string, draft: KeyDraft, version: number) =>
  request(keySchema, path(id), { method: "PATCH", body: fromKeyDraft(draft), version });

export const revokeKey = (id: string) => request(keySchema, path(id, "/revoke"), { method: "POST" });

export const rotateKey = (id: string, overlapSeconds: number, once: string) =>
  request(shownOnce, path(id, "/rotate"), { method: "POST", body: { overlap_seconds: overlapSeconds }, once });
