import { AxeBuilder } from "@axe-core/playwright";
import { expect, open, test } from "./console";

const screens = [
  "/", "/welcome", "/configs", "/configs?add=replicate", "/playground", "/tasks", "/tasks?view=gallery", "/usage", "/audit", "/keys", "/keys?add=true",
  "/accounts", "/accounts/demo", "/models", "/models?edit=auto", "/webhooks", "/settings", "/settings?tab=filter", "/settings?tab=transfer", "/settings?tab=about", "/nowhere",
];

const looks = [
  { name: "light", theme: "light", language: "en", width: 1440, height: 900 },
  { name: "dark", theme: "dark", language: "zh", width: 1440, height: 900 },
  { name: "phone", theme: "dark", language: "en", width: 390, height: 844 },
] as const;

for (const look of looks) {
  test(`every screen is accessible and fits: ${look.name}`, async ({ console: page }) => {
    test.setTimeout(240_000);
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.addInitScript(({ theme, language }) => {
      localStorage.setItem("easel.theme", theme);
      localStorage.setItem("easel.language", language);
    }, look);
    for (const path of screens) {
      await open(page, path);
      await expect(page.locator("h1")).toBeVisible();
      await page.waitForLoadState("networkidle");
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
      expect(serious.map((v) => `${path}: ${v.id} ${v.nodes[0]?.target.join(" ") ?? ""}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${path} scrolls sideways`).toBeLessThanOrEqual(look.width);
    }
  });
}

test("the page's policy allows nothing inline and nothing from elsewhere", async ({ console: page }) => {
  const response = await open(page, "/");
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'self'");
  expect(policy).not.toContain("unsafe");
});
