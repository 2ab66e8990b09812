import { queryOptions } from "@tanstack/react-query";
import { kindWire, type Kind } from "./configs";
import { request } from "./http";
import { all, flag, list, text, z } from "./zod";

const wire = z.object({
  name: z.string(),
  title: text,
  kinds: list(kindWire),
  base_url: text,
  jobs: flag,
  webhooks: flag,
  signed_webhooks: flag,
  cancels: flag,
  features: list(z.string()),
});

/** A wire protocol that a config can speak. */
export interface Provider {
  name: string;
  title: string;
  kinds: Kind[];
  baseUrl: string;
  jobs: boolean;
  webhooks: boolean;
  cancels: boolean;
  features: string[];
}

function toProvider(w: z.output<typeof wire>): Provider {
  return {
    name: w.name,
    title: w.title || w.name,
    kinds: w.kinds,
    baseUrl: w.base_url,
    jobs: w.jobs,
    webhooks: w.webhooks,
    cancels: w.cancels,
    features: w.features,
  };
}

export const providersQuery = queryOptions({
  queryKey: ["providers"] as const,
  queryFn: ({ signal }) => request(all(wire, toProvider), "api/admin/providers", { signal }),
  staleTime: Infinity,
});
