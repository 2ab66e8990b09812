import { queryOptions } from "@tanstack/react-query";
import { accountKeys } from "./accounts";
import { requestVersion, type Version } from "./http";
import { z } from "./zod";

/** What an account's requests mean where they leave something out: all of it, by its names on the wire. */
export interface Preferences {
  set: Record<string, unknown>;
  /** 0 when nobody wrote any. */
  version: number;
}

export const preferencesSchema = z.record(z.string(), z.unknown());
const path = (account: string) => `api/admin/accounts/${encodeURIComponent(account)}/preferences`;

const ask = async (account: string, call: Parameters<typeof requestVersion>[2]): Promise<Preferences> => {
  const { value, version } = await requestVersion(preferencesSchema, path(account), call);
  return { set: value, version };
};

export function preferencesQuery(account: string) {
  return queryOptions({
    queryKey: [...accountKeys.one(account), "preferences"] as const,
    queryFn: ({ signal }) => ask(account, { signal }),
  });
}

export const putPreferences = (account: string, set: Record<string, unknown>, version: Version) => ask(account, { method: "PUT", body: set, version });
