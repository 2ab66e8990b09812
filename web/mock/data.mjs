// Plausible data for developing the console without the gateway. Everything is made up.

let seed = 42;
/** A number in [0, 1) that is the same in every run. */
export function random() {
  seed = (seed * 1664525 + 1013904223) % 4294967296;
  return seed / 4294967296;
}

export const pick = (list) => list[Math.floor(random() * list.length)];
const between = (low, high) => low + random() * (high - low);
let counter = 0;
export const id = (prefix) => `${prefix}_0192${(++counter).toString(16).padStart(4, "0")}7c3e8f1ab2d4`;
export const ago = (ms) => new Date(Date.now() - ms).toISOString();

export const providers = [
  ["openai", "OpenAI", ["image", "text"], "https://api.openai.com"],
  ["stability", "Stability AI", ["image"], "https://api.stability.ai"],
  ["replicate", "Replicate", ["image", "video"], "https://api.replicate.com"],
  ["runway", "Runway", ["video"], "https://api.dev.runwayml.com"],
  ["fal", "fal", ["image", "video"], "https://queue.fal.run"],
  ["gemini", "Gemini", ["image", "text"], "https://generativelanguage.googleapis.com"],
  ["cloudflare", "Cloudflare AI Gateway", ["image", "text"], ""],
  ["custom", "Custom API", ["image", "video", "text"], ""],
].map(([name, title, kinds, base_url]) => ({
  name, title, kinds, base_url,
  jobs: name === "replicate" || name === "runway" || name === "fal",
  webhooks: name === "replicate" || name === "fal", signed_webhooks: true, cancels: true, features: ["seed", "aspect_ratio"],
}));

function config(n, name, kind, provider, model, more = {}) {
  const base = providers.find((p) => p.name === provider)?.base_url;
  return {
    id: `cfg_${n}`, name, kind, provider, priority: n * 10, base_url: base || "https://api.example.com", endpoint: "", model,
    max_retries: 2, timeout_seconds: kind === "video" ? 300 : 120, rate_per_minute: 0, concurrency: 0, weight: 100, active: true,
    default: false, config_data: {}, key_mask: "…" + "x9Qz4kTe".slice(n % 4, (n % 4) + 4), simulated: true,
    created_at: ago(86400e3 * 30), updated_at: ago(3600e3 * n), version: 1 + (n % 4), ...more,
  };
}

export const configs = [
  config(1, "OpenAI images", "image", "openai", "gpt-image-2", { default: true, rate_per_minute: 120, concurrency: 20 }),
  config(2, "Stability core", "image", "stability", "stable-image-core", { rate_per_minute: 150 }),
  config(3, "Replicate FLUX", "image", "replicate", "black-forest-labs/flux-dev", { concurrency: 40 }),
  config(4, "Gemini image", "image", "gemini", "gemini-nano-banana-2.1", { active: false }),
  config(5, "House diffusion", "image", "custom", "sdxl-house", { simulated: false, key_mask: "", config_data: { submit: { path: "/v1/draw" } } }),
  config(6, "Runway", "video", "runway", "gen4.5", { concurrency: 5 }),
  config(7, "Pika on fal", "video", "fal", "fal-ai/pika/v2.2/text-to-video"),
  config(8, "Gemini flash", "text", "gemini", "gemini-3.8-flash", { rate_per_minute: 600 }),
  config(9, "OpenAI chat", "text", "openai", "gpt-5.5"),
];

export const health = (c) => {
  const states = { cfg_3: "cooling", cfg_7: "degraded", cfg_5: "unknown", cfg_9: "down" };
  const state = c.active ? (states[c.id] ?? "healthy") : "inactive";
  const bad = state === "cooling" || state === "degraded" || state === "down";
  return {
    config_id: c.id, state, since: ago(bad ? 4 * 60e3 : 86400e3 * 3), breaker: state === "down" ? "open" : "closed",
    ...(state === "cooling" && { ready_at: new Date(Date.now() + 26e3).toISOString() }),
    consecutive_failures: bad ? 3 : 0, last_success_at: ago(bad ? 9 * 60e3 : 12e3),
    ...(bad && {
      last_error: {
        class: state === "cooling" ? "rate_limited" : state === "down" ? "auth" : "unavailable",
        message: "the provider is limiting requests",
        detail: state === "down" ? "Incorrect API key provided: [redacted]." : "Request was throttled. Expected available in 26 seconds.",
        status: state === "down" ? 401 : 429, at: ago(4 * 60e3),
      },
    }),
    ...(c.rate_per_minute > 0 && { rate: { limit: c.rate_per_minute, used: 31, remaining: c.rate_per_minute - 31, resets_at: ago(-30e3) } }),
    ...(c.concurrency > 0 && { concurrency: { limit: c.concurrency, in_use: 3 } }),
  };
};

const limits = { max_n: 4, sizes: ["1024x1024", "1536x1024", "1024x1536"], aspect_ratios: ["1:1", "16:9", "9:16"], max_prompt: 4000 };
const model = (name, title, kind, credits, unit, more = {}) => ({
  name, title, kind, upstreams: [], aliases: [], price: { known: true, credits, unit }, limits: kind === "image" ? limits : {}, version: 0, source: "builtin", ...more,
});

export const models = [
  model("auto", "Best available image", "image", 10, "image", { auto: true }),
  model("flux-dev", "FLUX.1 [dev]", "image", 10, "image", {
    upstreams: [{ provider: "replicate", model: "black-forest-labs/flux-dev", cost_micro_usd: 25000 }, { provider: "fal", model: "fal-ai/flux/dev", cost_micro_usd: 25000 }],
    aliases: [{ name: "flux" }],
  }),
  model("gpt-image", "GPT Image", "image", 20, "image", {
    upstreams: [{ provider: "openai", model: "gpt-image-2", cost_micro_usd: 40000 }], aliases: [{ name: "dall-e-3", retired: true }],
    price: { known: true, credits: 20, unit: "image", percent: { quality: { low: 50, high: 400 } } }, source: "edited", version: 3,
  }),
  model("stable-core", "Stable Image Core", "image", 8, "image", { upstreams: [{ provider: "stability", model: "stable-image-core", cost_micro_usd: 30000 }] }),
  model("house-xl", "", "image", 0, "image", { price: { known: false, credits: 0, unit: "image" }, upstreams: [{ provider: "custom", model: "sdxl-house" }], source: "custom", version: 1, hidden: true }),
  model("auto-video", "Best available video", "video", 80, "video", { auto: true }),
  model("runway-gen4.5", "Runway Gen-4.5", "video", 25, "second", { upstreams: [{ provider: "runway", model: "gen4.5", cost_micro_usd: 120000 }], limits: { durations: [5, 10] } }),
  model("pika", "Pika 2.2", "video", 60, "video", { upstreams: [{ provider: "fal", model: "fal-ai/pika/v2.2/text-to-video", cost_micro_usd: 200000 }], retires_at: ago(-86400e3 * 40) }),
  model("auto-text", "Best available text", "text", 1, "tokens", { auto: true }),
  model("gemini-flash", "Gemini Flash", "text", 1, "tokens", { upstreams: [{ provider: "gemini", model: "gemini-3.8-flash" }] }),
];

export const accounts = [
  ["demo", "Demo account", 1000, 0], ["studio-north", "Studio North", 50000, 20000], ["u_48213", "", 300, 0], ["u_50991", "", 300, 100],
  ["paintbox", "Paintbox GmbH", 120000, 0], ["acme:prod", "Acme production", 250000, 100000],
].map(([accountId, name, granted, monthly_quota]) => {
  const spent = Math.round(granted * between(0.1, 0.8));
  const reserved = Math.round(granted * 0.01);
  return {
    id: accountId, name, balance: { granted, spent, reserved, available: granted - spent - reserved }, monthly_quota,
    charged_this_month: Math.round(spent * 0.3), created_at: ago(86400e3 * 60), version: 1,
  };
});

export const keys = [
  ["console", "demo", ["admin", "generate", "act_as"], {}],
  ["studio backend", "studio-north", ["generate"], { rate_per_minute: 300, allow_ips: ["203.0.113.0/24"] }],
  ["platform", "acme:prod", ["act_as"], { previous_until: ago(-3600e3 * 20) }],
  ["dashboards", "demo", ["viewer"], { expires_at: ago(-86400e3 * 80) }],
  ["old laptop", "demo", ["generate"], { revoked_at: ago(86400e3 * 9), status: "revoked" }],
].map(([name, account, scopes, more], i) => {
  const keyId = `K${i}bCdEfGhIjK${i}`.slice(0, 12);
  return {
    id: keyId, name, mask: `esl_${keyId}_…`, account, scopes, rate_per_minute: 0, concurrency: 0, allow_ips: [], created_at: ago(86400e3 * (40 - i)),
    last_used_at: ago(60e3 * (i + 1) ** 3), status: "active", version: 1, ...more,
  };
});

export const prompts = [
  "A lighthouse at dusk, oil on canvas", "Isometric cutaway of a tiny bakery, soft morning light", "Portrait of a red fox in a tweed jacket, studio lighting",
  "Paper-cut mountains under a huge moon", "A glass greenhouse floating above the clouds", "Vintage travel poster of a quiet harbour town",
  "Macro photograph of dew on a spider web", "A robot watering sunflowers, watercolour", "Art deco theatre entrance at night, neon rain",
  "Low-poly island with a single crooked palm", "Still life with pears and a blue teapot", "An astronaut reading in a hammock between two birches",
];

const faults = [
  ["rate_limited", "rejected", "Request was throttled. Expected available in 26 seconds.", 429],
  ["unavailable", "rejected", "The server is overloaded or not ready yet.", 503],
  ["job_failed", "failed", "Prediction failed: CUDA out of memory.", 200],
  ["timeout", "unknown", "", 0],
];

export function attempt(no, c, startedAt, outcome, fault) {
  const latency = Math.round(outcome === "succeeded" ? between(1800, 9000) : between(60, 900));
  return {
    no, id: id("att"), config: c.id, config_name: c.name, provider: c.provider, model: c.model, outcome,
    ...(fault && { class: fault[0], message: "the provider is limiting requests", detail: fault[2], ...(fault[3] && { status: fault[3] }) }),
    started_at: new Date(startedAt).toISOString(), ended_at: new Date(startedAt + latency).toISOString(), latency_ms: latency,
    request_id: `req_${Math.floor(random() * 1e9).toString(36)}`,
    ...(c.provider === "replicate" && { job: "rmw3k0vzxhrma0cny7", polls: 3 }),
    usage: outcome === "succeeded" ? { images: 1, cost_micro_usd: Math.round(between(20000, 60000)) } : {},
  };
}

/** A finished task of the past. */
export function pastTask(msAgo) {
  const kind = random() < 0.72 ? "image" : random() < 0.5 ? "video" : "text";
  const m = pick(models.filter((x) => x.kind === kind && !x.hidden));
  const route = configs.filter((c) => c.kind === kind && c.active);
  const created = Date.now() - msAgo;
  const attempts = [];
  let at = created + 40;
  const failures = random() < 0.2 ? 1 : random() < 0.08 ? 2 : 0;
  for (let i = 0; i < failures; i++) {
    const fault = pick(faults);
    attempts.push(attempt(i + 1, route[i % route.length], at, fault[1], fault));
    at += attempts.at(-1).latency_ms + 30;
  }
  const moderated = random() < 0.05;
  const ok = !moderated && random() > 0.06;
  if (ok) attempts.push(attempt(attempts.length + 1, pick(route), at, "succeeded"));
  else attempts.push(attempt(attempts.length + 1, route.at(-1), at, "rejected", moderated ? ["moderated", "rejected", "Your request was rejected by our safety system.", 400] : faults[1]));
  const finished = at + attempts.at(-1).latency_ms;
  const status = ok ? "succeeded" : random() < 0.1 ? "expired" : "failed";
  const price = m.price.credits * (m.price.unit === "second" ? 5 : 1);
  const taskId = id("task");
  const prompt = pick(prompts);
  const callback = random() < 0.3;
  const t = {
    id: taskId, object: "task", kind, model: m.name, status, progress: ok ? 1 : 0, prompt, account: pick(accounts).id, key_id: pick(keys).id,
    created_at: new Date(created).toISOString(), started_at: new Date(created + 40).toISOString(), finished_at: new Date(finished).toISOString(),
    updated_at: new Date(finished).toISOString(), expires_at: new Date(created + 360e3).toISOString(),
    outputs: ok && kind !== "text" ? [output(taskId, kind)] : [], credits: { reserved: 0, charged: ok ? price : 0 },
    error: ok ? null : { code: moderated ? "content_rejected" : "provider_failed", message: moderated ? "the request was refused by a content policy" : "every provider failed: rate_limited, unavailable", attempts: attempts.length },
    metadata: random() < 0.4 ? { order: "A-" + Math.floor(random() * 9999) } : {}, api_config_id: attempts.at(-1).config, response_time_ms: finished - created, attempts,
    usage: { cost_micro_usd: attempts.reduce((sum, a) => sum + (a.usage.cost_micro_usd ?? 0), 0), images: ok ? 1 : 0 }, loss: !ok && random() < 0.1,
    ...(kind === "text" && ok && { text: "The lamp turns, the harbour answers; dusk folds the water into blue." }),
    request: { kind, model: m.name, prompt, size: "1024x1024", seed: 1234 }, price, price_lines: [{ what: m.price.unit, quantity: 1, credits: price }],
    request_id: id("req"), version: 4 + attempts.length,
    callback_url: callback ? "https://hooks.studio-north.example/easel" : "",
  };
  t.ledger = [
    { id: `${taskId}#hold`, account: t.account, reason: "hold", task: taskId, delta: { granted: 0, available: -price, reserved: price, spent: 0 }, at: t.created_at },
    { id: `${taskId}#end`, account: t.account, reason: ok ? "settle" : "release", task: taskId, delta: { granted: 0, available: ok ? 0 : price, reserved: -price, spent: ok ? price : 0 }, at: t.finished_at },
  ];
  if (callback) {
    const good = random() > 0.3;
    t.delivery = {
      task: taskId, account: t.account, url: t.callback_url, event: `task.${status}`, state: good ? "delivered" : "failed", tries: good ? 1 : 6, status: good ? 204 : 500,
      ...(good ? { done_at: t.finished_at } : { error: "the endpoint answered 500" }), created_at: t.finished_at,
      log: [{ at: t.finished_at, status: good ? 204 : 500, latency_ms: 84, ...(good ? {} : { error: "the endpoint answered 500" }) }],
    };
  }
  return t;
}

export const output = (taskId, kind) => ({
  url: `/mock/picture/${taskId}.svg`, content_type: "image/svg+xml", bytes: 184_320, width: 1024, height: kind === "video" ? 576 : 1024,
  sha256: "9f2c".padEnd(64, "a1"), ...(kind === "video" && { duration_seconds: 5 }),
});

/** A picture that looks different for each name. */
export function picture(name) {
  let h = 0;
  for (const ch of name) h = (h * 31 + ch.charCodeAt(0)) >>> 0;
  const hue = h % 360;
  const hill = (base, amp, phase) => `M0 ${base} ${Array.from({ length: 9 }, (_, i) => `L${i * 64} ${base - amp * Math.sin(i * 1.1 + phase + (h % 7))}`).join(" ")} L512 512 L0 512 Z`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512"><defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="hsl(${hue} 60% 38%)"/><stop offset="1" stop-color="hsl(${(hue + 50) % 360} 75% 76%)"/></linearGradient></defs><rect width="512" height="512" fill="url(#s)"/><circle cx="${120 + (h % 260)}" cy="${110 + (h % 90)}" r="${34 + (h % 30)}" fill="hsl(${(hue + 60) % 360} 90% 88%)"/><path d="${hill(330, 40, 0)}" fill="hsl(${(hue + 20) % 360} 35% 42%)"/><path d="${hill(400, 30, 2)}" fill="hsl(${(hue + 10) % 360} 40% 28%)"/><path d="${hill(455, 18, 4)}" fill="hsl(${hue} 45% 16%)"/></svg>`;
}

/** Statistics of a window, shaped like a working week. */
export function stats(window, by) {
  const seconds = { "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800, "30d": 2592000, "90d": 7776000 }[window] ?? 86400;
  const bucket = seconds <= 7200 ? "minute" : seconds <= 604800 ? "hour" : "day";
  const step = { minute: 60, hour: 3600, day: 86400 }[bucket];
  const n = Math.min(200, Math.round(seconds / step));
  const end = Math.floor(Date.now() / 1000 / step) * step;
  seed = 7;
  const cell = (calls, share = 1) => {
    const failed = Math.round(calls * 0.05 * share * (0.5 + random()));
    const p50 = 3100 + 900 * random();
    return {
      calls, succeeded: calls - failed, failed, ...(calls > 0 && { success_rate: (calls - failed) / calls }),
      ...(calls > failed && { latency: { mean_ms: p50 * 1.3, p50_ms: p50, p95_ms: p50 * (2.2 + random()) } }),
      credits: calls * 12, cost_micro_usd: Math.round(calls * 31000 * (0.9 + 0.2 * random())), losses: 0,
      errors: [{ class: "rate_limited", count: failed }],
    };
  };
  const at = (i) => new Date((end - (n - 1 - i) * step) * 1000).toISOString();
  const volume = (i) => Math.round((step / 60) * (2 + 1.6 * Math.sin((i / n) * Math.PI * (n > 100 ? 14 : 3)) + random()));
  const buckets = Array.from({ length: n }, (_, i) => ({ at: at(i), ...cell(volume(i)) }));
  const sum = (list) => {
    const calls = list.reduce((s, b) => s + b.calls, 0);
    const failed = list.reduce((s, b) => s + b.failed, 0);
    return {
      calls, failed, succeeded: calls - failed, success_rate: (calls - failed) / calls, latency: { mean_ms: 4480, p50_ms: 3512, p95_ms: 9240 },
      credits: calls * 12, cost_micro_usd: list.reduce((s, b) => s + b.cost_micro_usd, 0), losses: 2,
      errors: [["rate_limited", 0.46], ["unavailable", 0.27], ["timeout", 0.12], ["moderated", 0.1], ["job_failed", 0.05]].map(([name, share]) => ({ class: name, count: Math.ceil(failed * share) })),
    };
  };
  const names = {
    provider: ["openai", "replicate", "stability", "gemini", "runway", "fal"], config: configs.slice(0, 6).map((c) => c.name),
    model: ["auto", "flux-dev", "gpt-image", "runway-gen4.5", "gemini-flash"], account: accounts.map((a) => a.id), kind: ["image", "video", "text"],
  }[by] ?? [];
  const groups = names.map((key, g) => {
    const share = [0.38, 0.24, 0.16, 0.12, 0.06, 0.04][g];
    const own = buckets.map((b) => ({ at: b.at, ...cell(Math.round(b.calls * share), 1 + g * 0.5) }));
    return { key, label: key, ...sum(own), buckets: own };
  });
  const totals = sum(buckets);
  const previous = { ...totals, calls: Math.round(totals.calls * 0.88), credits: Math.round(totals.credits * 0.9), cost_micro_usd: Math.round(totals.cost_micro_usd * 0.94), success_rate: totals.success_rate - 0.012, latency: { mean_ms: 4700, p50_ms: 3710, p95_ms: 8900 }, losses: 3 };
  return { from: at(0), to: new Date().toISOString(), bucket, totals, previous, buckets, by, groups };
}
