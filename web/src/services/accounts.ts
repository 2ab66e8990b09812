import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { count, maybe, instant, page, text, z } from "./zod";

const balanceWire = z.object({ granted: count, available: count, reserved: count, spent: count });

/** An account's money: granted = available + reserved + spent. */
export interface Balance {
  granted: number;
  available: number;
  reserved: number;
  spent: number;
}

export const accountWire = z.object({
  id: z.string(),
  name: text,
  balance: balanceWire,
  monthly_quota: count,
  charged_this_month: count,
  created_at: maybe(instant),
  version: count,
});

/** Who pays: an end user or a tenant. */
export interface Account {
  id: string;
  name: string;
  balance: Balance;
  /** Credits per calendar month; 0 is no limit. */
  monthlyQuota: number;
  chargedThisMonth: number;
  createdAt: Date | undefined;
  version: number;
}

export function toAccount(w: z.output<typeof accountWire>): Account {
  return {
    id: w.id,
    name: w.name,
    balance: w.balance,
    monthlyQuota: w.monthly_quota,
    chargedThisMonth: w.charged_this_month,
    createdAt: w.created_at,
    version: w.version,
  };
}

export const entryWire = z.object({
  id: text,
  account: text,
  reason: z.string(),
  task: text,
  delta: balanceWire,
  note: text,
  by: text,
  at: instant,
});

/** One line of an account's ledger. */
export interface Entry {
  id: string;
  reason: string;
  task: string;
  delta: Balance;
  note: string;
  by: string;
  at: Date;
}

export function toEntry(w: z.output<typeof entryWire>): Entry {
  return { id: w.id, reason: w.reason, task: w.task, delta: w.delta, note: w.note, by: w.by, at: w.at };
}

const one = accountWire.transform(toAccount);
const path = (id: string, rest = "") => `api/admin/accounts/${encodeURIComponent(id)}${rest}`;

export const accountKeys = {
  all: ["accounts"] as const,
  list: (q: string) => ["accounts", "list", q] as const,
  one: (id: string) => ["accounts", "one", id] as const,
  ledger: (id: string, reason: string) => ["accounts", "one", id, "ledger", reason] as const,
};

export function accountsQuery(q = "") {
  return infiniteQueryOptions({
    queryKey: accountKeys.list(q),
    queryFn: ({ pageParam, signal }) =>
      request(page(accountWire, toAccount), "api/admin/accounts", { query: { q, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
}

export function accountQuery(id: string) {
  return queryOptions({ queryKey: accountKeys.one(id), queryFn: ({ signal }) => request(one, path(id), { signal }) });
}

export function ledgerQuery(id: string, reason = "") {
  return infiniteQueryOptions({
    queryKey: accountKeys.ledger(id, reason),
    queryFn: ({ pageParam, signal }) =>
      request(page(entryWire, toEntry), path(id, "/ledger"), { query: { reason, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
}

/** What a new account starts with. */
export interface AccountDraft {
  id: string;
  name: string;
  monthlyQuota: number;
  grant: number;
}

export const createAccount = (draft: AccountDraft, once: string) =>
  request(one, "api/admin/accounts", {
    method: "POST",
    body: {
      id: draft.id,
      ...(draft.name && { name: draft.name }),
      ...(draft.monthlyQuota > 0 && { monthly_quota: draft.monthlyQuota }),
      ...(draft.grant !== 0 && { grant: draft.grant }),
    },
    once,
  });

export const patchAccount = (id: string, change: { name: string; monthlyQuota: number }, version: number) =>
  request(one, path(id), {
    method: "PATCH",
    body: { name: change.name, monthly_quota: change.monthlyQuota },
    version,
  });

/** Gives credits, or corrects the balance up or down. */
export const moveCredits = (id: string, move: "grants" | "adjustments", amount: number, note: string, once: string) =>
  request(
    z.object({ account: accountWire, entry: entryWire }).transform((w) => ({ account: toAccount(w.account), entry: toEntry(w.entry) })),
    path(id, `/${move}`),
    { method: "POST", body: { amount, ...(note && { note }) }, once },
  );
