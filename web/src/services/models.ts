import { queryOptions } from "@tanstack/react-query";
import { kindWire, type Kind } from "./configs";
import { command, request, type Version } from "./http";
import { without } from "./json";
import { all, choice, count, flag, instant, list, maybe, object, text, z } from "./zod";

export const units = ["image", "video", "second", "request", "tokens"] as const;

export const policies = ["priority", "weighted", "latency", "cost", "split"] as const;

/** The order in which the configs that serve a model are tried. */
export type Policy = (typeof policies)[number];

const routingWire = z
  .looseObject({
    policy: choice(policies),
    arms: list(z.looseObject({ config: text, percent: count })),
    sticky: flag,
  })
  .nullish();

/** The members of a model that the console knows; others come along. */
export const modelWire = z.looseObject({
  name: z.string(),
  title: text,
  kind: kindWire,
  auto: flag,
  configured: flag,
  upstreams: list(z.looseObject({ provider: text, model: text, endpoint: text, cost_micro_usd: count })),
  aliases: list(z.looseObject({ name: text, retired: flag })),
  price: z.looseObject({
    known: flag,
    credits: count,
    unit: text,
    percent: z.record(z.string(), z.record(z.string(), z.number())).nullish(),
    default_seconds: count,
    default_tokens: count,
  }),
  limits: object,
  retires_at: maybe(instant),
  notice: text,
  monthly_per_user: count,
  charge_moderated: flag,
  deadline_seconds: count,
  routing: routingWire,
  hidden: flag,
});

const storedWire = z.looseObject({
  version: count,
  source: z.enum(["builtin", "edited", "custom"]).catch("custom"),
});

/** What the server says of a model besides the model itself, and does not take back. */
const storedMembers = ["version", "source"];

/** One provider's name for a model. */
export interface Upstream {
  provider: string;
  model: string;
  endpoint: string;
  costMicroUsd: number;
}

/** What a model costs in credits. */
export interface Price {
  known: boolean;
  credits: number;
  unit: string;
  percent: Record<string, Record<string, number>>;
  defaultSeconds: number;
  defaultTokens: number;
}

/** How a model's tasks are spread over configs; without a policy by priority. */
export interface Routing {
  policy: Policy;
  arms: { config: string; percent: number }[];
  sticky: boolean;
}

/** One public model name, as far as the console knows it. */
export interface ModelFacts {
  name: string;
  title: string;
  kind: Kind;
  auto: boolean;
  /** Only configs whose data names the model serve it. */
  configured: boolean;
  upstreams: Upstream[];
  aliases: { name: string; retired: boolean }[];
  price: Price;
  /** As on the wire: max_n, sizes, aspect_ratios, durations … */
  limits: Record<string, unknown>;
  retiresAt: Date | undefined;
  notice: string;
  monthlyPerUser: number;
  chargeModerated: boolean;
  /** 0 is the kind's usual time. */
  deadlineSeconds: number;
  routing: Routing;
  hidden: boolean;
}

/** A model of the server. */
export interface Model extends ModelFacts {
  version: number;
  source: "builtin" | "edited" | "custom";
  /** All of it as on the wire. It is what is edited, so that saving a model loses nothing that the console does not know. */
  wire: Record<string, unknown>;
}

function toFacts(w: z.output<typeof modelWire>): ModelFacts {
  return {
    name: w.name,
    title: w.title,
    kind: w.kind,
    auto: w.auto,
    configured: w.configured,
    upstreams: w.upstreams.map((u) => ({
      provider: u.provider, model: u.model, endpoint: u.endpoint, costMicroUsd: u.cost_micro_usd,
    })),
    aliases: w.aliases.map(({ name, retired }) => ({ name, retired })),
    price: {
      known: w.price.known,
      credits: w.price.credits,
      unit: w.price.unit,
      percent: w.price.percent ?? {},
      defaultSeconds: w.price.default_seconds,
      defaultTokens: w.price.default_tokens,
    },
    limits: w.limits,
    retiresAt: w.retires_at,
    notice: w.notice,
    monthlyPerUser: w.monthly_per_user,
    chargeModerated: w.charge_moderated,
    deadlineSeconds: w.deadline_seconds,
    routing: { policy: w.routing?.policy ?? "priority", arms: w.routing?.arms ?? [], sticky: w.routing?.sticky ?? false },
    hidden: w.hidden,
  };
}

/** Reads the wire form of a model that is being edited; undefined while it is none. */
export function factsOf(wire: Record<string, unknown>): ModelFacts | undefined {
  const read = modelWire.safeParse(wire);
  return read.success ? toFacts(read.data) : undefined;
}

/** A model of the server, with all of its wire form. */
export const modelSchema = z.record(z.string(), z.unknown()).transform((body, context): Model => {
  const model = modelWire.safeParse(body);
  const stored = storedWire.safeParse(body);
  if (!model.success || !stored.success) {
    for (const issue of [...(model.error?.issues ?? []), ...(stored.error?.issues ?? [])]) {
      context.addIssue({ code: "custom", message: issue.message, path: issue.path });
    }
    return z.NEVER;
  }
  return { ...toFacts(model.data), version: stored.data.version, source: stored.data.source, wire: without(body, ...storedMembers) };
});

export const modelKeys = { all: ["models"] as const };

export const modelsQuery = queryOptions({
  queryKey: modelKeys.all,
  queryFn: ({ signal }) => request(all(modelSchema, (model) => model), "api/admin/models", { signal }),
  staleTime: 10_000,
});

/** Writes a model in its wire form. */
export const putModel = (name: string, wire: Record<string, unknown>, version: Version) =>
  request(modelSchema, `api/admin/models/${encodeURIComponent(name)}`, { method: "PUT", body: wire, version });

export const deleteModel = (name: string, version: number) =>
  command(`api/admin/models/${encodeURIComponent(name)}`, { method: "DELETE", version });
