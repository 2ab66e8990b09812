import { configRow, expect, providerSecret, test } from "./console";

// The life of one config, in order: each test goes on from what the one before left.
test.describe.configure({ mode: "serial" });

const mine = "E2E Stability";

test("a config is added, and the server's field errors stand at their fields", async ({ console: page, admin, open }) => {
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

test("a test call shows status, latency and the resulting picture", async ({ console: page, open }) => {
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

test("a stale edit shows both versions", async ({ console: page, admin, open }) => {
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

test("the order changes by keyboard and by dragging", async ({ console: page, admin, open }) => {
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

test("a config is disabled, made the default and duplicated where it stands", async ({ console: page, admin, open }) => {
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

test("a config is deleted", async ({ console: page, open }) => {
  await open(page, "/configs");
  await configRow(page, mine).getByRole("button", { name: /Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(configRow(page, mine)).toHaveCount(0);
});
