import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { moderations } from "./keys";
import { choice, count, list, text, z } from "./zod";

const path = "api/admin/settings/moderation";

/** The content filter as it is edited, by its names on the wire, and the version that an edit goes on from. */
export interface ContentFilter {
  filter: Record<string, unknown>;
  version: number;
}

/** The filter as the server answers with it. */
export const moderationSchema = z.looseObject({ version: z.number() }).transform(({ version, ...filter }): ContentFilter => ({ filter, version }));

const least = ["default", "strict"] as const;

const factsWire = z.looseObject({
  max_characters: count,
  scripts: list(z.string()),
  policy: choice(moderations),
  rules: list(z.looseObject({ id: text, words: list(z.string()), patterns: list(z.string()), policy: choice(least) })),
  remote: z
    .looseObject({ policy: choice(least), config: text, on_error: choice(["allow", "refuse"]), timeout_ms: count })
    .nullish(),
});

/** What the form of the filter shows. */
export interface FilterFacts {
  maxCharacters: number;
  scripts: string[];
  policy: (typeof moderations)[number];
  /** Undefined while no service is asked. */
  remote: { policy: "default" | "strict"; config: string; onError: "allow" | "refuse"; timeoutMs: number } | undefined;
}

/** Reads the wire form of a filter that is being edited; undefined while it is none. */
export function filterOf(wire: Record<string, unknown>): FilterFacts | undefined {
  const read = factsWire.safeParse(wire);
  if (!read.success) return undefined;
  const { max_characters, scripts, policy, remote } = read.data;
  const asked = remote && (remote.policy !== undefined || remote.config !== "");
  return {
    maxCharacters: max_characters,
    scripts,
    policy: policy ?? "default",
    remote: asked ? { policy: remote.policy ?? "default", config: remote.config, onError: remote.on_error ?? "allow", timeoutMs: remote.timeout_ms } : undefined,
  };
}

export const moderationKeys = { all: ["moderation"] as const };

export const moderationQuery = queryOptions({
  queryKey: moderationKeys.all,
  queryFn: ({ signal }) => request(moderationSchema, path, { signal }),
});

export const putModeration = ({ filter, version }: ContentFilter) => request(moderationSchema, path, { method: "PUT", body: filter, version });
