import { queryOptions } from "@tanstack/react-query";
import { kindWire, type Kind } from "./configs";
import { command, request } from "./http";
import { all, count, flag, instant, list, maybe, object, text, z } from "./zod";

export const units = ["image", "video", "second", "request", "tokens"] as const;

export const modelWire = z.looseObject({
  name: z.string(),
  title: text,
  kind: kindWire,
  auto: flag,
  upstreams: list(z.object({ provider: z.string(), model: z.string(), endpoint: text, cost_micro_usd: count })),
  aliases: list(z.looseObject({ name: z.string(), retired: flag })),
  price: z.object({
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
  hidden: flag,
  version: count,
  source: z.enum(["builtin", "edited", "custom"]).catch("custom"),
});

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

/** One public model name. */
export interface Model {
  name: string;
  title: string;
  kind: Kind;
  auto: boolean;
  upstreams: Upstream[];
  aliases: { name: string; retired: boolean }[];
  price: Price;
  /** As on the wire: max_n, sizes, aspect_ratios, durations … */
  limits: Record<string, unknown>;
  retiresAt: Date | undefined;
  notice: string;
  monthlyPerUser: number;
  chargeModerated: boolean;
  hidden: boolean;
  version: number;
  source: "builtin" | "edited" | "custom";
  /** Further members as on the wire, such as routing and deadline_seconds, so that saving a model loses none. */
  more: Record<string, unknown>;
}

/** The members of a model that the console has a place for. */
const known = new Set(Object.keys(modelWire.shape));

export function toModel(w: z.output<typeof modelWire>): Model {
  return {
    name: w.name,
    title: w.title,
    kind: w.kind,
    auto: w.auto,
    upstreams: w.upstreams.map((u) => ({
      provider: u.provider, model: u.model, endpoint: u.endpoint, costMicroUsd: u.cost_micro_usd,
    })),
    aliases: w.aliases,
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
    hidden: w.hidden,
    version: w.version,
    source: w.source,
    more: Object.fromEntries(Object.entries(w).filter(([name]) => !known.has(name))),
  };
}

function fromModel(m: Model) {
  return {
    ...m.more,
    name: m.name,
    title: m.title,
    kind: m.kind,
    auto: m.auto,
    upstreams: m.upstreams.map((u) => ({
      provider: u.provider,
      model: u.model,
      ...(u.endpoint && { endpoint: u.endpoint }),
      ...(u.costMicroUsd > 0 && { cost_micro_usd: u.costMicroUsd }),
    })),
    aliases: m.aliases,
    price: {
      known: m.price.known,
      credits: m.price.credits,
      unit: m.price.unit,
      ...(Object.keys(m.price.percent).length > 0 && { percent: m.price.percent }),
      ...(m.price.defaultSeconds > 0 && { default_seconds: m.price.defaultSeconds }),
      ...(m.price.defaultTokens > 0 && { default_tokens: m.price.defaultTokens }),
    },
    limits: m.limits,
    ...(m.retiresAt && { retires_at: m.retiresAt.toISOString() }),
    notice: m.notice,
    monthly_per_user: m.monthlyPerUser,
    charge_moderated: m.chargeModerated,
    hidden: m.hidden,
  };
}

export const modelKeys = { all: ["models"] as const };

export const modelsQuery = queryOptions({
  queryKey: modelKeys.all,
  queryFn: ({ signal }) => request(all(modelWire, toModel), "api/admin/models", { signal }),
  staleTime: 10_000,
});

export const putModel = (model: Model, version: number | "new") =>
  request(modelWire.transform(toModel), `api/admin/models/${encodeURIComponent(model.name)}`, {
    method: "PUT",
    body: fromModel(model),
    version,
  });

export const deleteModel = (name: string, version: number) =>
  command(`api/admin/models/${encodeURIComponent(name)}`, { method: "DELETE", version });
