import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { all, count, instant, maybe, text, z } from "./zod";

export const healthStates = ["healthy", "degraded", "cooling", "down", "inactive", "unknown"] as const;

/** How a config is doing. */
export type HealthState = (typeof healthStates)[number];

const wire = z.object({
  config_id: z.string(),
  state: z.enum(healthStates).catch("unknown"),
  since: maybe(instant),
  breaker: text,
  ready_at: maybe(instant),
  consecutive_failures: count,
  last_success_at: maybe(instant),
  last_error: maybe(z.object({ class: text, message: text, detail: text, status: count, at: maybe(instant) })),
  rate: maybe(z.object({ limit: count, used: count, remaining: count, resets_at: maybe(instant) })),
  concurrency: maybe(z.object({ limit: count, in_use: count })),
});

/** The health of one config. */
export interface Health {
  configId: string;
  state: HealthState;
  since: Date | undefined;
  breaker: string;
  readyAt: Date | undefined;
  failures: number;
  lastSuccessAt: Date | undefined;
  lastError: { class: string; message: string; detail: string; status: number; at: Date | undefined } | undefined;
  rate: { limit: number; used: number; remaining: number } | undefined;
  concurrency: { limit: number; inUse: number } | undefined;
}

function toHealth(w: z.output<typeof wire>): Health {
  return {
    configId: w.config_id,
    state: w.state,
    since: w.since,
    breaker: w.breaker || "closed",
    readyAt: w.ready_at,
    failures: w.consecutive_failures,
    lastSuccessAt: w.last_success_at,
    lastError: w.last_error,
    rate: w.rate && { limit: w.rate.limit, used: w.rate.used, remaining: w.rate.remaining },
    concurrency: w.concurrency && { limit: w.concurrency.limit, inUse: w.concurrency.in_use },
  };
}

export const healthKeys = { all: ["health"] as const };

export const healthQuery = queryOptions({
  queryKey: healthKeys.all,
  queryFn: ({ signal }) => request(all(wire, toHealth), "api/admin/health", { signal }),
  refetchInterval: 10_000,
});
