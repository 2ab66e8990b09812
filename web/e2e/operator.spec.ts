import { configRow, expect, open, providerSecret, test } from "./console";

// One operator's day, in order: each test goes on from what the one before left.
test.describe.configure({ mode: "serial" });

const mine = "E2E Stability";

test("a config is added, and the server's field errors stand at their fields", async ({ console: page, admin }) => {
  const known = (await admin.configs("image")).find((config) => config.provider === "stability");
  await open(page, "/configs");
  await page.getByRole("button", { name: "Add config" }).click();
  const drawer = page.getByRole("dialog", { name: "Add an API config" });
  await drawer.getByLabel("Start from").selectOption({ label: "Stability AI · Image" });
  await drawer.getByLabel("Name", { exact: true }).fill(mine);
  await drawer.getByLabel("Base URL").fill(known?.base_url ?? "");
  await drawer.getByLabel("Upstream model").fill(known?.model ?? "");
  await drawer.getByLabel("Key", { exact: true }).fill(providerSecret);
  await drawer.getByLabel("Timeout (s)").fill("5");
  await drawer.getByRole("button", { name: "Add config" }).click();
  await expect(drawer.getByLabel("Timeout (s)")).toHaveAttribute("aria-invalid", "true");
  await expect(drawer.getByText("must be 10 to 300").first()).toBeVisible();
  await drawer.getByLabel("Config data").fill("{ not json");
  await expect(drawer.getByText(/^Line 1:|JSON/).first()).toBeVisible();
  await expect(drawer.getByRole("button", { name: "Add config" })).toBeDisabled();
  await drawer.getByLabel("Config data").fill("{}");
  await drawer.getByLabel("Timeout (s)").fill("60");
  await drawer.getByRole("button", { name: "Add config" }).click();
  await expect(configRow(page, mine)).toBeVisible();
  await expect(configRow(page, mine)).toContainText(providerSecret.slice(-4));
});

test("a test call shows status, latency and the resulting picture", async ({ console: page }) => {
  await open(page, "/configs");
  await configRow(page, mine).getByRole("button", { name: "Test" }).click();
  const dialog = page.getByRole("dialog", { name: `Test ${mine}` });
  await dialog.getByRole("button", { name: "Run test" }).click();
  const result = dialog.getByTestId("test-result");
  await expect(result).toContainText("It works");
  await expect(result).toContainText("HTTP 200");
  const picture = result.getByRole("img");
  await expect(picture).toBeVisible();
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
});

test("a stale edit shows both versions", async ({ console: page, admin }) => {
  await open(page, "/configs");
  await configRow(page, mine).getByRole("button", { name: mine, exact: true }).click();
  const drawer = page.getByRole("dialog", { name: mine });
  await drawer.getByLabel("Timeout (s)").fill("70");
  const now = (await admin.configs("image")).find((config) => config.name === mine);
  await admin.call("PATCH", `/api/admin/configs/${now?.id ?? ""}`, { timeout_seconds: 90 }, { "If-Match": `"${now?.version ?? 0}"` });
  await drawer.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("dialog", { name: "Changed meanwhile" });
  await expect(conflict.getByRole("row", { name: /timeout_seconds/ })).toContainText("90");
  await expect(conflict.getByRole("row", { name: /timeout_seconds/ })).toContainText("70");
  await conflict.getByRole("button", { name: "Save mine over it" }).click();
  await expect(page.getByText("Config saved")).toBeVisible();
  expect((await admin.configs("image")).find((config) => config.name === mine)?.timeout_seconds).toBe(70);
});

test("the order changes by keyboard and by dragging", async ({ console: page, admin }) => {
  const order = async () => (await admin.configs("image")).map((config) => config.name);
  const before = await order();
  const last = before.length - 1;
  expect(before[last]).toBe(mine);
  await open(page, "/configs?kind=image");
  const handle = page.getByRole("button", { name: `Move ${mine}` });
  await handle.focus();
  await page.keyboard.press("Space");
  await expect(page.getByRole("status").filter({ hasText: `place ${before.length} of` })).toBeAttached();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("status").filter({ hasText: `over place ${last} of` })).toBeAttached();
  await page.keyboard.press("Space");
  await expect.poll(async () => (await order())[last - 1]).toBe(mine);

  await expect(page.getByText("Order saved").first()).toBeVisible();
  const from = await handle.boundingBox();
  const to = await page.getByRole("button", { name: `Move ${before[0] ?? ""}` }).boundingBox();
  if (!from || !to) throw new Error("a handle is not on the screen");
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(to.x + 8, to.y + 20, { steps: 12 });
  await page.mouse.move(to.x + 8, to.y + 2, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => (await order())[0]).toBe(mine);
});

test("a config is disabled, made the default and duplicated where it stands", async ({ console: page, admin }) => {
  const now = async () => (await admin.configs("image")).find((config) => config.name === mine);
  await open(page, "/configs");
  const toggle = configRow(page, mine).getByRole("switch");
  await toggle.click();
  await expect.poll(async () => (await now())?.active).toBe(false);
  await expect(toggle).not.toBeChecked();
  await toggle.click();
  await expect.poll(async () => (await now())?.active).toBe(true);
  await configRow(page, mine).getByRole("button", { name: `Actions for ${mine}` }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await expect(configRow(page, `${mine} (copy)`)).toBeVisible();
  await configRow(page, `${mine} (copy)`).getByRole("button", { name: /Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(configRow(page, `${mine} (copy)`)).toHaveCount(0);
});

test("a failover is watched in the playground, then found everywhere else", async ({ console: page, admin }) => {
  const first = (await admin.configs("image")).find((config) => config.active);
  const prompt = `A failover at ${Date.now()}`;
  await open(page, "/playground");
  await page.getByRole("button", { name: `Fault of ${first?.provider ?? ""}` }).click();
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
  for (const [language, words] of [["JavaScript", "await fetch("], ["Python", "requests.post("], ["Go", "http.NewRequest("], ["curl", "curl http"]] as const) {
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
  await expect(page.getByRole("table", { name: "Breakdown" })).toContainText(first?.provider ?? "");

  await page.getByRole("link", { name: "Audit" }).click();
  await expect(page.getByRole("table", { name: "Audit" })).toContainText(mine);
  await page.getByLabel("All actions").selectOption("config.");
  await expect(page).toHaveURL(/action=config/);
  await page.getByRole("button", { name: "Details" }).first().click();
  await expect(page.getByRole("columnheader", { name: "Field" })).toBeVisible();
});

test("a text is written piece by piece", async ({ console: page }) => {
  await open(page, "/playground?kind=text");
  await page.getByLabel("Prompt", { exact: true }).fill("Say something about lighthouses.");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-outcome="succeeded"]')).toBeVisible({ timeout: 60_000 });
});

test("an account gets credits, and its ledger says why", async ({ console: page }) => {
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

test("a key is created, shown once, and refused after it is revoked", async ({ page, console: shown, admin }) => {
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

test("an export is imported again, after a look at the difference", async ({ console: page, admin }) => {
  await open(page, "/settings?tab=transfer");
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const stream = await (await downloading).createReadStream();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  expect(text).not.toContain(providerSecret);
  const document = JSON.parse(text) as { configs: { name: string; timeout_seconds: number }[] };
  const own = document.configs.find((config) => config.name === mine);
  if (!own) throw new Error("the export lacks the config");
  own.timeout_seconds = 77;
  await page.getByLabel("Choose file").first().setInputFiles({ name: "export.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(document)) });
  const plan = page.getByTestId("import-plan");
  await expect(plan.getByRole("row", { name: /timeout_seconds/ })).toContainText("77");
  await page.getByRole("button", { name: "Apply 1 changes" }).click();
  await expect(page.getByText("Import applied")).toBeVisible();
  expect((await admin.configs("image")).find((config) => config.name === mine)?.timeout_seconds).toBe(77);
});

test("a config is deleted", async ({ console: page }) => {
  await open(page, "/configs");
  await configRow(page, mine).getByRole("button", { name: /Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(configRow(page, mine)).toHaveCount(0);
});
