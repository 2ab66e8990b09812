import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { modelKeys } from "./models";
import { count, instant, list, maybe, text, z } from "./zod";

export const problems = ["missing", "retiring", "ended"] as const;

/** A model that needs an operator. */
export interface Finding {
  problem: (typeof problems)[number];
  model: string;
  upstream: string;
  config: string;
  configName: string;
  provider: string;
  retiresAt: Date | undefined;
  since: Date | undefined;
}

/** What the daily check of models found, as it stands now. */
export interface Findings {
  /** Undefined before the first check. */
  checkedAt: Date | undefined;
  /** How many configs were compared. */
  configs: number;
  findings: Finding[];
  /** Configs that could not be asked, and why. */
  skipped: { config: string; configName: string; provider: string; reason: string }[];
}

const wire = z.object({
  checked_at: maybe(instant),
  configs: count,
  data: list(
    z.object({
      problem: z.enum(problems).catch("missing"),
      model: text,
      upstream: text,
      config: text,
      config_name: text,
      provider: text,
      retires_at: maybe(instant),
      since: maybe(instant),
    }),
  ),
  skipped: list(z.object({ config: text, config_name: text, provider: text, reason: text })),
});

export const findingsQuery = queryOptions({
  queryKey: [...modelKeys.all, "findings"] as const,
  queryFn: ({ signal }) =>
    request(
      wire.transform(
        (w): Findings => ({
          checkedAt: w.checked_at,
          configs: w.configs,
          findings: w.data.map((f) => ({
            problem: f.problem,
            model: f.model,
            upstream: f.upstream,
            config: f.config,
            configName: f.config_name,
            provider: f.provider,
            retiresAt: f.retires_at,
            since: f.since,
          })),
          skipped: w.skipped.map((s) => ({ config: s.config, configName: s.config_name, provider: s.provider, reason: s.reason })),
        }),
      ),
      "api/admin/models/findings",
      { signal },
    ),
  staleTime: 60_000,
});
