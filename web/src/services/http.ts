import { reached, unreached } from "./connection";
import { BadAnswer, Offline, Problem } from "./problem";
import { currentToken, expire } from "./token";
import type { z } from "./zod";

/** Values of a query string; empty ones are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** The version of something that is edited. */
export type Version = number | "new" | "any";

/** One call to the server. */
export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  /** The version that is being edited, sent as If-Match; "new" sends If-None-Match, "any" overwrites whatever is there. */
  version?: Version;
  /** Sends an Idempotency-Key, so that a repeat of the call counts once. */
  once?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** The address of a path of the API: beside the console, or where the page's meta tag says. */
export function address(path: string, query: Query = {}): string {
  const beside = document.querySelector<HTMLMetaElement>('meta[name="easel-api"]')?.content;
  const url = new URL(path.replace(/^\//, ""), beside ? new URL(beside, document.baseURI) : document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.toString();
}

function headersOf(call: Call): Headers {
  const headers = new Headers(call.headers);
  const token = currentToken();
  if (token !== "" && !headers.has("Authorization")) headers.set("Authorization", `Bearer ${token}`);
  if (call.body !== undefined) headers.set("Content-Type", "application/json");
  if (call.version === "new") headers.set("If-None-Match", "*");
  else if (call.version === "any") headers.set("If-Match", "*");
  else if (call.version !== undefined) headers.set("If-Match", `"${call.version}"`);
  if (call.once !== undefined) headers.set("Idempotency-Key", call.once);
  return headers;
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Asks whether the server can be reached, and notes the answer. */
export async function ping(): Promise<boolean> {
  try {
    await fetch(address("healthz"), { cache: "no-store" });
    reached();
    return true;
  } catch {
    unreached(ping);
    return false;
  }
}

/**
 * Sends a call and returns the response once its status says success.
 * Throws Problem for a refusal, Offline when the server was not reached. A 401
 * ends the session, but for calls that bring their own Authorization.
 */
export async function send(path: string, call: Call = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address(path, call.query), {
      method: call.method ?? "GET",
      headers: headersOf(call),
      body: call.body === undefined ? null : JSON.stringify(call.body),
      cache: "no-store",
      credentials: "omit",
      signal: call.signal ?? null,
    });
  } catch (error) {
    if (call.signal?.aborted) throw error;
    unreached(ping);
    throw new Offline("the server could not be reached", { cause: error });
  }
  reached();
  if (response.ok) return response;
  const own = call.headers?.["Authorization"] !== undefined;
  if (response.status === 401 && !own) expire();
  throw new Problem(response.status, await bodyOf(response), response.headers.get("X-Request-Id") ?? undefined);
}

/** Sends a call and returns its answer in the app's form. Throws BadAnswer for one that breaks the contract. */
export async function request<S extends z.ZodType>(schema: S, path: string, call: Call = {}): Promise<z.output<S>> {
  return (await requestVersion(schema, path, call)).value;
}

/** Sends a call, and returns its answer together with the version that its ETag says; 0 without one. */
export async function requestVersion<S extends z.ZodType>(schema: S, path: string, call: Call = {}): Promise<{ value: z.output<S>; version: number }> {
  const response = await send(path, call);
  const version = Number(/^"(\d+)"$/.exec(response.headers.get("ETag") ?? "")?.[1] ?? 0);
  const read = schema.safeParse(await bodyOf(response));
  if (read.success) return { value: read.data, version };
  const issue = read.error.issues[0];
  throw new BadAnswer(`${call.method ?? "GET"} ${path}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
}

/** Sends a call whose answer has no content that matters. */
export async function command(path: string, call: Call): Promise<void> {
  await send(path, call);
}
