import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

// What the tests run against, in this order: the gateway at EASEL_URL (with
// EASEL_ADMIN_KEY), the stand-in with EASEL_E2E=mock, else `easel serve`, built
// from this tree and started on a free port.

const web = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const root = resolve(web, "..");
const adminKey = "esl_e2eadmin0001_0123456789abcdef0123456789abcdef";
const callerKey = "esl_e2ecaller001_0123456789abcdef0123456789abcdef";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const ok = await fetch(`${url}/healthz`).then((r) => r.ok, () => false);
    if (ok) return;
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new Error("the server did not start within a minute");
}

function buildGateway(): string {
  const binary = resolve(web, "test-results", "bin", "easel");
  mkdirSync(dirname(binary), { recursive: true });
  execFileSync("go", ["build", "-buildvcs=false", "-o", binary, "./cmd/easel"], { cwd: root, stdio: "inherit" });
  return binary;
}

function start(port: number): ChildProcess {
  if (process.env["EASEL_E2E"] === "mock") {
    const env = { ...process.env, MOCK_PORT: String(port), MOCK_PACE_MS: "150", EASEL_ADMIN_KEY: adminKey };
    return spawn(process.execPath, ["mock/server.mjs"], { cwd: web, env, stdio: ["ignore", "ignore", "inherit"] });
  }
  const engine = resolve(root, ".tools", "bin", "dynoxide");
  const env = {
    ...process.env,
    EASEL_ADDR: `127.0.0.1:${port}`,
    EASEL_ADMIN_KEY: adminKey,
    EASEL_API_KEY: callerKey,
    EASEL_DATA: "",
    EASEL_SIMULATOR_LATENCY_MS: "100",
    ...(process.env["EASEL_DYNOXIDE"] ? {} : existsSync(engine) ? { EASEL_DYNOXIDE: engine } : {}),
  };
  return spawn(buildGateway(), ["serve"], { cwd: root, env, stdio: ["ignore", "ignore", "inherit"] });
}

export default async function globalSetup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env["EASEL_URL"]) {
    if (!process.env["EASEL_ADMIN_KEY"]) throw new Error("EASEL_URL needs EASEL_ADMIN_KEY");
    return undefined;
  }
  const port = await freePort();
  const child = start(port);
  const url = `http://127.0.0.1:${port}`;
  await answers(url, child);
  process.env["EASEL_URL"] = url;
  process.env["EASEL_ADMIN_KEY"] = adminKey;
  return async () => {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };
}
