import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { flag, instant, list, maybe, text, z } from "./zod";

const wire = z.object({
  account: text,
  own: flag,
  secret: text,
  created_at: maybe(instant),
  previous_until: maybe(instant),
  endpoints: list(z.object({ endpoint: z.string(), failed: list(z.string()), last_failed_at: maybe(instant), disabled_at: maybe(instant) })),
});

/** Where an account takes the reports of its tasks, and what signs them. */
export interface Webhooks {
  account: string;
  /** False while the deployment's secret signs. */
  own: boolean;
  /** The new secret, told once by the call that made it; else "". */
  secret: string;
  createdAt: Date | undefined;
  /** How long the secrets before the newest sign too. */
  previousUntil: Date | undefined;
  /** Those that failed lately. */
  endpoints: { endpoint: string; failed: string[]; lastFailedAt: Date | undefined; disabledAt: Date | undefined }[];
}

const schema = wire.transform(
  (w): Webhooks => ({
    account: w.account,
    own: w.own,
    secret: w.secret,
    createdAt: w.created_at,
    previousUntil: w.previous_until,
    endpoints: w.endpoints.map((e) => ({ endpoint: e.endpoint, failed: e.failed, lastFailedAt: e.last_failed_at, disabledAt: e.disabled_at })),
  }),
);

const path = (account: string, rest = "") => `api/admin/accounts/${encodeURIComponent(account)}/webhooks${rest}`;

export const webhookKeys = { all: ["webhooks"] as const, of: (account: string) => ["webhooks", account] as const };

export function webhooksQuery(account: string) {
  return queryOptions({ queryKey: webhookKeys.of(account), queryFn: ({ signal }) => request(schema, path(account), { signal }) });
}

/** Makes a new secret; those before it sign for a while. */
export const rotateWebhookSecret = (account: string) => request(schema, path(account, "/rotate"), { method: "POST" });

/** Lets an endpoint have reports again. */
export const enableEndpoint = (account: string, endpoint: string) =>
  request(schema, path(account, "/enable"), { method: "POST", body: { endpoint } });
