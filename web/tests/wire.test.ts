import { beforeEach, describe, expect, it, vi } from "vitest";
import { draftOf, fromDraft, toConfig, configWire } from "../src/services/configs";
import { put, without } from "../src/services/json";
import { connection } from "../src/services/connection";
import { request } from "../src/services/http";
import { factsOf, modelSchema, putModel } from "../src/services/models";
import { BadAnswer, Offline, Problem } from "../src/services/problem";
import { statsSchema } from "../src/services/stats";
import { currentToken, expired, setToken } from "../src/services/token";
import { all, page, z } from "../src/services/zod";

const answer = (status: number, body: unknown) => new Response(body === undefined ? null : JSON.stringify(body), { status });
const calls = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  calls.mockReset();
  vi.stubGlobal("fetch", calls);
  vi.stubGlobal("document", { querySelector: () => null, baseURI: "https://console.example/below/" });
  vi.stubGlobal("window", globalThis);
  setToken("");
});

describe("a call", () => {
  it("goes beside the console, with the token, the version and the body", async () => {
    setToken("esl_token");
    calls.mockResolvedValue(answer(200, { ok: true }));
    await request(z.object({ ok: z.boolean() }), "api/admin/x", { method: "PATCH", version: 3, body: { a: 1 }, query: { q: "é", none: undefined } });
    const [url, init] = calls.mock.calls[0] ?? [];
    expect(url).toBe("https://console.example/below/api/admin/x?q=%C3%A9");
    const headers = init?.headers as Headers;
    expect(headers.get("Authorization")).toBe("Bearer esl_token");
    expect(headers.get("If-Match")).toBe('"3"');
    expect(init?.body).toBe('{"a":1}');
  });

  it("turns a refusal into a problem with its fields", async () => {
    calls.mockResolvedValue(
      answer(400, { code: "invalid_input", detail: "name is required", request_id: "req_1", errors: [{ name: "name", message: "is required" }] }),
    );
    const error = await request(z.unknown(), "x").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ status: 400, code: "invalid_input", message: "name is required", requestId: "req_1", fields: [{ name: "name", message: "is required" }] });
  });

  it("reads the object as it is now out of a 412", () => {
    const problem = new Problem(412, { code: "stale_version", current: { id: "cfg_1" } });
    expect(problem.current(z.object({ id: z.string() }))).toEqual({ id: "cfg_1" });
    expect(problem.current(z.object({ id: z.number() }))).toBeUndefined();
  });

  it("understands a refusal without a body", () => {
    expect(new Problem(502, undefined).message).toBe("HTTP 502");
  });

  it("refuses an answer that breaks the contract", async () => {
    calls.mockResolvedValue(answer(200, { ok: "yes" }));
    await expect(request(z.object({ ok: z.boolean() }), "x")).rejects.toBeInstanceOf(BadAnswer);
  });

  it("ends the session on a 401, but not when it brought its own token", async () => {
    setToken("esl_old");
    calls.mockImplementation(() => Promise.resolve(answer(401, { code: "unauthenticated" })));
    await request(z.unknown(), "x", { headers: { Authorization: "Bearer other" } }).catch(() => undefined);
    expect(currentToken()).toBe("esl_old");
    await request(z.unknown(), "x").catch(() => undefined);
    expect(currentToken()).toBe("");
    expect(expired.get()).toBe(true);
  });

  it("says that the connection is lost, and that it is back", async () => {
    vi.useFakeTimers();
    calls.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    await expect(request(z.unknown(), "x")).rejects.toBeInstanceOf(Offline);
    expect(connection.get()).toBe("lost");
    calls.mockImplementation(() => Promise.resolve(answer(200, {})));
    await vi.advanceTimersByTimeAsync(3000);
    expect(connection.get()).toBe("ok");
    vi.useRealTimers();
  });
});

describe("lists", () => {
  const item = z.object({ n: z.number() });

  it("take an absent and a null cursor for the end", () => {
    const schema = page(item, (w) => w.n);
    expect(schema.parse({ data: [{ n: 1 }] })).toEqual({ items: [1], next: undefined });
    expect(schema.parse({ data: null, next_cursor: null })).toEqual({ items: [], next: undefined });
    expect(schema.parse({ data: [], next_cursor: "c" })).toEqual({ items: [], next: "c" });
  });

  it("map every item", () => {
    expect(all(item, (w) => w.n * 2).parse({ data: [{ n: 1 }, { n: 2 }] })).toEqual([2, 4]);
  });
});

describe("resources", () => {
  const config = {
    id: "cfg_1", name: "OpenAI", kind: "image", provider: "openai", priority: 10, base_url: "https://api.openai.com", endpoint: "", model: "m",
    max_retries: 2, timeout_seconds: 60, rate_per_minute: 0, concurrency: 0, weight: 100, active: true, default: false, config_data: { a: 1 }, version: 3,
  };

  it("a config goes out as it came in, without what is not the operator's", () => {
    const draft = fromDraft(draftOf(toConfig(configWire.parse(config))));
    const { id, version, ...own } = config;
    expect([id, version]).toEqual(["cfg_1", 3]);
    expect(draft).toEqual(own);
  });

  it("a partial change sends only what changed", () => {
    expect(fromDraft({ active: false })).toEqual({ active: false });
  });

  it("a model keeps the members that the console has no place for", async () => {
    const model = {
      name: "flux", kind: "image", upstreams: [{ provider: "fal", model: "x" }], aliases: [{ name: "f", retired: true, deprecated_at: "2026-01-01T00:00:00Z" }],
      price: { known: true, credits: 10, unit: "image", surcharge: 3 }, limits: { max_n: 4, max_wishes: 3 }, routing: { policy: "weighted", salt: "x" }, deadline_seconds: 90, configured: false,
      brand_new: { a: [1] }, version: 2, source: "edited",
    };
    calls.mockResolvedValue(answer(200, model));
    const { wire } = modelSchema.parse(model);
    await putModel("flux", put(put(wire, ["price", "credits"], 12), ["limits", "max_n"], undefined), 2);
    const sent = JSON.parse(calls.mock.calls[0]?.[1].body as string) as Record<string, unknown>;
    expect(sent).toEqual({ ...without(model, "version", "source"), price: { ...model.price, credits: 12 }, limits: { max_wishes: 3 } });
  });

  it("a model that is being edited is read as far as it can be", () => {
    expect(factsOf({ name: "", kind: "image", price: { known: true }, limits: {} })?.routing.policy).toBe("priority");
    expect(factsOf({ name: "x", kind: "image", price: "free" })).toBeUndefined();
  });

  it("statistics without traffic have neither rate nor latency", () => {
    const cell = { calls: 0, succeeded: 0, failed: 0, credits: 0, cost_micro_usd: 0, losses: 0, errors: [] };
    const stats = statsSchema.parse({ from: "2026-11-22T00:00:00Z", to: "2026-11-22T01:00:00Z", bucket: "minute", totals: cell, buckets: [] });
    expect(stats.totals.successRate).toBeUndefined();
    expect(stats.totals.latency).toBeUndefined();
    expect(stats.groups).toEqual([]);
  });
});
