import { request } from "./http";
import { list, text, z } from "./zod";

/** An export is kept as it came: the server that reads it again decides what it means. */
export const documentSchema = z
  .looseObject({ format: z.string(), version: z.number() })
  .refine((document) => document.format.startsWith("easel"), "is not an export of Easel");

export type ExportDocument = z.output<typeof documentSchema>;

const snapshot = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? undefined);

const planWire = z.object({
  dry_run: z.boolean(),
  changes: list(
    z.object({
      type: z.string(),
      id: text,
      name: text,
      action: z.enum(["create", "update", "delete", "unchanged"]),
      before: snapshot,
      after: snapshot,
    }),
  ),
  warnings: list(z.object({ name: z.string(), message: z.string() })),
});

/** What an import would do, or did. */
export interface ImportPlan {
  dryRun: boolean;
  changes: {
    type: string;
    id: string;
    name: string;
    action: "create" | "update" | "delete" | "unchanged";
    before: Record<string, unknown> | undefined;
    after: Record<string, unknown> | undefined;
  }[];
  warnings: { name: string; message: string }[];
}

export const exportDocument = () => request(documentSchema, "api/admin/export");

export const importDocument = (document: ExportDocument, prune: boolean, dryRun: boolean) =>
  request(
    planWire.transform((w): ImportPlan => ({ dryRun: w.dry_run, changes: w.changes, warnings: w.warnings })),
    "api/admin/import",
    { method: "POST", query: { dry_run: dryRun || undefined }, body: { document, prune } },
  );
