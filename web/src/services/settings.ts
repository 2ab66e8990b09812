import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { count, flag, instant, maybe, text, z } from "./zod";

const wire = z.object({
  version: text,
  commit: text,
  local: flag,
  region: text,
  started_at: maybe(instant),
  public_url: text,
  asset_origin: text,
  data: text,
  retention_days: count,
  reveal_keys: flag,
  oidc_issuer: text,
  go_version: text,
});

/** Facts about the deployment. */
export interface Deployment {
  version: string;
  commit: string;
  local: boolean;
  region: string;
  startedAt: Date | undefined;
  publicUrl: string;
  assetOrigin: string;
  data: string;
  retentionDays: number;
  revealKeys: boolean;
  oidcIssuer: string;
  goVersion: string;
}

export const deploymentQuery = queryOptions({
  queryKey: ["settings"] as const,
  queryFn: ({ signal }) =>
    request(
      wire.transform(
        (w): Deployment => ({
          version: w.version,
          commit: w.commit,
          local: w.local,
          region: w.region,
          startedAt: w.started_at,
          publicUrl: w.public_url,
          assetOrigin: w.asset_origin,
          data: w.data,
          retentionDays: w.retention_days,
          revealKeys: w.reveal_keys,
          oidcIssuer: w.oidc_issuer,
          goVersion: w.go_version,
        }),
      ),
      "api/admin/settings",
      { signal },
    ),
  staleTime: 60_000,
});
