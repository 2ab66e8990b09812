import { queryOptions } from "@tanstack/react-query";
import { command, request } from "./http";
import { all, count, flag, instant, list, maybe, object, text, z } from "./zod";

export const kinds = ["image", "video", "text"] as const;

/** What a generation produces. */
export type Kind = (typeof kinds)[number];

export const kindWire = z.enum(kinds);

/** The form of a config on the wire. */
export const configWire = z.object({
  id: z.string(),
  name: z.string(),
  kind: kindWire,
  provider: z.string(),
  priority: count,
  base_url: text,
  endpoint: text,
  model: text,
  max_retries: count,
  timeout_seconds: count,
  rate_per_minute: count,
  concurrency: count,
  weight: count,
  active: flag,
  default: flag,
  config_data: object,
  key_mask: text,
  simulated: flag,
  created_at: maybe(instant),
  updated_at: maybe(instant),
  version: z.number(),
});

/** What an operator sets of a config. */
export interface ConfigDraft {
  name: string;
  kind: Kind;
  provider: string;
  priority: number;
  baseUrl: string;
  endpoint: string;
  model: string;
  maxRetries: number;
  timeoutSeconds: number;
  ratePerMinute: number;
  concurrency: number;
  weight: number;
  active: boolean;
  default: boolean;
  data: Record<string, unknown>;
}

/** One configured provider API. */
export interface Config extends ConfigDraft {
  id: string;
  keyMask: string;
  simulated: boolean;
  createdAt: Date | undefined;
  updatedAt: Date | undefined;
  version: number;
}

export function toConfig(wire: z.output<typeof configWire>): Config {
  return {
    id: wire.id,
    name: wire.name,
    kind: wire.kind,
    provider: wire.provider,
    priority: wire.priority,
    baseUrl: wire.base_url,
    endpoint: wire.endpoint,
    model: wire.model,
    maxRetries: wire.max_retries,
    timeoutSeconds: wire.timeout_seconds,
    ratePerMinute: wire.rate_per_minute,
    concurrency: wire.concurrency,
    weight: wire.weight,
    active: wire.active,
    default: wire.default,
    data: wire.config_data,
    keyMask: wire.key_mask,
    simulated: wire.simulated,
    createdAt: wire.created_at,
    updatedAt: wire.updated_at,
    version: wire.version,
  };
}

/** The members of a draft by their names on the wire; those not given are left out. */
export function fromDraft(draft: Partial<ConfigDraft>): Record<string, unknown> {
  const wire: Record<string, unknown> = {
    name: draft.name,
    kind: draft.kind,
    provider: draft.provider,
    priority: draft.priority,
    base_url: draft.baseUrl,
    endpoint: draft.endpoint,
    model: draft.model,
    max_retries: draft.maxRetries,
    timeout_seconds: draft.timeoutSeconds,
    rate_per_minute: draft.ratePerMinute,
    concurrency: draft.concurrency,
    weight: draft.weight,
    active: draft.active,
    default: draft.default,
    config_data: draft.data,
  };
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined));
}

/** The part of a config that an operator sets. */
export function draftOf(config: Config): ConfigDraft {
  const { name, kind, provider, priority, baseUrl, endpoint, model, maxRetries, timeoutSeconds } = config;
  const { ratePerMinute, concurrency, weight, active, default: isDefault, data } = config;
  return {
    name, kind, provider, priority, baseUrl, endpoint, model, maxRetries, timeoutSeconds,
    ratePerMinute, concurrency, weight, active, default: isDefault, data,
  };
}

const testWire = z.object({
  ok: z.boolean(),
  mode: z.string(),
  status: count,
  latency_ms: count,
  class: text,
  message: text,
  detail: text,
  request_id: text,
  model: text,
  cost_micro_usd: count,
  outputs: list(z.object({ url: z.string(), content_type: text, bytes: count, width: count, height: count })),
  text,
  models: list(z.string()),
});

/** What a test call to a provider came to. */
export interface TestResult {
  ok: boolean;
  mode: string;
  status: number;
  latencyMs: number;
  class: string;
  message: string;
  detail: string;
  requestId: string;
  model: string;
  costMicroUsd: number;
  outputs: { url: string; contentType: string; bytes: number; width: number; height: number }[];
  text: string;
  models: string[];
}

function toTestResult(wire: z.output<typeof testWire>): TestResult {
  return {
    ok: wire.ok,
    mode: wire.mode,
    status: wire.status,
    latencyMs: wire.latency_ms,
    class: wire.class,
    message: wire.message,
    detail: wire.detail,
    requestId: wire.request_id,
    model: wire.model,
    costMicroUsd: wire.cost_micro_usd,
    outputs: wire.outputs.map((o) => ({
      url: o.url, contentType: o.content_type, bytes: o.bytes, width: o.width, height: o.height,
    })),
    text: wire.text,
    models: wire.models,
  };
}

/** How to test a config: the cheapest authenticated call, or one real result. */
export interface TestInput {
  mode: "probe" | "generate";
  prompt?: string;
}

const one = configWire.transform(toConfig);
const path = (id: string, rest = "") => `api/admin/configs/${encodeURIComponent(id)}${rest}`;

export const configKeys = { all: ["configs"] as const };

export const configsQuery = queryOptions({
  queryKey: configKeys.all,
  queryFn: ({ signal }) => request(all(configWire, toConfig), "api/admin/configs", { signal }),
  staleTime: 10_000,
});

export const createConfig = (draft: ConfigDraft, key: string, once: string) =>
  request(one, "api/admin/configs", { method: "POST", body: { ...fromDraft(draft), ...(key && { key }) }, once });

export const patchConfig = (id: string, change: Partial<ConfigDraft>, version: number) =>
  request(one, path(id), { method: "PATCH", body: fromDraft(change), version });

export const deleteConfig = (id: string, version: number) => command(path(id), { method: "DELETE", version });

export const reorderConfigs = (kind: Kind, ids: string[]) =>
  request(all(configWire, toConfig), "api/admin/configs/reorder", { method: "POST", body: { kind, ids } });

export const duplicateConfig = (id: string, name: string, once: string) =>
  request(one, path(id, "/duplicate"), { method: "POST", body: { name }, once });

export const putKey = (id: string, key: string) => request(one, path(id, "/key"), { method: "PUT", body: { key } });

export const deleteKey = (id: string) => request(one, path(id, "/key"), { method: "DELETE" });

/** Closes the config's breakers, once what was wrong is mended. */
export const resetConfig = (id: string) => command(path(id, "/reset"), { method: "POST" });

export const revealKey = (id: string) =>
  request(z.object({ key: z.string() }), path(id, "/reveal"), { method: "POST" }).then((answer) => answer.key);

export const testConfig = (id: string, input: TestInput, signal?: AbortSignal) =>
  request(testWire.transform(toTestResult), path(id, "/test"), { method: "POST", body: input, signal });

/** Tests a config that is not saved; with id and no key, the stored key of that config is used. */
export const testDraft = (draft: ConfigDraft, key: string, id: string | undefined, input: TestInput, signal?: AbortSignal) =>
  request(testWire.transform(toTestResult), "api/admin/configs/test", {
    method: "POST",
    body: { ...input, config: fromDraft(draft), ...(key && { key }), ...(id && { id }) },
    signal,
  });
