// How the browser is started for screenshots and tests: a Chromium of the machine, with nothing that calls home.
export const executablePath = process.env.CHROME_PATH ?? "/usr/bin/chromium";
export const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
