// Takes a picture of every screen: `node e2e/shots.mjs [names…]`, against the gateway at EASEL_URL, with EASEL_ADMIN_KEY.
// Also reports console errors, requests to other origins and accessibility violations.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { violations } from "./axe.mjs";
import { args, executablePath } from "./browser.mjs";

const url = process.env.EASEL_URL ?? "http://127.0.0.1:8787";
const key = process.env.EASEL_ADMIN_KEY ?? "";
const out = new URL("shots/", import.meta.url).pathname;
mkdirSync(out, { recursive: true });

const click = (role, name) => (page) => page.getByRole(role, { name }).first().click();
const screens = {
  login: ["/login", undefined, true],
  overview: ["/"],
  welcome: ["/welcome"],
  configs: ["/configs"],
  "config-edit": ["/configs", (page) => page.getByRole("button", { name: "OpenAI Images", exact: true }).click()],
  "config-add": ["/configs?add=replicate"],
  "config-test": ["/configs", async (page) => { await click("button", "Test")(page); await click("button", "Run test")(page); await page.getByTestId("test-result").waitFor(); }],
  "config-menu": ["/configs", click("button", /^Actions for/)],
  fault: ["/configs", async (page) => { await click("button", /^Actions for/)(page); await page.getByRole("menuitem", { name: /Simulate/ }).click(); }],
  playground: ["/playground"],
  "playground-run": ["/playground", async (page) => { await click("button", "Run")(page); await page.locator("[data-outcome=succeeded]").first().waitFor({ timeout: 60_000 }); }],
  tasks: ["/tasks"],
  "tasks-gallery": ["/tasks?view=gallery"],
  task: ["/tasks?status=succeeded&kind=image", async (page) => { await page.locator("tbody a").first().click(); await page.getByRole("heading", { name: "Timeline" }).waitFor(); }],
  usage: ["/usage", click("button", "Details")],
  audit: ["/audit", click("button", "Details")],
  keys: ["/keys"],
  "key-add": ["/keys?add=true"],
  accounts: ["/accounts"],
  account: ["/accounts/demo"],
  preferences: ["/accounts/demo", click("button", "Preferences")],
  unsaved: ["/keys?add=true", async (page) => { await page.getByLabel("Name", { exact: true }).fill("half done"); await page.keyboard.press("Escape"); }],
  models: ["/models"],
  "model-edit": ["/models?edit=flux-dev"],
  "model-json": ["/models?edit=flux-dev", click("button", "JSON")],
  "model-new": ["/models?edit=%2B"],
  webhooks: ["/webhooks"],
  "webhooks-account": ["/webhooks?account=demo"],
  settings: ["/settings"],
  filter: ["/settings?tab=filter", async (page) => { await page.getByRole("switch").first().click(); await page.getByRole("button", { name: "Add rule" }).click(); }],
  transfer: ["/settings?tab=transfer"],
  notices: ["/settings?tab=notices"],
  about: ["/settings?tab=about"],
  missing: ["/nowhere"],
};
const looks = [
  ["light", { width: 1440, height: 900 }, "light", "en"],
  ["dark", { width: 1440, height: 900 }, "dark", "en"],
  ["phone", { width: 390, height: 844 }, "light", "en"],
  ["phone-dark", { width: 390, height: 844 }, "dark", "zh"],
  ["small", { width: 1024, height: 768 }, "light", "en"],
  ["tablet", { width: 768, height: 1024 }, "light", "en"],
  ["zh", { width: 1280, height: 800 }, "light", "zh"],
].filter(([name]) => (process.env.LOOKS ?? "light,dark,phone").split(",").includes(name));
const wanted = process.argv.slice(2);

const browser = await chromium.launch({ executablePath, args });
let problems = 0;
for (const [look, viewport, theme, language] of looks) {
  const context = await browser.newContext({ viewport, reducedMotion: "reduce", hasTouch: look.startsWith("phone"), locale: "en-GB" });
  await context.addInitScript(([t, l]) => { localStorage.setItem("easel.theme", t); localStorage.setItem("easel.language", l); }, [theme, language]);
  for (const [name, [path, act, anonymous]] of Object.entries(screens)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    if (language !== "en" && act) continue;
    const page = await context.newPage();
    const complain = (text) => { problems++; console.log(`${look}/${name}: ${text}`); };
    page.on("console", (m) => (m.type() === "error" || m.type() === "warning") && complain(`console: ${m.text()}`));
    page.on("pageerror", (e) => complain(`error: ${e.message}`));
    page.on("request", (r) => !r.url().startsWith(url) && !/^(data|blob):/.test(r.url()) && complain(`request: ${r.url()}`));
    if (!anonymous) await page.addInitScript((k) => sessionStorage.setItem("easel.token", k), key);
    try {
      await page.goto(url + path);
      await page.waitForTimeout(900);
      await act?.(page);
      await page.waitForTimeout(700);
      if ((await page.evaluate(() => document.documentElement.scrollWidth)) > viewport.width) complain("scrolls sideways");
      await page.screenshot({ path: `${out}${name}-${look}.png`, fullPage: process.env.FULL === "1" });
      if (process.env.AXE !== "0") {
        for (const v of await violations(page)) complain(`axe ${v.impact} ${v.rule}: ${v.at} ${v.why}`);
      }
    } catch (error) {
      complain(`failed: ${error.message.split("\n").slice(0, 4).join(" / ")}`);
    }
    await page.close();
  }
  await context.close();
}
await browser.close();
console.log(problems === 0 ? "no problems" : `${problems} problems`);
