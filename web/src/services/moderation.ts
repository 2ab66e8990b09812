import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { z } from "./zod";

const path = "api/admin/settings/moderation";

/** The content filter as it is edited, by its names on the wire, and the version that an edit goes on from. */
export interface ContentFilter {
  filter: Record<string, unknown>;
  version: number;
}

const wire = z.looseObject({ version: z.number() }).transform(({ version, ...filter }): ContentFilter => ({ filter, version }));

export const moderationKeys = { all: ["moderation"] as const };

export const moderationQuery = queryOptions({
  queryKey: moderationKeys.all,
  queryFn: ({ signal }) => request(wire, path, { signal }),
});

export const putModeration = ({ filter, version }: ContentFilter) => request(wire, path, { method: "PUT", body: filter, version });
