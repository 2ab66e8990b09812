import type { Page } from "@playwright/test";
import { expect, test, type Admin } from "./console";

interface Versioned {
  version: number;
}

const question = (page: Page) => page.getByRole("dialog", { name: "Discard your changes?" });

/** Adds a model that only its test knows. */
async function newModel(admin: Admin, name: string, more: Record<string, unknown> = {}) {
  const model = {
    name, kind: "image", upstreams: [{ provider: "openai", model: "gpt-image-2" }], price: { known: true, credits: 10, unit: "image" }, limits: { max_n: 4 }, ...more,
  };
  await admin.call("PUT", `/api/admin/models/${name}`, model, { "If-None-Match": "*" });
  return model;
}

const modelOf = async (admin: Admin, name: string) => {
  const { data } = await admin.call<{ data: ({ name: string } & Record<string, unknown>)[] }>("GET", "/api/admin/models");
  return data.find((model) => model.name === name);
};

test("unsaved changes are asked about: at closing, at the back button, and not after a save", async ({ console: page, open, admin }) => {
  await newModel(admin, "unsaved");
  await open(page, "/accounts");
  await page.getByRole("link", { name: "Models" }).click();
  await page.getByRole("button", { name: "unsaved", exact: true }).click();
  const drawer = page.getByRole("dialog", { name: "unsaved", exact: true });
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();

  await page.getByRole("button", { name: "unsaved", exact: true }).click();
  await drawer.getByLabel("Title").fill("Mine");
  await page.keyboard.press("Escape");
  await question(page).getByRole("button", { name: "Keep editing" }).click();
  await expect(drawer.getByLabel("Title")).toHaveValue("Mine");

  await page.goBack();
  await question(page).getByRole("button", { name: "Keep editing" }).click();
  await expect(page).toHaveURL(/edit=unsaved/);
  await expect(drawer.getByLabel("Title")).toHaveValue("Mine");

  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer).toBeHidden();
  await expect(question(page)).toBeHidden();

  await page.getByRole("button", { name: "unsaved", exact: true }).click();
  await drawer.getByLabel("Title").fill("Other");
  await drawer.getByRole("button", { name: "Close" }).click();
  await question(page).getByRole("button", { name: "Discard" }).click();
  await expect(drawer).toBeHidden();
  expect((await modelOf(admin, "unsaved"))?.["title"]).toBe("Mine");
});

test("a login that expires while one types comes back with what was typed", async ({ console: page, open, admin, server }) => {
  await newModel(admin, "half-done");
  await open(page, "/models?edit=half-done");
  const drawer = page.getByRole("dialog", { name: "half-done" });
  await drawer.getByLabel("Title").fill("Half done");
  await page.route("**/api/admin/models/half-done", (route) => route.fulfill({ status: 401, json: { code: "unauthenticated", detail: "the token has expired" } }));
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Your login has expired")).toBeVisible();
  await page.unroute("**/api/admin/models/half-done");
  await page.getByLabel("Admin key").fill(server.adminKey);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/edit=half-done/);
  await expect(page.getByText("Your unsaved changes are back")).toBeVisible();
  await expect(drawer.getByLabel("Title")).toHaveValue("Half done");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer).toBeHidden();
  expect((await modelOf(admin, "half-done"))?.["title"]).toBe("Half done");
});

test("routing, limits and price have fields, and nothing else of a model is lost", async ({ console: page, open, admin }) => {
  const before = await newModel(admin, "formed", { deadline_seconds: 90, aliases: [{ name: "formed-old", retired: true, deprecated_at: "2026-01-01T00:00:00Z" }] });
  const [first, second] = await admin.configs("image");
  if (!first || !second) throw new Error("there are too few configs");
  await open(page, "/models?edit=formed");
  const drawer = page.getByRole("dialog", { name: "formed", exact: true });
  await drawer.getByLabel("Order of the configs").selectOption("split");
  await drawer.getByLabel("Config", { exact: true }).selectOption(second.id);
  await drawer.getByLabel("Percent", { exact: true }).fill("120");
  await expect(drawer.getByText("120 % together")).toBeVisible();
  await drawer.getByRole("switch", { name: "Sticky per user" }).click();
  await drawer.getByLabel("Sizes").fill("1024x1024, 512x512");
  await drawer.getByLabel("Images at once").fill("2");
  await drawer.getByRole("button", { name: "Add factor" }).click();
  await drawer.getByLabel("Value", { exact: true }).fill("high");
  await drawer.getByLabel("Percent", { exact: true }).first().fill("400");
  await drawer.getByRole("button", { name: "Save" }).click();
  // The server's word stands at the field that it is about.
  const percent = drawer.getByLabel("Percent", { exact: true }).nth(1);
  await expect(percent).toHaveAttribute("aria-invalid", "true");
  await expect(drawer.getByText("must be 0 to 100").first()).toBeVisible();
  await percent.fill("5");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer).toBeHidden();
  expect(await modelOf(admin, "formed")).toMatchObject({
    ...before,
    limits: { max_n: 2, sizes: ["1024x1024", "512x512"] },
    price: { known: true, credits: 10, unit: "image", percent: { quality: { high: 400 } } },
    routing: { policy: "split", arms: [{ config: second.id, percent: 5 }], sticky: true },
    deadline_seconds: 90,
    aliases: [{ name: "formed-old", retired: true, deprecated_at: "2026-01-01T00:00:00Z" }],
  });

  await page.getByRole("button", { name: "formed", exact: true }).click();
  await drawer.getByRole("button", { name: "JSON" }).click();
  const json = JSON.parse(await drawer.getByLabel("JSON").inputValue()) as Record<string, unknown>;
  await drawer.getByLabel("JSON").fill(JSON.stringify({ ...json, notice: "by hand" }));
  await drawer.getByRole("button", { name: "Form", exact: true }).click();
  await expect(drawer.getByLabel("Notice to callers")).toHaveValue("by hand");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer).toBeHidden();
  expect(await modelOf(admin, "formed")).toMatchObject({ notice: "by hand", routing: { policy: "split" } });
});

test("the content filter has fields: a wrong pattern stands at its field, and a saved word refuses", async ({ console: page, open, admin, server }) => {
  await open(page, "/settings?tab=filter");
  await page.getByRole("button", { name: "Add rule" }).click();
  await page.getByLabel("Name", { exact: true }).fill("birds");
  await page.getByLabel("Words and phrases").fill("dodo\ngreat auk");
  await page.getByLabel("Patterns").fill("(");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByLabel("Patterns")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText(/is no regular expression/).first()).toBeVisible();
  await page.getByRole("button", { name: "About" }).click();
  await question(page).getByRole("button", { name: "Keep editing" }).click();
  await page.getByLabel("Patterns").fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Content filter saved")).toBeVisible();
  const filter = await admin.call<Versioned & { rules: unknown }>("GET", "/api/admin/settings/moderation");
  expect(filter.rules).toEqual([{ id: "birds", words: ["dodo", "great auk"] }]);
  await expect.poll(() => admin.status(server.adminKey, "/api/generate", "POST", { prompt: "a dodo at dusk" })).toBe(422);

  await page.getByLabel("Most characters").fill("300");
  await admin.call("PUT", "/api/admin/settings/moderation", { max_characters: 200 }, { "If-Match": `"${filter.version}"` });
  await page.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("dialog", { name: "Changed meanwhile" });
  await expect(conflict.getByRole("row", { name: /max_characters/ })).toContainText("200");
  await expect(conflict.getByRole("row", { name: /max_characters/ })).toContainText("300");
  await conflict.getByRole("button", { name: "Use the saved version" }).click();
  await expect(page.getByLabel("Most characters")).toHaveValue("200");
  await expect(page.getByLabel("Words and phrases")).toHaveCount(0);
  await admin.call("PUT", "/api/admin/settings/moderation", {}, { "If-Match": "*" });
});

test("a stale edit of a model, a key and an account shows both versions", async ({ console: page, open, admin }) => {
  await newModel(admin, "stale");
  await admin.call("POST", "/api/admin/accounts", { id: "stale-account", name: "before" });
  const { key } = await admin.call<{ key: { id: string } }>("POST", "/api/admin/keys", { name: "stale key", account: "demo", scopes: ["read"] });
  const conflict = page.getByRole("dialog", { name: "Changed meanwhile" });

  await open(page, "/models?edit=stale");
  await page.getByLabel("Title").fill("mine");
  await admin.call("PUT", "/api/admin/models/stale", { ...(await modelOf(admin, "stale")), version: undefined, source: undefined, title: "theirs" }, { "If-Match": '"1"' });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(conflict.getByRole("row", { name: /title/ })).toContainText("theirs");
  await expect(conflict.getByRole("row", { name: /title/ })).toContainText("mine");
  await conflict.getByRole("button", { name: "Save mine over it" }).click();
  await expect(page.getByText("Model saved")).toBeVisible();

  await open(page, `/keys?edit=${key.id}`);
  await page.getByLabel("Name", { exact: true }).fill("mine");
  await page.getByLabel("Per user and minute").fill("7");
  await admin.call("PATCH", `/api/admin/keys/${key.id}`, { name: "theirs" }, { "If-Match": '"1"' });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(conflict.getByRole("row", { name: /name/ })).toContainText("theirs");
  await expect(conflict.getByRole("row", { name: /user_rate_per_minute/ })).toContainText("7");
  await conflict.getByRole("button", { name: "Save mine over it" }).click();
  await expect(page.getByText("Key saved")).toBeVisible();
  expect(await admin.call("GET", `/api/admin/keys/${key.id}`)).toMatchObject({ name: "mine", user_rate_per_minute: 7 });

  await open(page, "/accounts/stale-account");
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Display name").fill("mine");
  await admin.call("PATCH", "/api/admin/accounts/stale-account", { name: "theirs" }, { "If-Match": "*" });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(conflict.getByRole("row", { name: /name/ })).toContainText("theirs");
  await conflict.getByRole("button", { name: "Use the saved version" }).click();
  await expect(page.getByRole("dialog", { name: "Edit" }).getByLabel("Display name")).toHaveValue("theirs");
});

test("an account's preferences are set, and a stale edit of them shows both", async ({ console: page, open, admin }) => {
  await admin.call("POST", "/api/admin/accounts", { id: "preferring" });
  await open(page, "/accounts/preferring");
  await page.getByRole("button", { name: "Preferences" }).click();
  const drawer = page.getByRole("dialog", { name: "Preferences" });
  await drawer.getByLabel("Model: Image").selectOption("flux-dev");
  await drawer.getByLabel("Callback URL").fill("ftp://nowhere");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer.getByLabel("Callback URL")).toHaveAttribute("aria-invalid", "true");
  await drawer.getByLabel("Callback URL").fill("");
  await admin.call("PUT", "/api/admin/accounts/preferring/preferences", { language: "zh" }, { "If-Match": '"0"' });
  await drawer.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("dialog", { name: "Changed meanwhile" });
  await expect(conflict.getByRole("row", { name: /language/ })).toContainText("zh");
  await conflict.getByRole("button", { name: "Save mine over it" }).click();
  await expect(drawer).toBeHidden();
  expect(await admin.call("GET", "/api/admin/accounts/preferring/preferences")).toEqual({ image: { model: "flux-dev" } });
});

test("the endpoint of notifications is set, and its secret shown once", async ({ console: page, open, admin }) => {
  await open(page, "/settings?tab=notices");
  await page.getByLabel("Endpoint").fill("not a url");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByLabel("Endpoint")).toHaveAttribute("aria-invalid", "true");
  await page.getByLabel("Endpoint").fill("https://operator.example.com/easel");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Notifications saved")).toBeVisible();
  expect(await admin.call("GET", "/api/admin/settings/notifications")).toMatchObject({ url: "https://operator.example.com/easel" });
  await page.getByRole("button", { name: "Give it a secret of its own" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Make a new secret" }).click();
  await expect(page.getByRole("dialog").getByRole("region")).toContainText("whsec_");
  await page.getByRole("button", { name: "I have stored it" }).click();
  await expect(page.getByText("a secret of its own")).toBeVisible();
  await expect(page.getByText("whsec_")).toHaveCount(0);
});

// The daily check compares with real providers' lists, so its findings are made up here.
test("what the daily check of models found leads to the model and the config", async ({ console: page, open, admin }) => {
  const [config] = await admin.configs("text");
  await page.route("**/api/admin/models/findings", (route) =>
    route.fulfill({
      json: {
        checked_at: "2026-11-01T06:00:00Z",
        configs: 4,
        data: [
          { problem: "missing", model: "auto-text", upstream: "gpt-gone", config: config?.id, config_name: config?.name, provider: "openai", since: "2026-11-01T06:00:00Z" },
          { problem: "retiring", model: "auto", retires_at: "2026-12-24T00:00:00Z" },
        ],
        skipped: [{ config: config?.id, config_name: config?.name, provider: "gemini", reason: "the provider rejected the gateway's credentials" }],
      },
    }),
  );
  await open(page, "/models");
  const list = page.getByRole("list", { name: "Models that need you" });
  await expect(list.getByRole("listitem")).toHaveCount(3);
  await expect(list).toContainText("gpt-gone");
  await expect(list).toContainText("rejected the gateway's credentials");
  await list.getByRole("link", { name: "auto", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "auto", exact: true })).toBeVisible();
});

test("a key's expiry and addresses are set, found wrong, and removed again", async ({ console: page, open, admin }) => {
  const { key } = await admin.call<{ key: { id: string } }>("POST", "/api/admin/keys", { name: "bounded", account: "demo", scopes: ["read"], expires_at: "2030-01-01T00:00:00Z" });
  await open(page, `/keys?edit=${key.id}`);
  const drawer = page.getByRole("dialog", { name: "bounded" });
  await drawer.getByLabel("Allowed addresses").fill("203.0.113.0/24\nnot an address");
  await drawer.getByLabel("Expires").fill("");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer.getByLabel("Allowed addresses")).toHaveAttribute("aria-invalid", "true");
  await drawer.getByLabel("Allowed addresses").fill("203.0.113.0/24");
  await drawer.getByLabel("Content filter").selectOption("strict");
  await drawer.getByLabel("Remember answers").fill("3600");
  await drawer.getByRole("switch", { name: "Also without a seed" }).click();
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer).toBeHidden();
  const now = await admin.call<Record<string, unknown>>("GET", `/api/admin/keys/${key.id}`);
  expect(now).toMatchObject({ allow_ips: ["203.0.113.0/24"], moderation: "strict", cache_ttl_seconds: 3600, cache_unseeded: true });
  expect(now).not.toHaveProperty("expires_at");
});
