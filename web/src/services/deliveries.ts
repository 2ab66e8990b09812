import { infiniteQueryOptions } from "@tanstack/react-query";
import { request, type Query } from "./http";
import { count, instant, list, maybe, page, text, z } from "./zod";

export const deliveryStates = ["pending", "delivered", "failed"] as const;

export const deliveryWire = z.object({
  task: text,
  account: text,
  url: text,
  endpoint: text,
  disabled_at: maybe(instant),
  event: text,
  state: z.enum(deliveryStates).catch("pending"),
  tries: count,
  next_at: maybe(instant),
  done_at: maybe(instant),
  status: count,
  error: text,
  created_at: maybe(instant),
  log: list(z.object({ at: instant, status: count, latency_ms: count, error: text })),
});

/** The report of a task's end to its caller's callback URL. */
export interface Delivery {
  task: string;
  account: string;
  url: string;
  /** Host and path of the URL. */
  endpoint: string;
  /** Since when the endpoint gets no reports. */
  disabledAt: Date | undefined;
  event: string;
  state: (typeof deliveryStates)[number];
  tries: number;
  nextAt: Date | undefined;
  doneAt: Date | undefined;
  status: number;
  error: string;
  createdAt: Date | undefined;
  log: { at: Date; status: number; latencyMs: number; error: string }[];
}

export function toDelivery(w: z.output<typeof deliveryWire>): Delivery {
  return {
    task: w.task,
    account: w.account,
    url: w.url,
    endpoint: w.endpoint,
    disabledAt: w.disabled_at,
    event: w.event,
    state: w.state,
    tries: w.tries,
    nextAt: w.next_at,
    doneAt: w.done_at,
    status: w.status,
    error: w.error,
    createdAt: w.created_at,
    log: w.log.map((l) => ({ at: l.at, status: l.status, latencyMs: l.latency_ms, error: l.error })),
  };
}

export const deliveryKeys = { all: ["deliveries"] as const, list: (filter: Query) => ["deliveries", filter] as const };

export function deliveriesQuery(filter: Query) {
  return infiniteQueryOptions({
    queryKey: deliveryKeys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      request(page(deliveryWire, toDelivery), "api/admin/deliveries", { query: { ...filter, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    refetchInterval: 15_000,
  });
}

export const redeliver = (task: string) =>
  request(deliveryWire.transform(toDelivery), `api/admin/deliveries/${encodeURIComponent(task)}/redeliver`, { method: "POST" });
