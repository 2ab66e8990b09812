import { z } from "zod";

// Compiling schemas needs eval, which the page's Content-Security-Policy forbids; even the probe for it is reported.
z.config({ jitless: true });

/** An RFC 3339 time, as a Date. */
export const instant = z.string().transform((text, context) => {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) {
    context.addIssue({ code: "custom", message: "is not a time" });
    return z.NEVER;
  }
  return at;
});

/** A member that may be absent or null; the app sees undefined for both. */
export function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A text that may be absent; the app sees "". */
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

/** A whole or other number that may be absent; the app sees 0. */
export const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);

/** A switch that may be absent; the app sees false. */
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

/** One of several words that may be absent or ""; the app sees undefined for both. */
export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z
    .enum(words)
    .or(z.literal(""))
    .nullish()
    .transform((value) => (value === "" || value === null ? undefined : (value)));
}

/** A list that may be absent; the app sees an empty one. */
export function list<T extends z.ZodType>(schema: T) {
  return z
    .array(schema)
    .nullish()
    .transform((value) => value ?? []);
}

/** A JSON object of any content that may be absent; the app sees {}. */
export const object = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? {});

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next: string | undefined;
}

/** The wire form of a page, mapped item by item to the app's form. */
export function page<W extends z.ZodType, A>(wire: W, toApp: (item: z.output<W>) => A) {
  return z
    .object({ data: list(wire), next_cursor: z.string().nullish() })
    .transform((body): Page<A> => ({ items: body.data.map(toApp), next: body.next_cursor ?? undefined }));
}

/** The wire form of a whole list. */
export function all<W extends z.ZodType, A>(wire: W, toApp: (item: z.output<W>) => A) {
  return z.object({ data: list(wire) }).transform((body): A[] => body.data.map(toApp));
}

export { z };
