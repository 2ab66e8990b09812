import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { entryWire, toEntry, type Entry } from "./accounts";
import { attemptWire, consumptionWire, toAttempt, toConsumption, type Attempt, type Consumption } from "./attempts";
import { deliveryWire, toDelivery, type Delivery } from "./deliveries";
import { request, type Query } from "./http";
import { count, flag, instant, list, maybe, object, page, text, z } from "./zod";

export const taskStatuses = ["queued", "processing", "succeeded", "failed", "canceled", "expired"] as const;

/** A task's state as callers see it. */
export type TaskStatus = (typeof taskStatuses)[number];

/** Whether a task in this status has ended. */
export const isTerminal = (status: TaskStatus) => status !== "queued" && status !== "processing";

const outputWire = z.object({
  url: z.string(),
  content_type: text,
  bytes: count,
  width: count,
  height: count,
  duration_seconds: count,
  sha256: text,
});

/** One produced file. */
export interface Output {
  url: string;
  contentType: string;
  bytes: number;
  width: number;
  height: number;
  durationSeconds: number;
  sha256: string;
}

function toOutput(w: z.output<typeof outputWire>): Output {
  return {
    url: w.url,
    contentType: w.content_type,
    bytes: w.bytes,
    width: w.width,
    height: w.height,
    durationSeconds: w.duration_seconds,
    sha256: w.sha256,
  };
}

/** The form of a task on the wire; the caller's form and the operator's differ by members that may be absent. */
export const taskWire = z.object({
  id: z.string(),
  kind: z.string(),
  model: text,
  status: z.enum(taskStatuses),
  progress: count,
  prompt: text,
  created_at: instant,
  started_at: maybe(instant),
  finished_at: maybe(instant),
  updated_at: maybe(instant),
  expires_at: maybe(instant),
  outputs: list(outputWire),
  text,
  credits: z.object({ reserved: count, charged: count }).nullish(),
  error: maybe(z.object({ code: text, message: text })),
  metadata: object,
  api_config_id: text,
  response_time_ms: count,
  attempts: list(attemptWire),
  account: text,
  key_id: text,
  user: text,
  loss: flag,
  usage: consumptionWire,
});

/** One generation that a caller asked for. */
export interface Task {
  id: string;
  kind: string;
  model: string;
  status: TaskStatus;
  progress: number;
  prompt: string;
  createdAt: Date;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
  expiresAt: Date | undefined;
  outputs: Output[];
  text: string;
  reserved: number;
  charged: number;
  error: { code: string; message: string } | undefined;
  metadata: Record<string, unknown>;
  configId: string;
  responseTimeMs: number;
  attempts: Attempt[];
  account: string;
  keyId: string;
  user: string;
  loss: boolean;
  usage: Consumption;
}

export function toTask(w: z.output<typeof taskWire>): Task {
  return {
    id: w.id,
    kind: w.kind,
    model: w.model,
    status: w.status,
    progress: w.progress,
    prompt: w.prompt,
    createdAt: w.created_at,
    startedAt: w.started_at,
    finishedAt: w.finished_at,
    expiresAt: w.expires_at,
    outputs: w.outputs.map(toOutput),
    text: w.text,
    reserved: w.credits?.reserved ?? 0,
    charged: w.credits?.charged ?? 0,
    error: w.error,
    metadata: w.metadata,
    configId: w.api_config_id,
    responseTimeMs: w.response_time_ms,
    attempts: w.attempts.map(toAttempt),
    account: w.account,
    keyId: w.key_id,
    user: w.user,
    loss: w.loss,
    usage: toConsumption(w.usage),
  };
}

const detailWire = taskWire.extend({
  request: object,
  price: count,
  price_lines: list(z.object({ what: text, quantity: count, credits: count })),
  ledger: list(entryWire),
  callback_url: text,
  delivery: maybe(deliveryWire),
  request_id: text,
  due_at: maybe(instant),
  lease: maybe(z.object({ owner: text, until: maybe(instant) })),
  late_until: maybe(instant),
  version: count,
  retry_of: text,
});

/** A task with everything an operator may know. */
export interface TaskDetail extends Task {
  request: Record<string, unknown>;
  price: number;
  priceLines: { what: string; quantity: number; credits: number }[];
  ledger: Entry[];
  callbackUrl: string;
  delivery: Delivery | undefined;
  requestId: string;
  lateUntil: Date | undefined;
  version: number;
  retryOf: string;
}

function toDetail(w: z.output<typeof detailWire>): TaskDetail {
  return {
    ...toTask(w),
    request: w.request,
    price: w.price,
    priceLines: w.price_lines,
    ledger: w.ledger.map(toEntry),
    callbackUrl: w.callback_url,
    delivery: w.delivery && toDelivery(w.delivery),
    requestId: w.request_id,
    lateUntil: w.late_until,
    version: w.version,
    retryOf: w.retry_of,
  };
}

const detail = detailWire.transform(toDetail);
const path = (id: string, rest = "") => `api/admin/tasks/${encodeURIComponent(id)}${rest}`;

export const taskKeys = {
  all: ["tasks"] as const,
  list: (filter: Query) => ["tasks", "list", filter] as const,
  one: (id: string) => ["tasks", "one", id] as const,
};

export function tasksQuery(filter: Query) {
  return infiniteQueryOptions({
    queryKey: taskKeys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      request(page(taskWire, toTask), "api/admin/tasks", { query: { ...filter, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
}

export function taskQuery(id: string) {
  return queryOptions({
    queryKey: taskKeys.one(id),
    queryFn: ({ signal }) => request(detail, path(id), { signal }),
  });
}

export const cancelTask = (id: string) => request(detail, path(id, "/cancel"), { method: "POST" });

export const retryTask = (id: string, once: string) => request(detail, path(id, "/retry"), { method: "POST", once });
