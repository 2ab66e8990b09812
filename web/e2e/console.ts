import { test as base, expect, type APIRequestContext, type Locator, type Page } from "@playwright/test";
import { startGateway, type Gateway } from "./server";

/** The provider key that the tests store; no answer may ever hold it. */
export const providerSecret = "e2e-provider-secret-7Qx4";

/** The admin API, for what a test must prepare or check behind the console's back. */
export class Admin {
  private readonly http: APIRequestContext;
  private readonly server: Gateway;

  constructor(http: APIRequestContext, server: Gateway) {
    this.http = http;
    this.server = server;
  }

  async call<T>(method: string, path: string, data?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await this.http.fetch(`${this.server.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.server.adminKey}`, ...headers },
      ...(data === undefined ? {} : { data }),
    });
    const body = await response.text();
    expect(response.ok(), `${method} ${path}: ${response.status()} ${body}`).toBe(true);
    return (body === "" ? undefined : JSON.parse(body)) as T;
  }

  /** The status of a call made with any token. */
  async status(token: string, path: string, method = "GET", data?: unknown): Promise<number> {
    const response = await this.http.fetch(`${this.server.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(data === undefined ? {} : { data }),
    });
    return response.status();
  }

  async configs(kind: string): Promise<WireConfig[]> {
    const all = await this.call<{ data: WireConfig[] }>("GET", "/api/admin/configs");
    return all.data.filter((config) => config.kind === kind);
  }
}

export interface WireConfig {
  id: string;
  name: string;
  kind: string;
  provider: string;
  base_url: string;
  model: string;
  active: boolean;
  version: number;
  timeout_seconds: number;
}

/** Watches everything that a page must never do; other origins than the gateway's are named. */
type Watch = (page: Page, server: Gateway, ...origins: string[]) => void;

interface Fixtures {
  admin: Admin;
  /** A page that is logged in as admin. */
  console: Page;
  watch: Watch;
  /** Opens a screen by its path. */
  open: (page: Page, path: string) => ReturnType<Page["goto"]>;
}

/** Logs a page in with a token, before it is opened. */
export async function logIn(page: Page, token: string) {
  await page.addInitScript((key) => {
    if (sessionStorage.getItem("e2e") === null) {
      sessionStorage.setItem("e2e", "1");
      sessionStorage.setItem("easel.token", key);
    }
    localStorage.setItem("easel.language", "en");
  }, token);
}

export const test = base.extend<Fixtures, { server: Gateway }>({
  server: [
    // Fixtures of Playwright name what they need by taking it apart; this one needs nothing.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await startGateway();
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 180_000 },
  ],
  admin: async ({ playwright, server }, use) => {
    const http = await playwright.request.newContext();
    await use(new Admin(http, server));
    await http.dispose();
  },
  // eslint-disable-next-line no-empty-pattern
  watch: async ({}, use) => {
    const sins: string[] = [];
    await use((page, server, ...origins) => {
      page.on("console", (message) => {
        // The browser itself reports each refused request; the tests that provoke one check the answer.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) sins.push(`console: ${message.text()}`);
      });
      page.on("pageerror", (error) => sins.push(`error: ${error.message}`));
      page.on("request", (request) => {
        const known = [server.url, ...origins].some((origin) => request.url().startsWith(origin));
        if (!known && !/^(data|blob):/.test(request.url())) sins.push(`request to another origin: ${request.url()}`);
      });
      page.on("response", (response) => {
        if (!new URL(response.url()).pathname.startsWith("/api/") || response.headers()["content-type"]?.includes("event-stream")) return;
        response.text().then(
          (body) => {
            if (body.includes(providerSecret) || body.includes(server.adminKey)) sins.push(`a secret in the answer of ${response.url()}`);
          },
          () => undefined,
        );
      });
    });
    expect(sins).toEqual([]);
  },
  open: async ({ server }, use) => {
    await use((page, path) => page.goto(`${server.url}${path}`));
  },
  console: async ({ page, watch, server }, use) => {
    watch(page, server);
    await logIn(page, server.adminKey);
    await use(page);
  },
});

/** The row of a config in the table of configs. */
export const configRow = (page: Page, name: string): Locator => page.locator(`tr[data-config="${name}"]`);

export { expect };
