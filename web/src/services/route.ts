import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";
import { count, list, text, z } from "./zod";

const wire = z.object({
  model: text,
  policy: text,
  configs: list(z.object({ config: z.string(), name: text, place: count, model: text, reason: text })),
});

/** Which configs would be tried for a request, in which order, and why; place 0 is not at all. */
export interface Route {
  policy: string;
  steps: { config: string; name: string; place: number; model: string; reason: string }[];
}

export function routeQuery(kind: string, model: string) {
  return queryOptions({
    queryKey: ["route", kind, model] as const,
    queryFn: ({ signal }) =>
      request(
        wire.transform((w): Route => ({ policy: w.policy, steps: w.configs })),
        "api/admin/route",
        { method: "POST", body: { kind, model }, signal },
      ),
    staleTime: 5_000,
    retry: false,
  });
}
