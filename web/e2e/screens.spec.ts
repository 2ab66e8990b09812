import { violations } from "./axe.mjs";
import { expect, test } from "./console";

// In parts, which workers share out among themselves.
const parts = {
  operate: ["/", "/welcome", "/playground", "/playground?kind=video", "/playground?kind=text", "/tasks", "/tasks?view=gallery"],
  watch: ["/usage", "/audit", "/webhooks", "/webhooks?account=demo", "/accounts", "/accounts/demo", "/accounts?add=true", "/nowhere"],
  configure: ["/configs", "/configs?add=replicate", "/keys", "/keys?add=true", "/models", "/models?edit=auto", "/models?edit=%2B"],
  settings: ["/settings", "/settings?tab=filter", "/settings?tab=notices", "/settings?tab=transfer", "/settings?tab=about"],
};

const looks = [
  { name: "light", theme: "light", language: "en", width: 1440, height: 900 },
  { name: "dark, Chinese", theme: "dark", language: "zh", width: 1440, height: 900 },
  { name: "phone", theme: "dark", language: "en", width: 390, height: 844 },
] as const;

for (const look of looks) {
  for (const [part, screens] of Object.entries(parts)) {
    test(`every screen is accessible and fits: ${look.name}, ${part}`, async ({ console: page, open }) => {
      await page.setViewportSize({ width: look.width, height: look.height });
      await page.addInitScript(({ theme, language }) => {
        localStorage.setItem("easel.theme", theme);
        localStorage.setItem("easel.language", language);
      }, look);
      for (const path of screens) {
        await open(page, path);
        await expect(page.locator("h1")).toBeVisible();
        // Grey bars stand where something still loads.
        await expect(page.locator(".animate-pulse")).toHaveCount(0);
        const found = await violations(page);
        expect(found.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${path}: ${v.rule} ${v.at} ${v.why}`)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${path} scrolls sideways`).toBeLessThanOrEqual(look.width);
        expect(await page.locator("html").getAttribute("lang")).toBe(look.language === "zh" ? "zh-Hans" : "en");
        expect(await page.title()).toMatch(/\S · Easel$/);
      }
    });
  }
}

test("the page's policy allows nothing inline and nothing from elsewhere", async ({ console: page, open }) => {
  const response = await open(page, "/");
  const policy = response?.headers()["content-security-policy"] ?? "";
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"]) expect(policy.split("; ")).toContain(part);
  expect(policy).not.toContain("unsafe");
  const icon = await page.request.get(new URL("favicon.svg", page.url()).toString());
  expect([icon.status(), icon.headers()["content-type"]]).toEqual([200, "image/svg+xml"]);
});
