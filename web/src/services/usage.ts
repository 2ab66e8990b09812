import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { attemptWire, consumptionWire, toAttempt, toConsumption, type Attempt, type Consumption } from "./attempts";
import { request, type Query } from "./http";
import { count, flag, instant, list, object, page, text, z } from "./zod";

const wire = z.object({
  id: z.string(),
  account: text,
  key_id: text,
  user: text,
  kind: text,
  model: text,
  config: text,
  provider: text,
  status: z.string(),
  error_code: text,
  credits: count,
  usage: consumptionWire,
  latency_ms: count,
  attempts: list(attemptWire),
  loss: flag,
  request_id: text,
  created_at: instant,
  finished_at: instant,
});

/** One ended task in the usage log. */
export interface UsageRecord {
  id: string;
  account: string;
  keyId: string;
  user: string;
  kind: string;
  model: string;
  config: string;
  provider: string;
  status: string;
  errorCode: string;
  credits: number;
  usage: Consumption;
  latencyMs: number;
  attempts: Attempt[];
  loss: boolean;
  requestId: string;
  createdAt: Date;
  finishedAt: Date;
}

function toRecord(w: z.output<typeof wire>): UsageRecord {
  return {
    id: w.id,
    account: w.account,
    keyId: w.key_id,
    user: w.user,
    kind: w.kind,
    model: w.model,
    config: w.config,
    provider: w.provider,
    status: w.status,
    errorCode: w.error_code,
    credits: w.credits,
    usage: toConsumption(w.usage),
    latencyMs: w.latency_ms,
    attempts: w.attempts.map(toAttempt),
    loss: w.loss,
    requestId: w.request_id,
    createdAt: w.created_at,
    finishedAt: w.finished_at,
  };
}

const detailWire = wire.extend({
  request: object,
  error: z.object({ code: text, message: text }).nullish(),
});

/** A usage record with what was asked. */
export interface UsageDetail extends UsageRecord {
  request: Record<string, unknown>;
  error: { code: string; message: string } | undefined;
}

export const usageKeys = { all: ["usage"] as const, list: (filter: Query) => ["usage", filter] as const };

export function usageQuery(filter: Query) {
  return infiniteQueryOptions({
    queryKey: usageKeys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      request(page(wire, toRecord), "api/admin/usage", { query: { ...filter, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    staleTime: 5_000,
  });
}

/** The latest tasks that failed, for the overview. */
export function recentFailuresQuery(kind: string | undefined) {
  return queryOptions({
    queryKey: ["usage", "recent-failures", kind] as const,
    queryFn: ({ signal }) =>
      request(page(wire, toRecord), "api/admin/usage", { query: { status: "failed", kind, limit: 6 }, signal }),
    refetchInterval: 15_000,
  });
}

export function usageDetailQuery(id: string) {
  return queryOptions({
    queryKey: ["usage", "detail", id] as const,
    queryFn: ({ signal }) =>
      request(
        detailWire.transform((w): UsageDetail => ({ ...toRecord(w), request: w.request, error: w.error ?? undefined })),
        `api/admin/usage/${encodeURIComponent(id)}`,
        { signal },
      ),
  });
}
