import { defineConfig } from "@playwright/test";
import { cpus } from "node:os";
import { args, executablePath } from "./browser.mjs";

// Each worker has a gateway of its own, so that tests of different workers cannot meet. Within a worker they run one
// after the other, and none depends on another but where a file says so. One gateway at EASEL_URL takes one worker.
export default defineConfig({
  testDir: ".",
  outputDir: "../test-results",
  globalSetup: "./build.ts",
  workers: process.env["EASEL_URL"] ? 1 : Math.min(4, Math.max(2, cpus().length)),
  fullyParallel: true,
  forbidOnly: process.env["CI"] !== undefined,
  timeout: 180_000,
  expect: { timeout: 60_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    launchOptions: { executablePath, args },
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    contextOptions: { reducedMotion: "reduce" },
    actionTimeout: 60_000,
    screenshot: "only-on-failure",
    // Recording every test for the one that fails costs much; `npm run e2e -- --trace retain-on-failure` does.
    trace: "off",
  },
});
