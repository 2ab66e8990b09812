import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { count, instant, list, maybe, text, z } from "./zod";

export const windows = ["1h", "6h", "24h", "7d", "30d", "90d"] as const;
export const groupings = ["provider", "config", "model", "arm", "account", "kind"] as const;

/** How far back the statistics look. */
export type Window = (typeof windows)[number];

/** What the statistics are broken down by. */
export type Grouping = (typeof groupings)[number];

const cellShape = {
  calls: count,
  succeeded: count,
  failed: count,
  success_rate: maybe(z.number()),
  latency: maybe(z.object({ mean_ms: count, p50_ms: count, p95_ms: count })),
  credits: count,
  cost_micro_usd: count,
  losses: count,
  errors: list(z.object({ class: z.string(), count })),
};
const cellWire = z.object(cellShape);
const bucketWire = z.object({ at: instant, ...cellShape });

const statsWire = z.object({
  from: instant,
  to: instant,
  bucket: z.enum(["minute", "hour", "day"]),
  totals: cellWire,
  previous: maybe(cellWire),
  buckets: list(bucketWire),
  groups: list(z.object({ key: z.string(), label: text, ...cellShape, buckets: list(bucketWire) })),
});

/** The numbers of one stretch of time. */
export interface Cell {
  calls: number;
  succeeded: number;
  failed: number;
  /** 0 to 1; undefined when nothing ended. */
  successRate: number | undefined;
  /** Undefined when nothing succeeded. */
  latency: { meanMs: number; p50Ms: number; p95Ms: number } | undefined;
  credits: number;
  costMicroUsd: number;
  losses: number;
  errors: { class: string; count: number }[];
}

/** A cell and when it begins. */
export interface Bucket extends Cell {
  at: Date;
}

/** The numbers of one provider, config, model, account or kind. */
export interface Group extends Cell {
  key: string;
  label: string;
  buckets: Bucket[];
}

/** Statistics over a window. */
export interface Stats {
  from: Date;
  to: Date;
  bucket: "minute" | "hour" | "day";
  totals: Cell;
  previous: Cell | undefined;
  buckets: Bucket[];
  groups: Group[];
}

function toCell(w: z.output<typeof cellWire>): Cell {
  return {
    calls: w.calls,
    succeeded: w.succeeded,
    failed: w.failed,
    successRate: w.success_rate,
    latency: w.latency && { meanMs: w.latency.mean_ms, p50Ms: w.latency.p50_ms, p95Ms: w.latency.p95_ms },
    credits: w.credits,
    costMicroUsd: w.cost_micro_usd,
    losses: w.losses,
    errors: w.errors,
  };
}

const toBucket = (w: z.output<typeof bucketWire>): Bucket => ({ at: w.at, ...toCell(w) });

export function toStats(w: z.output<typeof statsWire>): Stats {
  return {
    from: w.from,
    to: w.to,
    bucket: w.bucket,
    totals: toCell(w.totals),
    previous: w.previous && toCell(w.previous),
    buckets: w.buckets.map(toBucket),
    groups: w.groups.map((g) => ({ key: g.key, label: g.label || g.key, ...toCell(g), buckets: g.buckets.map(toBucket) })),
  };
}

export const statsSchema = statsWire.transform(toStats);

/** What statistics to ask for. */
export interface StatsFilter {
  window: Window;
  by?: Grouping;
  kind?: string | undefined;
  config?: string | undefined;
}

export const statsKeys = { all: ["stats"] as const, of: (filter: StatsFilter) => ["stats", filter] as const };

export function statsQuery(filter: StatsFilter) {
  return queryOptions({
    queryKey: statsKeys.of(filter),
    queryFn: ({ signal }) => request(statsSchema, "api/admin/stats", { query: { ...filter }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
}
