import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const web = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** The project's folder, and where the tests' gateway is built to. */
export const root = resolve(web, "..");
export const binary = resolve(web, "test-results", "bin", "easel");

export const adminKey = "esl_e2eadmin0001_0123456789abcdef0123456789abcdef";
export const callerKey = "esl_e2ecaller001_0123456789abcdef0123456789abcdef";

/** A running gateway. */
export interface Gateway {
  url: string;
  adminKey: string;
  stop: () => Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 480; tries++) {
    if (child.exitCode !== null) return false;
    const ok = await fetch(`${url}/healthz`).then((r) => r.ok, () => false);
    if (ok) return true;
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new Error("the gateway did not start within two minutes");
}

/** Starts `easel serve` with nothing in it but the demo, or takes the gateway at EASEL_URL. */
export async function startGateway(more: Record<string, string> = {}): Promise<Gateway> {
  const given = process.env["EASEL_URL"];
  if (given && Object.keys(more).length === 0) {
    return { url: given, adminKey: process.env["EASEL_ADMIN_KEY"] ?? "", stop: () => Promise.resolve() };
  }
  const engine = resolve(root, ".tools", "bin", "dynoxide");
  // Another process may take the port between its choice and its use.
  for (let tries = 0; tries < 5; tries++) {
    const port = await freePort();
    const env = {
      ...process.env,
      EASEL_ADDR: `127.0.0.1:${port}`,
      EASEL_ADMIN_KEY: adminKey,
      EASEL_API_KEY: callerKey,
      EASEL_DATA: "",
      EASEL_SIMULATOR_LATENCY_MS: "0",
      ...(process.env["EASEL_DYNOXIDE"] ? {} : existsSync(engine) ? { EASEL_DYNOXIDE: engine } : {}),
      ...more,
    };
    const child = spawn(binary, ["serve"], { cwd: root, env, stdio: ["ignore", "ignore", "ignore"] });
    const url = `http://127.0.0.1:${port}`;
    if (!(await answers(url, child))) continue;
    return {
      url,
      adminKey,
      stop: async () => {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      },
    };
  }
  throw new Error("the gateway did not start");
}
