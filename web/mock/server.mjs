// A stand-in for the gateway while the console is developed: `npm run mock`, then
// http://127.0.0.1:8788/#key=esl_mockadmin000_0123456789abcdef0123456789abcdef.
// It keeps the contract of docs/admin-api.md in memory and serves dist with the real policy.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import * as data from "./data.mjs";

const port = Number(process.env.MOCK_PORT ?? 8788);
const pace = Number(process.env.MOCK_PACE_MS ?? 700);
const dist = new URL("../dist/", import.meta.url).pathname;
const adminKey = process.env.EASEL_ADMIN_KEY ?? "esl_mockadmin000_0123456789abcdef0123456789abcdef";
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const { configs, models, accounts, keys, providers } = data;
const tasks = Array.from({ length: 90 }, (_, i) => data.pastTask(60e3 + i * i * 9e3 + data.random() * 60e3));
const audit = [];
const faults = {};
const faultNames = ["rate_limited", "unavailable", "auth", "out_of_credit", "moderated", "hang", "reset_after_accept", "lost_webhook", "duplicate_webhook", "late_success", "job_fails", "server_error", "truncated", "slow_body"];
const streams = new Map();

class Refusal extends Error {
  constructor(status, code, detail, more = {}) {
    super(detail);
    this.status = status;
    this.body = { type: "about:blank", title: code, status, detail, code, request_id: data.id("req"), ...more };
  }
}
const invalid = (name, message) => new Refusal(400, "invalid_input", `${name} ${message}`, { errors: [{ name, message }] });
const find = (list, key, name = "id") => {
  const found = list.find((item) => item[name] === key);
  if (!found) throw new Refusal(404, "not_found", `there is no ${key}`);
  return found;
};
function note(action, object, before, after) {
  audit.unshift({
    id: data.id("aud"), at: new Date().toISOString(), actor: { type: "key", id: "mockadmin000", name: "console", role: "admin" },
    action, object, ...(before && { before }), ...(after && { after }), request_id: data.id("req"),
  });
}
const about = (c) => ({ type: "config", id: c.id, name: c.name });
note("config.update", about(configs[2]), { concurrency: 20 }, { concurrency: 40 });
note("key.create", { type: "key", id: keys[1].id, name: keys[1].name }, undefined, { name: keys[1].name, scopes: keys[1].scopes });
note("account.grant", { type: "account", id: "paintbox", name: "" }, undefined, { amount: 20000, note: "invoice 2026-118" });
note("config.key", about(configs[0]), { key_mask: "…a1b2" }, { key_mask: configs[0].key_mask });
note("config.reorder", { type: "config", id: "image", name: "image" }, { ids: ["cfg_2", "cfg_1"] }, { ids: ["cfg_1", "cfg_2"] });
audit.forEach((entry, i) => (entry.at = data.ago(i * i * 3600e3 + 240e3)));

const sorted = () => [...configs].sort((a, b) => ["image", "video", "text"].indexOf(a.kind) - ["image", "video", "text"].indexOf(b.kind) || a.priority - b.priority);
function checkVersion(request, object) {
  const match = request.headers["if-match"];
  if (!match) throw invalid("If-Match", "is required");
  if (match !== "*" && match !== `"${object.version}"`) throw new Refusal(412, "stale_version", "it was changed meanwhile", { current: object });
}
function checkConfig(body) {
  const errors = [];
  const check = (ok, name, message) => ok || errors.push({ name, message });
  check(body.name && body.name.length <= 100, "name", "must have 1 to 100 bytes");
  check(body.timeout_seconds >= 10 && body.timeout_seconds <= 300, "timeout_seconds", "must be 10 to 300");
  check(body.max_retries >= 0 && body.max_retries <= 10, "max_retries", "must be 0 to 10");
  check(/^https?:\/\/[^/]/.test(body.base_url ?? ""), "base_url", "must be an absolute http or https URL without user, query or fragment");
  if (errors.length) throw new Refusal(400, "invalid_input", errors.map((e) => `${e.name} ${e.message}`).join("; "), { errors });
}
function saveConfig(config, change, action = "config.update") {
  const before = { ...config };
  Object.assign(config, change, { version: config.version + 1, updated_at: new Date().toISOString() });
  if (change.default) for (const other of configs) if (other !== config && other.kind === config.kind) other.default = false;
  note(action, about(config), before, { ...config });
  return config;
}
function paged(list, query) {
  const from = Number(query.get("cursor") || 0);
  const limit = Number(query.get("limit") || 50);
  const next = from + limit < list.length ? String(from + limit) : undefined;
  return { data: list.slice(from, from + limit), ...(next && { next_cursor: next }) };
}
const matches = (query, names) => (item) => names.every(([name, of]) => !query.get(name) || of(item) === query.get(name));
const record = (t) => ({
  id: t.id, account: t.account, key_id: t.key_id, kind: t.kind, model: t.model, config: t.attempts.at(-1)?.config, provider: t.attempts.at(-1)?.provider,
  status: t.status, error_code: t.error?.code, credits: t.credits.charged, usage: t.usage, latency_ms: t.response_time_ms, attempts: t.attempts, loss: t.loss,
  request_id: t.request_id, created_at: t.created_at, finished_at: t.finished_at,
});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function takeFault(provider) {
  const fault = faults[provider];
  if (!fault) return undefined;
  if (fault.times > 0 && --fault.times === 0) delete faults[provider];
  return fault.fault;
}
function tell(task) {
  task.version++;
  for (const send of streams.get(task.id) ?? []) send(task);
}
async function live(task) {
  const route = sorted().filter((c) => c.kind === task.kind && c.active);
  await sleep(pace / 2);
  Object.assign(task, { status: "processing", started_at: new Date().toISOString() });
  for (const c of route) {
    const entry = { ...data.attempt(task.attempts.length + 1, c, Date.now(), "started"), ended_at: undefined, latency_ms: 0 };
    task.attempts.push(entry);
    tell(task);
    const fault = takeFault(c.provider);
    await sleep(fault ? pace : pace * 3);
    const ends = { ended_at: new Date().toISOString(), latency_ms: fault ? pace : pace * 3 };
    if (!fault) {
      Object.assign(entry, ends, { outcome: "succeeded", usage: { images: 1, cost_micro_usd: 40000 } });
      Object.assign(task, { status: "succeeded", progress: 1, outputs: [data.output(task.id, task.kind)], credits: { reserved: 0, charged: task.price }, api_config_id: c.id, usage: entry.usage });
      break;
    }
    Object.assign(entry, ends, { outcome: fault === "job_fails" ? "failed" : "rejected", class: fault === "job_fails" ? "job_failed" : fault, message: "the provider is unavailable", detail: "simulated" });
    tell(task);
    if (fault === "moderated") break;
  }
  if (task.status !== "succeeded") Object.assign(task, { status: "failed", credits: { reserved: 0, charged: 0 }, error: { code: "provider_failed", message: "every provider failed", attempts: task.attempts.length } });
  task.finished_at = new Date().toISOString();
  task.response_time_ms = Date.parse(task.finished_at) - Date.parse(task.created_at);
  tell(task);
}
function newTask(body, kind) {
  const m = models.find((x) => x.name === body.model) ?? models[0];
  const task = {
    ...data.pastTask(0), kind: kind ?? m.kind, model: m.name, status: "queued", progress: 0, prompt: body.prompt, account: "demo", key_id: "mockadmin000", outputs: [], text: undefined,
    error: null, attempts: [], started_at: undefined, finished_at: undefined, response_time_ms: undefined, credits: { reserved: m.price.credits, charged: 0 },
    created_at: new Date().toISOString(), request: body, price: m.price.credits, price_lines: [{ what: m.price.unit, quantity: 1, credits: m.price.credits }], callback_url: "", delivery: undefined, usage: {}, loss: false,
  };
  tasks.unshift(task);
  return task;
}

const routes = [
  ["GET", "/api/admin/login", () => ({ version: "0.1.0", local: true })],
  ["GET", "/api/admin/session", ({ role }) => ({
    role, subject: `key_${role}`, name: role === "admin" ? "console" : "dashboards", key_id: "mockadmin000", account: "demo", scopes: ["admin", "generate"], local: true, version: "0.1.0",
    features: { reveal_keys: true, simulator: true, generate: role === "admin" },
  })],
  ["GET", "/api/admin/providers", () => ({ data: providers })],
  ["GET", "/api/admin/configs", () => ({ data: sorted() })],
  ["POST", "/api/admin/configs", ({ body }) => {
    const { key, ...input } = body;
    checkConfig(input);
    const made = { ...input, id: data.id("cfg"), key_mask: key ? `…${key.slice(-4)}` : "", simulated: true, created_at: new Date().toISOString(), updated_at: new Date().toISOString(), version: 1 };
    configs.push(made);
    note("config.create", about(made), undefined, made);
    return [201, made];
  }],
  ["POST", "/api/admin/configs/reorder", ({ body }) => {
    const own = configs.filter((c) => c.kind === body.kind);
    if (own.length !== body.ids.length || own.some((c) => !body.ids.includes(c.id))) throw new Refusal(409, "conflict", "the configs of the kind have changed; read them again");
    const before = sorted().filter((c) => c.kind === body.kind).map((c) => c.id);
    body.ids.forEach((cid, i) => (find(configs, cid).priority = (i + 1) * 10));
    note("config.reorder", { type: "config", id: body.kind, name: body.kind }, { ids: before }, { ids: body.ids });
    return { data: sorted().filter((c) => c.kind === body.kind) };
  }],
  ["POST", "/api/admin/configs/test", async ({ body }) => {
    checkConfig(body.config);
    await sleep(pace);
    return probe({ ...body.config, id: "draft" }, body);
  }],
  ["GET", "/api/admin/configs/:id", ({ id }) => find(configs, id)],
  ["PUT", "/api/admin/configs/:id", ({ id, body, request }) => { checkVersion(request, find(configs, id)); checkConfig(body); return saveConfig(find(configs, id), body); }],
  ["PATCH", "/api/admin/configs/:id", ({ id, body, request }) => { checkVersion(request, find(configs, id)); return saveConfig(find(configs, id), body); }],
  ["DELETE", "/api/admin/configs/:id", ({ id, request }) => {
    const c = find(configs, id);
    checkVersion(request, c);
    if (id === "cfg_1") throw new Refusal(409, "conflict", "3 unfinished tasks use this config; disable it and wait for them", { tasks: 3 });
    configs.splice(configs.indexOf(c), 1);
    note("config.delete", about(c), c);
    return [204];
  }],
  ["POST", "/api/admin/configs/:id/duplicate", ({ id, body }) => {
    const made = { ...find(configs, id), id: data.id("cfg"), name: body.name, active: false, default: false, version: 1, priority: 990 };
    configs.push(made);
    note("config.duplicate", about(made), undefined, made);
    return [201, made];
  }],
  ["PUT", "/api/admin/configs/:id/key", ({ id, body }) => saveConfig(find(configs, id), { key_mask: `…${body.key.slice(-4)}` }, "config.key")],
  ["DELETE", "/api/admin/configs/:id/key", ({ id }) => saveConfig(find(configs, id), { key_mask: "" }, "config.key")],
  ["POST", "/api/admin/configs/:id/reveal", ({ id }) => { note("config.reveal", about(find(configs, id))); return { key: "sk-mock-only-0000" }; }],
  ["POST", "/api/admin/configs/:id/test", async ({ id, body }) => { await sleep(pace); note("config.test", about(find(configs, id))); return probe(find(configs, id), body); }],
  ["POST", "/api/admin/configs/:id/reset", () => [204]],
  ["POST", "/api/admin/route", ({ body }) => {
    const own = sorted().filter((c) => c.kind === body.kind);
    const active = own.filter((c) => c.active);
    return { model: body.model, kind: body.kind, policy: "priority", configs: own.map((c) => ({ config: c.id, name: c.name, place: active.indexOf(c) + 1, model: c.model, reason: c.active ? `priority ${c.priority}` : "is not active" })) };
  }],
  ["GET", "/api/admin/settings/moderation", () => filter],
  ["PUT", "/api/admin/settings/moderation", ({ body }) => (filter = { ...body, version: filter.version + 1 })],
  ["GET", "/api/admin/health", () => ({ data: sorted().map(data.health) })],
  ["GET", "/api/admin/stats", ({ query }) => data.stats(query.get("window") ?? "24h", query.get("by"))],
  ["GET", "/api/admin/usage", ({ query }) => paged(tasks.filter((t) => t.finished_at).map(record).filter(matches(query, [["status", (r) => r.status], ["kind", (r) => r.kind], ["model", (r) => r.model], ["provider", (r) => r.provider], ["config", (r) => r.config], ["account", (r) => r.account]])), query)],
  ["GET", "/api/admin/usage/:id", ({ id }) => ({ ...record(find(tasks, id)), request: find(tasks, id).request, error: find(tasks, id).error })],
  ["GET", "/api/admin/tasks", ({ query }) => paged(tasks.filter((t) => (query.get("q") ? t.id === query.get("q") : matches(query, [["status", (x) => x.status], ["kind", (x) => x.kind], ["model", (x) => x.model], ["account", (x) => x.account]])(t))), query)],
  ["GET", "/api/admin/tasks/:id", ({ id }) => find(tasks, id)],
  ["POST", "/api/admin/tasks/:id/cancel", ({ id }) => Object.assign(find(tasks, id), { status: "canceled", finished_at: new Date().toISOString() })],
  ["POST", "/api/admin/tasks/:id/retry", ({ id }) => { const t = newTask(find(tasks, id).request, find(tasks, id).kind); t.retry_of = id; void live(t); note("task.retry", { type: "task", id }); return [201, t]; }],
  ["GET", "/api/admin/accounts", ({ query }) => paged(accounts.filter((a) => a.id.startsWith(query.get("q") ?? "")), query)],
  ["POST", "/api/admin/accounts", ({ body }) => {
    if (!/^[A-Za-z0-9._:@-]{1,128}$/.test(body.id ?? "")) throw invalid("id", "must have 1 to 128 letters, digits or . _ : @ -");
    if (accounts.some((a) => a.id === body.id)) throw new Refusal(409, "conflict", "this account exists already", { errors: [{ name: "id", message: "is taken" }] });
    const granted = body.grant ?? 0;
    const made = { id: body.id, name: body.name ?? "", balance: { granted, available: granted, reserved: 0, spent: 0 }, monthly_quota: body.monthly_quota ?? 0, charged_this_month: 0, created_at: new Date().toISOString(), version: 1 };
    accounts.push(made);
    note("account.create", { type: "account", id: made.id, name: made.name }, undefined, made);
    return [201, made];
  }],
  ["GET", "/api/admin/accounts/:id", ({ id }) => find(accounts, id)],
  ["PATCH", "/api/admin/accounts/:id", ({ id, body, request }) => { const a = find(accounts, id); checkVersion(request, a); return Object.assign(a, body, { version: a.version + 1 }); }],
  ["POST", "/api/admin/accounts/:id/grants", ({ id, body }) => move(id, body, "grant")],
  ["POST", "/api/admin/accounts/:id/adjustments", ({ id, body }) => move(id, body, "adjust")],
  ["GET", "/api/admin/accounts/:id/ledger", ({ id, query }) => paged([...(ledger[id] ?? []), ...tasks.filter((t) => t.account === id).flatMap((t) => [...t.ledger].reverse()), { id: "grant#1", account: id, reason: "grant", delta: { granted: 1000, available: 1000, reserved: 0, spent: 0 }, note: "welcome", by: "console", at: data.ago(86400e3 * 30) }].filter(matches(query, [["reason", (e) => e.reason]])), query)],
  ["GET", "/api/admin/keys", ({ query }) => paged(keys.filter(matches(query, [["account", (k) => k.account]])), query)],
  ["POST", "/api/admin/keys", ({ body }) => {
    if (!body.name) throw invalid("name", "is required");
    if (!accounts.some((a) => a.id === body.account)) throw invalid("account", "does not exist");
    const kid = Math.random().toString(36).slice(2).padEnd(12, "A").slice(0, 12);
    const made = { rate_per_minute: 0, concurrency: 0, allow_ips: [], ...body, id: kid, mask: `esl_${kid}_…`, created_at: new Date().toISOString(), status: "active", version: 1 };
    keys.unshift(made);
    note("key.create", { type: "key", id: kid, name: made.name }, undefined, made);
    return [201, { key: made, secret: `esl_${kid}_${"mock".repeat(10)}` }];
  }],
  ["PATCH", "/api/admin/keys/:id", ({ id, body, request }) => { const k = find(keys, id); checkVersion(request, k); note("key.update", { type: "key", id, name: k.name }); return Object.assign(k, body, { version: k.version + 1 }); }],
  ["POST", "/api/admin/keys/:id/revoke", ({ id }) => { const k = find(keys, id); note("key.revoke", { type: "key", id, name: k.name }, { status: "active" }, { status: "revoked" }); return Object.assign(k, { status: "revoked", revoked_at: new Date().toISOString() }); }],
  ["POST", "/api/admin/keys/:id/rotate", ({ id, body }) => ({ key: Object.assign(find(keys, id), { previous_until: data.ago(-1000 * body.overlap_seconds) }), secret: `esl_${id}_${"next".repeat(10)}` })],
  ["GET", "/api/admin/models", () => ({ data: models })],
  ["PUT", "/api/admin/models/:id", ({ id, body }) => {
    const now = models.find((m) => m.name === id);
    if (!body.upstreams?.length && !body.auto) throw invalid("upstreams", "must name at least one provider, or auto must be true");
    const next = { ...body, version: (now?.version ?? 0) + 1, source: now && now.source !== "custom" ? "edited" : "custom" };
    if (now) Object.assign(now, next);
    else models.push(next);
    note("model.put", { type: "model", id, name: id }, undefined, body);
    return next;
  }],
  ["DELETE", "/api/admin/models/:id", ({ id }) => { models.splice(models.indexOf(find(models, id, "name")), 1); return [204]; }],
  ["GET", "/api/admin/deliveries", ({ query }) => paged(tasks.filter((t) => t.delivery).map((t) => t.delivery).filter(matches(query, [["state", (d) => d.state], ["account", (d) => d.account]])), query)],
  ["POST", "/api/admin/deliveries/:id/redeliver", ({ id }) => { const d = find(tasks, id).delivery; note("delivery.redeliver", { type: "task", id }); return Object.assign(d, { state: "delivered", status: 204, error: "", tries: d.tries + 1, done_at: new Date().toISOString() }); }],
  ["GET", "/api/admin/audit", ({ query }) => paged(audit.filter((e) => (!query.get("action") || e.action.startsWith(query.get("action"))) && (!query.get("object") || e.object.id === query.get("object"))), query)],
  ["GET", "/api/admin/export", () => ({ format: "easel/config", version: 1, exported_at: new Date().toISOString(), configs: sorted().map(exported), models: models.filter((m) => m.source !== "builtin") })],
  ["POST", "/api/admin/import", ({ body, query }) => {
    const dry = query.get("dry_run") === "true";
    const changes = body.document.configs.map((next) => {
      const now = configs.find((c) => c.id === next.id);
      if (!now) return { type: "config", id: next.id, name: next.name, action: "create", after: next };
      const same = JSON.stringify(exported(now)) === JSON.stringify(next);
      const change = { type: "config", id: now.id, name: next.name, action: same ? "unchanged" : "update", before: exported(now), after: next };
      if (!dry && !same) saveConfig(now, next, "import.apply");
      return change;
    });
    return { dry_run: dry, changes, warnings: [] };
  }],
  ["GET", "/api/admin/settings", () => ({ version: "0.1.0", local: true, started_at: data.ago(3600e3 * 5), public_url: `http://127.0.0.1:${port}`, data: "temporary", retention_days: 30, reveal_keys: true, go_version: "go1.26" })],
  ["GET", "/simulator", () => ({ providers: Object.fromEntries(["openai", "stability", "replicate", "runway", "fal", "gemini", "custom", "cloudflare"].map((p) => [p, { calls: 12, submits: 9, refusals: 1, fault: faults[p] ?? null }])), fault_names: faultNames })],
  ["PUT", "/simulator/:id/fault", ({ id, body }) => { faults[id] = { ...body }; note("simulator.fault", { type: "simulator", id }, undefined, body); return body; }],
  ["DELETE", "/simulator/:id/fault", ({ id }) => { delete faults[id]; return [204]; }],
  ["POST", "/api/quote", ({ body }) => { const m = models.find((x) => x.name === body.model) ?? models[0]; const q = body.n ?? 1; return { credits: m.price.credits * q, lines: [{ what: m.price.unit, quantity: q, credits: m.price.credits }] }; }],
  ["POST", "/api/generate", ({ body }) => { if (/forbidden word/.test(body.prompt)) throw invalid("prompt", "has a forbidden word"); const t = newTask(body); void live(t); return [202, t]; }],
];
const exported = ({ id, name, kind, provider, priority, base_url, endpoint, model, max_retries, timeout_seconds, rate_per_minute, concurrency, weight, active, default: isDefault, config_data }) =>
  ({ id, name, kind, provider, priority, base_url, endpoint, model, max_retries, timeout_seconds, rate_per_minute, concurrency, weight, active, default: isDefault, config_data });
const ledger = {};
let filter = { max_characters: 4000, policy: "default", rules: [{ id: "violence", words: ["gore fest"], policy: "strict" }], version: 2 };
function move(accountId, { amount, note: words }, reason) {
  const a = find(accounts, accountId);
  if (!amount) throw invalid("amount", "must not be 0");
  if (a.balance.available + amount < 0) throw new Refusal(409, "conflict", "the balance would go below zero");
  a.balance.available += amount;
  a.balance.granted += amount;
  const entry = { id: data.id("entry"), account: accountId, reason, delta: { granted: amount, available: amount, reserved: 0, spent: 0 }, note: words ?? "", by: "console", at: new Date().toISOString() };
  (ledger[accountId] ??= []).unshift(entry);
  note(`account.${reason}`, { type: "account", id: accountId, name: a.name }, undefined, { amount, note: words });
  return [201, { account: a, entry }];
}
function probe(c, { mode }) {
  const fault = takeFault(c.provider) ?? (c.id === "cfg_9" ? "auth" : undefined);
  if (fault) return { ok: false, mode, status: fault === "auth" ? 401 : 429, latency_ms: 312, class: fault, message: "the provider does not accept this gateway's account", detail: "Incorrect API key provided: [redacted].", request_id: "req_8f2k" };
  if (mode === "probe") return { ok: true, mode, status: 200, latency_ms: 184, models: [c.model, "another-model"] };
  const drawn = `data:image/svg+xml;base64,${Buffer.from(data.picture(`${c.id}${Date.now()}`)).toString("base64")}`;
  return { ok: true, mode, status: 200, latency_ms: 2841, model: c.model, cost_micro_usd: 40000, ...(c.kind === "text" ? { text: "Hello there!" } : { outputs: [{ url: drawn, content_type: "image/svg+xml", bytes: 1834, width: 512, height: 512 }] }) };
}

function match(method, path) {
  for (const [verb, pattern, run] of routes) {
    const names = new RegExp(`^${pattern.replace(":id", "(?<id>[^/]+)")}$`).exec(path);
    if (verb === method && names) return { run, id: names.groups?.id && decodeURIComponent(names.groups.id) };
  }
  return undefined;
}
function answer(response, status, body) {
  response.writeHead(status, { "Content-Type": status >= 400 ? "application/problem+json" : "application/json", "Cache-Control": "no-store" });
  response.end(body === undefined ? "" : JSON.stringify(body));
}
function events(request, response, taskId) {
  const task = find(tasks, taskId);
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const send = (t) => {
    response.write(`event: task\nid: ${t.version}\ndata: ${JSON.stringify(t)}\n\n`);
    if (t.finished_at) response.end();
  };
  const listeners = streams.get(taskId) ?? new Set();
  streams.set(taskId, listeners.add(send));
  request.on("close", () => listeners.delete(send));
  send(task);
}
async function prompt(response, body) {
  const t = newTask({ ...body, model: body.model ?? "auto-text" }, "text");
  const c = sorted().find((x) => x.kind === "text");
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  const words = "A lighthouse keeps its small appointment with the dark: one turn, one promise, again and again.".split(/(?<= )/);
  for (const word of words) {
    response.write(`event: delta\ndata: ${JSON.stringify({ text: word })}\n\n`);
    await sleep(pace / 15);
  }
  t.attempts.push({ ...data.attempt(1, c, Date.parse(t.created_at), "succeeded") });
  Object.assign(t, { status: "succeeded", text: words.join(""), finished_at: new Date().toISOString(), credits: { reserved: 0, charged: 1 }, response_time_ms: 1400 });
  response.end(`event: done\ndata: ${JSON.stringify({ id: t.id, object: "text", text: t.text })}\n\n`);
}
function file(response, path) {
  const name = normalize(path).replace(/^(\.\.[/\\])+/, "");
  const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8" };
  const at = join(dist, name);
  const found = name !== "/" && extname(name) !== "" && existsSync(at) ? at : extname(name) === "" || name === "/" ? join(dist, "index.html") : undefined;
  if (!found || !existsSync(found)) return answer(response, 404, {});
  response.writeHead(200, { "Content-Type": types[extname(found)] ?? "application/octet-stream", "Content-Security-Policy": policy, "Cache-Control": "no-store" });
  createReadStream(found).pipe(response);
}
async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return text === "" ? undefined : JSON.parse(text);
}

async function handle(request, response) {
  const url = new URL(request.url, "http://mock");
  const { pathname } = url;
  if (pathname === "/healthz") return answer(response, 200, { status: "ok" });
  if (pathname.startsWith("/mock/picture/")) {
    response.writeHead(200, { "Content-Type": "image/svg+xml" });
    return response.end(data.picture(pathname));
  }
  if (!pathname.startsWith("/api/") && !/^\/simulator(\/|$)/.test(pathname)) return file(response, pathname);
  const token = (request.headers.authorization ?? "").replace("Bearer ", "");
  const made = keys.find((k) => k.status === "active" && token.startsWith(`esl_${k.id}_`));
  const role = token === adminKey ? "admin" : ["admin", "viewer"].find((scope) => made?.scopes.includes(scope));
  if (pathname !== "/api/admin/login" && !role) {
    throw made ? new Refusal(403, "forbidden", "this key may not do this") : new Refusal(401, "unauthenticated", "the API key is not valid");
  }
  if (role === "viewer" && request.method !== "GET") throw new Refusal(403, "forbidden", "a viewer may change nothing");
  const stream = /^\/api\/task\/([^/]+)\/events$/.exec(pathname);
  if (stream) return events(request, response, stream[1]);
  const body = await bodyOf(request);
  if (pathname === "/api/prompt") return prompt(response, body);
  const found = match(request.method, pathname);
  if (!found) throw new Refusal(404, "not_found", `there is no ${pathname}`);
  const result = await found.run({ request, query: url.searchParams, body, id: found.id, role });
  return Array.isArray(result) ? answer(response, result[0], result[1]) : answer(response, 200, result);
}

createServer((request, response) => {
  handle(request, response).catch((error) => {
    if (!(error instanceof Refusal)) console.error(error);
    answer(response, error.status ?? 500, error.body ?? { title: "internal", status: 500, detail: String(error), code: "internal" });
  });
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/#key=${adminKey}`));
