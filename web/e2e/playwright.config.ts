import { defineConfig } from "@playwright/test";
import { args, executablePath } from "./browser.mjs";

// Tests share one gateway and change it, so they run one after the other.
export default defineConfig({
  testDir: ".",
  outputDir: "../test-results",
  globalSetup: "./server.ts",
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env["CI"] !== undefined,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    launchOptions: { executablePath, args },
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    contextOptions: { reducedMotion: "reduce" },
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
  },
});
