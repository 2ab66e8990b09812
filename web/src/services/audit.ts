import { infiniteQueryOptions } from "@tanstack/react-query";
import { request, type Query } from "./http";
import { instant, page, text, z } from "./zod";

const snapshot = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? undefined);

const wire = z.object({
  id: z.string(),
  at: instant,
  actor: z.object({ type: text, id: text, name: text, role: text }),
  action: z.string(),
  object: z.object({ type: text, id: text, name: text }),
  before: snapshot,
  after: snapshot,
  request_id: text,
});

/** Who did what to which object. */
export interface AuditEntry {
  id: string;
  at: Date;
  actor: { type: string; id: string; name: string; role: string };
  action: string;
  object: { type: string; id: string; name: string };
  before: Record<string, unknown> | undefined;
  after: Record<string, unknown> | undefined;
  requestId: string;
}

function toEntry(w: z.output<typeof wire>): AuditEntry {
  return {
    id: w.id,
    at: w.at,
    actor: w.actor,
    action: w.action,
    object: w.object,
    before: w.before,
    after: w.after,
    requestId: w.request_id,
  };
}

export const auditKeys = { all: ["audit"] as const, list: (filter: Query) => ["audit", filter] as const };

export function auditQuery(filter: Query) {
  return infiniteQueryOptions({
    queryKey: auditKeys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      request(page(wire, toEntry), "api/admin/audit", { query: { ...filter, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
}
