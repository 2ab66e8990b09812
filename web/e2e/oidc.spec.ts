import type { Page } from "@playwright/test";
import { Admin, expect, test as base } from "./console";
import { startIssuer } from "./issuer";
import { startGateway, type Gateway } from "./server";

/** A gateway that an issuer's people may log in to. */
const test = base.extend<{ sso: Admin }, { house: { gateway: Gateway; issuer: string } }>({
  house: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const issuer = await startIssuer();
      const gateway = await startGateway({
        EASEL_OIDC_ISSUER: issuer.url,
        EASEL_OIDC_CLIENT_ID: issuer.clientId,
        EASEL_OIDC_GROUP_CLAIM: "groups",
        EASEL_OIDC_ADMIN_GROUP: "easel-admins",
        EASEL_OIDC_VIEWER_GROUP: "easel-viewers",
      });
      await use({ gateway, issuer: issuer.url });
      await gateway.stop();
      await issuer.stop();
    },
    { scope: "worker", timeout: 180_000 },
  ],
  sso: async ({ playwright, house }, use) => {
    const http = await playwright.request.newContext();
    await use(new Admin(http, house.gateway));
    await http.dispose();
  },
  page: async ({ page, watch, house }, use) => {
    watch(page, house.gateway, house.issuer);
    await page.addInitScript(() => localStorage.setItem("easel.language", "en"));
    await use(page);
  },
});

// The gateway above takes a while to start, so these share a worker.
test.describe.configure({ mode: "default" });

/** Logs in at the issuer as somebody, on the way to a path. */
async function enter(page: Page, url: string, path: string, who: string) {
  await page.goto(`${url}${path}`);
  await page.getByRole("button", { name: "Log in with SSO" }).click();
  await expect(page).toHaveTitle("Issuer");
  expect(new URL(page.url()).searchParams.get("code_challenge")).toMatch(/^[\w-]{43}$/);
  await page.getByRole("link", { name: who }).click();
}

const tokenOf = (page: Page) => page.evaluate(() => sessionStorage.getItem("easel.token") ?? "");

test("an admin's group opens everything, and the audit names the person", async ({ page, house, sso }) => {
  await enter(page, house.gateway.url, "/configs?kind=image", "ada");
  await expect(page).toHaveURL(/\/configs\?kind=image$/);
  await expect(page.getByText("ada@example.com")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add config" })).toBeVisible();
  const [first] = await sso.configs("image");
  const name = first?.name ?? "";
  await page.locator(`tr[data-config="${name}"]`).getByRole("switch").click();
  await expect.poll(async () => (await sso.configs("image")).find((config) => config.name === name)?.active).toBe(false);
  await page.goto(`${house.gateway.url}/audit`);
  await expect(page.getByRole("table", { name: "Audit" })).toContainText("ada@example.com");
});

test("a viewer's group reads: no screen offers a change, and the API refuses each", async ({ page, house, sso }) => {
  await enter(page, house.gateway.url, "/", "vera");
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await expect(page.getByText("View only")).toBeVisible();
  const changes = /^(Add|Create|Save|Delete|Edit|Test|Actions for|Move|Adjust|Grant|Rotate|Give it|Redeliver|Choose file|Revoke)/;
  for (const path of ["/configs", "/models", "/models?edit=auto", "/keys", "/accounts", "/accounts/demo", "/webhooks?account=demo", "/settings?tab=filter", "/settings?tab=transfer", "/tasks"]) {
    await page.goto(`${house.gateway.url}${path}`);
    await expect(page.locator("h1")).toBeVisible();
    await expect(page.locator(".animate-pulse")).toHaveCount(0);
    await expect(page.getByRole("button", { name: changes }), path).toHaveCount(0);
    for (const toggle of await page.getByRole("switch").all()) await expect(toggle, path).toBeDisabled();
  }
  const token = await tokenOf(page);
  const [config] = await sso.configs("image");
  expect(await sso.status(token, "/api/admin/configs")).toBe(200);
  for (const [method, path] of [
    ["DELETE", `/api/admin/configs/${config?.id ?? ""}`],
    ["POST", "/api/admin/keys"],
    ["POST", "/api/admin/accounts/demo/grants"],
    ["POST", "/api/admin/accounts/demo/webhooks/rotate"],
    ["PUT", "/api/admin/settings/moderation"],
    ["POST", "/api/admin/import"],
    ["PUT", "/simulator/openai/fault"],
  ] as const) {
    expect(await sso.status(token, path, method, {}), `${method} ${path}`).toBe(403);
  }
});

test("somebody in neither group stays out", async ({ page, house }) => {
  await enter(page, house.gateway.url, "/", "otto");
  await expect(page.getByRole("alert")).toContainText("not an operator's");
  expect(await tokenOf(page)).toBe("");
});

test("a login that the issuer refuses, or that another tab began, ends at the login page", async ({ page, house }) => {
  await enter(page, house.gateway.url, "/usage", "refuse");
  await expect(page.getByRole("alert")).toContainText("did not let you in");
  await page.goto(`${house.gateway.url}/login?code=stolen&state=made-up`);
  await expect(page.getByRole("alert")).toContainText("another tab");
  expect(await tokenOf(page)).toBe("");
});
