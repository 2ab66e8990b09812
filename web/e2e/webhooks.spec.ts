import { createHmac } from "node:crypto";
import { expect, test } from "./console";
import { receive, type Report } from "./receiver";
import { callerKey } from "./server";

/** Whether one of a report's signatures was made with the secret, after Standard Webhooks. */
function signed({ headers, body }: Report, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`).digest("base64");
  return String(headers["webhook-signature"]).split(" ").includes(`v1,${mac}`);
}

test("a webhook secret is rotated, and what is redelivered is signed with it", async ({ console: page, open, server }) => {
  const receiver = await receive();
  try {
    const made = await page.request.post(`${server.url}/api/generate`, {
      headers: { Authorization: `Bearer ${callerKey}` },
      data: { prompt: "a report", callback_url: receiver.url },
    });
    const task = (await made.json()) as { id: string };
    await expect.poll(() => receiver.reports.length).toBeGreaterThan(0);

    await open(page, "/webhooks?account=demo");
    await expect(page.getByText("the deployment's secret")).toBeVisible();
    await page.getByRole("button", { name: "Give it a secret of its own" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make a new secret" }).click();
    const once = page.getByRole("dialog", { name: "Your new secret" });
    const secret = ((await once.getByRole("region").locator("code").textContent()) ?? "").trim();
    expect(secret).toMatch(/^whsec_/);
    await once.getByRole("button", { name: "I have stored it" }).click();
    await expect(page.getByText(secret)).toHaveCount(0);
    await expect(page.getByText("a secret of its own", { exact: true })).toBeVisible();
    await expect(page.getByText("Older secrets until")).toBeVisible();

    const row = page.getByRole("row", { name: new RegExp(task.id.slice(0, 18)) });
    await expect(row).toContainText("Delivered");
    const before = receiver.reports.length;
    await row.getByRole("button", { name: "Redeliver" }).click();
    await expect.poll(() => receiver.reports.length).toBeGreaterThan(before);
    const last = receiver.reports.at(-1);
    expect(last && signed(last, secret), "the new secret signs").toBe(true);
    expect(String(last?.headers["webhook-signature"]).split(" "), "the one before signs too").toHaveLength(2);
  } finally {
    await receiver.stop();
  }
});

// An endpoint is disabled after days of failing, so the server's answer is made up here; adminapi has the tests of the real one.
test("a dead endpoint is seen and enabled again", async ({ console: page, open }) => {
  let dead = true;
  const answer = () => ({
    account: "demo",
    own: false,
    endpoints: dead ? [{ endpoint: "dead.example.com/hook", failed: ["a", "b", "c", "d", "e"], last_failed_at: "2026-11-01T10:00:00Z", disabled_at: "2026-11-01T10:00:00Z" }] : [],
  });
  await page.route("**/api/admin/accounts/demo/webhooks", (route) => route.fulfill({ json: answer() }));
  await page.route("**/api/admin/accounts/demo/webhooks/enable", (route) => {
    expect(route.request().postDataJSON()).toEqual({ endpoint: "dead.example.com/hook" });
    dead = false;
    return route.fulfill({ json: answer() });
  });
  await open(page, "/accounts/demo");
  const endpoint = page.getByRole("listitem").filter({ hasText: "dead.example.com/hook" });
  await expect(endpoint).toContainText("Endpoint disabled");
  await expect(endpoint).toContainText("5 tasks in a row");
  await endpoint.getByRole("button", { name: "Enable again" }).click();
  await expect(page.getByText(/^None\. An endpoint comes here/)).toBeVisible();
});
