import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { deliveryStates } from "./deliveries";
import { request } from "./http";
import { count, flag, instant, list, maybe, object, page, text, z } from "./zod";

const path = "api/admin/settings/notifications";

/** Where the deployment's notices go, and how that endpoint does. */
export interface Notifications {
  /** "" is nowhere. */
  url: string;
  /** False while the deployment's secret signs. */
  ownSecret: boolean;
  previousUntil: Date | undefined;
  /** Since when the endpoint gets no notices. */
  disabledAt: Date | undefined;
  version: number;
}

export const notificationsSchema = z
  .object({ url: text, own_secret: flag, previous_until: maybe(instant), disabled_at: maybe(instant), version: count })
  .transform((w): Notifications => ({ url: w.url, ownSecret: w.own_secret, previousUntil: w.previous_until, disabledAt: w.disabled_at, version: w.version }));

const noticeWire = z.object({
  id: z.string(),
  event: text,
  at: maybe(instant),
  data: object.catch({}),
  state: z.enum(deliveryStates).catch("pending"),
  tries: count,
  next_at: maybe(instant),
  done_at: maybe(instant),
  status: count,
  error: text,
  log: list(z.object({ at: instant, status: count, latency_ms: count, error: text })),
});

/** One notice to the operator's endpoint, and its tries. */
export interface Notice {
  id: string;
  event: string;
  at: Date | undefined;
  data: Record<string, unknown>;
  state: (typeof deliveryStates)[number];
  tries: number;
  status: number;
  error: string;
}

const toNotice = ({ id, event, at, data, state, tries, status, error }: z.output<typeof noticeWire>): Notice => ({ id, event, at, data, state, tries, status, error });

export const notificationKeys = { all: ["notifications"] as const, setting: ["notifications", "setting"] as const, list: ["notifications", "list"] as const };

export const notificationsQuery = queryOptions({
  queryKey: notificationKeys.setting,
  queryFn: ({ signal }) => request(notificationsSchema, path, { signal }),
});

export const noticesQuery = infiniteQueryOptions({
  queryKey: notificationKeys.list,
  queryFn: ({ pageParam, signal }) => request(page(noticeWire, toNotice), "api/admin/notifications", { query: { cursor: pageParam }, signal }),
  initialPageParam: "",
  getNextPageParam: (last) => last.next,
});

export const putNotifications = (url: string, version: number) => request(notificationsSchema, path, { method: "PUT", body: { url }, version });

/** Makes a new secret for the notices, told once. */
export const rotateNotificationSecret = () =>
  request(z.object({ secret: z.string() }).transform((w) => w.secret), `${path}/secret`, { method: "POST" });
