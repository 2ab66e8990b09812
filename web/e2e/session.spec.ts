import { expect, test } from "./console";

test("a wrong key is refused, and the right one leads to where one wanted to go", async ({ page, watch, open, server }) => {
  watch(page, server);
  await open(page, "/usage?status=failed");
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel("Admin key").fill("esl_wrongwrong00_0123456789abcdef0123456789abcdef");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("not accepted");
  await page.getByLabel("Admin key").fill(server.adminKey);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/usage\?status=failed/);
  await expect(page.getByRole("heading", { name: "Usage" })).toBeVisible();
});

test("the address with a key logs in and forgets the key", async ({ page, watch, open, server }) => {
  watch(page, server);
  await open(page, `/#key=${server.adminKey}`);
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  expect(page.url()).not.toContain("esl_");
});

test("an expired login says so and returns to where one was", async ({ console: page, open, server }) => {
  await open(page, "/audit?action=config.");
  await expect(page.getByRole("heading", { name: "Audit" })).toBeVisible();
  await page.route("**/api/admin/audit*", (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ code: "unauthenticated", detail: "the API key has expired" }) }),
  );
  await page.reload();
  await expect(page.getByText("Your login has expired")).toBeVisible();
  await page.unroute("**/api/admin/audit*");
  await page.getByLabel("Admin key").fill(server.adminKey);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/audit\?action=config\./);
});

test("a lost connection says so and recovers", async ({ console: page, open, server }) => {
  await open(page, "/accounts");
  await expect(page.getByRole("link", { name: "demo", exact: true })).toBeVisible();
  await page.route(`${server.url}/**`, (route) => route.abort());
  await page.getByRole("link", { name: "API Keys" }).click();
  await expect(page.getByText("Connection lost")).toBeVisible();
  await page.unroute(`${server.url}/**`);
  await expect(page.getByText("Connection lost")).toBeHidden();
});

test("a viewer sees everything and can change nothing", async ({ page, watch, admin, open, server }) => {
  watch(page, server);
  const made = await admin.call<{ secret: string; key: { id: string } }>("POST", "/api/admin/keys", {
    name: "e2e viewer",
    account: "demo",
    scopes: ["viewer"],
  });
  await page.addInitScript((token) => sessionStorage.setItem("easel.token", token), made.secret);
  await open(page, "/configs");
  const first = page.getByRole("switch").first();
  await expect(first).toBeDisabled();
  await expect(page.getByText("View only")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add config" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Test" })).toHaveCount(0);
  const [config] = await admin.configs("image");
  expect(await admin.status(made.secret, "/api/admin/configs")).toBe(200);
  expect(await admin.status(made.secret, `/api/admin/configs/${config?.id ?? ""}`, "DELETE")).toBe(403);
  await admin.call("POST", `/api/admin/keys/${made.key.id}/revoke`);
});
