import { expect, providerSecret, test } from "./console";

test("a failover is watched in the playground, then found everywhere else", async ({ console: page, admin, open }) => {
  const first = (await admin.configs("image")).find((config) => config.active);
  if (!first) throw new Error("no config is active");
  await admin.call("PATCH", `/api/admin/configs/${first.id}`, { weight: 90 }, { "If-Match": `"${first.version}"` });
  const prompt = `A failover at ${Date.now()}`;
  await open(page, "/playground");
  await page.getByRole("button", { name: `Fault of ${first.provider}` }).click();
  const fault = page.getByRole("dialog");
  await fault.getByLabel("Fault", { exact: true }).selectOption("rate_limited");
  await fault.getByLabel("Calls to spoil").fill("1");
  await fault.getByRole("button", { name: "Switch on" }).click();
  await expect(fault).toBeHidden();

  await page.getByLabel("Prompt", { exact: true }).fill(prompt);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-outcome="rejected"]')).toBeVisible();
  await expect(page.locator('[data-outcome="succeeded"]')).toBeVisible({ timeout: 60_000 });
  const picture = page.getByRole("img", { name: new RegExp(prompt) });
  await expect(picture).toBeVisible();
  for (const [language, words] of [["JavaScript", "await fetch("], ["Python", "urllib.request"], ["Go", "http.NewRequest("], ["curl", "curl -s http"]] as const) {
    await page.getByRole("button", { name: language, exact: true }).click();
    await expect(page.getByRole("region", { name: language })).toContainText(words);
    await expect(page.getByRole("region", { name: language })).toContainText(prompt);
  }

  await page.getByRole("link", { name: "Open task" }).click();
  await expect(page.getByRole("heading", { name: prompt })).toBeVisible();
  await expect(page.getByRole("list", { name: "Attempts" }).getByRole("listitem")).toHaveCount(2);
  await expect(page.getByRole("list", { name: "Attempts" })).toContainText("Rate limited");
  await expect(page.getByText("Settled")).toBeVisible();
  const task = page.url().split("/").pop() ?? "";

  await page.getByRole("link", { name: "Usage" }).click();
  await page.getByRole("button", { name: "Details" }).first().click();
  await expect(page.getByText(task)).toBeVisible();
  await expect(page.getByText("2 attempts").first()).toBeVisible();

  await expect
    .poll(async () => (await admin.call<{ totals: { calls: number } }>("GET", "/api/admin/stats?window=1h")).totals.calls, { timeout: 30_000 })
    .toBeGreaterThan(0);
  await open(page, "/?window=1h");
  await expect(page.getByRole("heading", { name: "Requests" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Breakdown" })).toContainText(first.provider);

  await page.getByRole("link", { name: "Audit" }).click();
  await page.getByLabel("All actions").selectOption("config.");
  await expect(page).toHaveURL(/action=config/);
  await expect(page.getByRole("table", { name: "Audit" })).toContainText(first.name);
  await page.getByRole("button", { name: "Details" }).first().click();
  await expect(page.getByRole("columnheader", { name: "Field" })).toBeVisible();
});

test("a text is written piece by piece", async ({ console: page, open }) => {
  await open(page, "/playground?kind=text");
  await page.getByLabel("Prompt", { exact: true }).fill("Say something about lighthouses.");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-outcome="succeeded"]')).toBeVisible({ timeout: 60_000 });
});

test("an account gets credits, and its ledger says why", async ({ console: page, open }) => {
  const name = `e2e-${Date.now()}`;
  await open(page, "/accounts?add=true");
  const dialog = page.getByRole("dialog", { name: "Add an account" });
  await dialog.getByLabel("Account id").fill("not allowed!");
  await dialog.getByRole("button", { name: "Add account" }).click();
  await expect(dialog.getByLabel("Account id")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Account id").fill(name);
  await dialog.getByLabel("Credits to start with").fill("500");
  await dialog.getByRole("button", { name: "Add account" }).click();
  await expect(page.getByRole("heading", { name })).toBeVisible();
  await page.getByRole("button", { name: "Adjust" }).click();
  const adjust = page.getByRole("dialog", { name: "Adjust" });
  await adjust.getByLabel("Credits").fill("-100");
  await adjust.getByLabel("Reason").fill("a test of the console");
  await adjust.getByRole("button", { name: "Adjust" }).click();
  await expect(page.getByRole("table", { name: "Ledger" })).toContainText("a test of the console");
  await expect(page.getByText("400").first()).toBeVisible();
});

test("a key is created, shown once, and refused after it is revoked", async ({ page, console: shown, admin, open }) => {
  const name = `e2e key ${Date.now()}`;
  await open(shown, "/keys?add=true");
  const drawer = page.getByRole("dialog", { name: "Create an API key" });
  await drawer.getByLabel("Name", { exact: true }).fill(name);
  await drawer.getByLabel("Account").fill("demo");
  await drawer.getByRole("button", { name: "Create key" }).click();
  const once = page.getByRole("dialog", { name: "Your new secret" });
  const secret = (await once.getByRole("region").innerText()).trim();
  expect(secret).toMatch(/^esl_/);
  await once.getByRole("button", { name: "I have stored it" }).click();
  await expect(page.getByText(secret)).toHaveCount(0);
  expect(await admin.status(secret, "/api/admin/configs"), "a caller's key reads nothing here").toBe(403);

  await page.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByRole("row", { name: new RegExp(name) })).toContainText("Revoked");
  await expect.poll(() => admin.status(secret, "/api/admin/configs")).toBe(401);
});

test("an export is imported again, after a look at the difference", async ({ console: page, admin, open }) => {
  await open(page, "/settings?tab=transfer");
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const stream = await (await downloading).createReadStream();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  expect(text).not.toContain(providerSecret);
  const document = JSON.parse(text) as { configs: { id: string; name: string; timeout_seconds: number }[]; settings: { moderation?: unknown } };
  const [own] = document.configs;
  if (!own) throw new Error("the export has no config");
  own.timeout_seconds = 77;
  document.settings.moderation = { rules: [{ id: "imported", words: ["zyzzyva"] }] };
  await page.getByLabel("Choose file").first().setInputFiles({ name: "export.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(document)) });
  const plan = page.getByTestId("import-plan");
  await expect(plan.getByRole("row", { name: /timeout_seconds/ })).toContainText("77");
  await expect(plan.getByText("Content filter")).toBeVisible();
  await expect(plan.getByRole("row", { name: /rules/ })).toContainText("zyzzyva");
  await page.getByRole("button", { name: "Apply 2 changes" }).click();
  await expect(page.getByText("Import applied")).toBeVisible();
  expect((await admin.call<{ timeout_seconds: number }>("GET", `/api/admin/configs/${own.id}`)).timeout_seconds).toBe(77);
  const filter = await admin.call<{ rules: { id: string }[]; version: number }>("GET", "/api/admin/settings/moderation");
  expect(filter.rules.map((rule) => rule.id)).toEqual(["imported"]);
  await admin.call("PUT", "/api/admin/settings/moderation", {}, { "If-Match": `"${filter.version}"` });
});

