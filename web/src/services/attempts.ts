import { count, instant, maybe, text, z } from "./zod";

export const outcomes = ["started", "rejected", "accepted", "unknown", "succeeded", "failed", "abandoned"] as const;

/** What became of an attempt. */
export type Outcome = (typeof outcomes)[number];

export const consumptionWire = z
  .object({ images: count, seconds: count, input_tokens: count, output_tokens: count, cost_micro_usd: count })
  .nullish();

/** What providers say that was consumed. */
export interface Consumption {
  images: number;
  seconds: number;
  inputTokens: number;
  outputTokens: number;
  costMicroUsd: number;
}

export function toConsumption(w: z.output<typeof consumptionWire>): Consumption {
  return {
    images: w?.images ?? 0,
    seconds: w?.seconds ?? 0,
    inputTokens: w?.input_tokens ?? 0,
    outputTokens: w?.output_tokens ?? 0,
    costMicroUsd: w?.cost_micro_usd ?? 0,
  };
}

export const attemptWire = z.object({
  no: z.number(),
  id: text,
  config: text,
  config_name: text,
  provider: text,
  model: text,
  outcome: z.enum(outcomes).catch("unknown"),
  class: text,
  message: text,
  detail: text,
  status: count,
  request_id: text,
  job: text,
  polls: count,
  started_at: maybe(instant),
  ended_at: maybe(instant),
  latency_ms: count,
  usage: consumptionWire,
});

/** One submission of a task to one config. */
export interface Attempt {
  no: number;
  id: string;
  config: string;
  configName: string;
  provider: string;
  model: string;
  outcome: Outcome;
  class: string;
  message: string;
  detail: string;
  status: number;
  requestId: string;
  job: string;
  polls: number;
  startedAt: Date | undefined;
  endedAt: Date | undefined;
  latencyMs: number;
  usage: Consumption;
}

export function toAttempt(w: z.output<typeof attemptWire>): Attempt {
  return {
    no: w.no,
    id: w.id,
    config: w.config,
    configName: w.config_name || w.config,
    provider: w.provider,
    model: w.model,
    outcome: w.outcome,
    class: w.class,
    message: w.message,
    detail: w.detail,
    status: w.status,
    requestId: w.request_id,
    job: w.job,
    polls: w.polls,
    startedAt: w.started_at,
    endedAt: w.ended_at,
    latencyMs: w.latency_ms,
    usage: toConsumption(w.usage),
  };
}

/** Whether the provider may still be working on the attempt. */
export const isOpen = (attempt: Attempt) => ["started", "accepted", "unknown"].includes(attempt.outcome);
