import { test as base, expect, type APIRequestContext, type Locator, type Page } from "@playwright/test";

/** The provider key that the tests store; no answer may ever hold it. */
export const providerSecret = "e2e-provider-secret-7Qx4";

const gateway = () => process.env["EASEL_URL"] ?? "";
const adminKey = () => process.env["EASEL_ADMIN_KEY"] ?? "";

/** The admin API, for what a test must prepare or check behind the console's back. */
export class Admin {
  private readonly http: APIRequestContext;

  constructor(http: APIRequestContext) {
    this.http = http;
  }

  async call<T>(method: string, path: string, data?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await this.http.fetch(`${gateway()}${path}`, {
      method,
      headers: { Authorization: `Bearer ${adminKey()}`, ...headers },
      ...(data === undefined ? {} : { data }),
    });
    const body = await response.text();
    expect(response.ok(), `${method} ${path}: ${response.status()} ${body}`).toBe(true);
    return (body === "" ? undefined : JSON.parse(body)) as T;
  }

  /** The status of a call made with any token. */
  async status(token: string, path: string, method = "GET"): Promise<number> {
    const response = await this.http.fetch(`${gateway()}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
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

interface Fixtures {
  admin: Admin;
  /** A page that is logged in as admin. */
  console: Page;
  /** Everything that a page must never do is watched in every test. */
  watch: (page: Page) => void;
}

export const test = base.extend<Fixtures>({
  admin: async ({ playwright }, use) => {
    const http = await playwright.request.newContext();
    await use(new Admin(http));
    await http.dispose();
  },
  // Fixtures of Playwright name what they need by taking it apart; this one needs nothing.
  // eslint-disable-next-line no-empty-pattern
  watch: async ({}, use) => {
    const sins: string[] = [];
    await use((page) => {
      page.on("console", (message) => {
        // The browser itself reports each refused request; the tests that provoke one check the answer.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) sins.push(`console: ${message.text()}`);
      });
      page.on("pageerror", (error) => sins.push(`error: ${error.message}`));
      page.on("request", (request) => {
        if (!request.url().startsWith(gateway()) && !/^(data|blob):/.test(request.url())) sins.push(`request to another origin: ${request.url()}`);
      });
      page.on("response", (response) => {
        if (!new URL(response.url()).pathname.startsWith("/api/") || response.headers()["content-type"]?.includes("event-stream")) return;
        response.text().then(
          (body) => {
            if (body.includes(providerSecret) || body.includes(adminKey())) sins.push(`a secret in the answer of ${response.url()}`);
          },
          () => undefined,
        );
      });
    });
    expect(sins).toEqual([]);
  },
  console: async ({ page, watch }, use) => {
    watch(page);
    await page.addInitScript((token) => {
      if (sessionStorage.getItem("e2e") === null) {
        sessionStorage.setItem("e2e", "1");
        sessionStorage.setItem("easel.token", token);
      }
      localStorage.setItem("easel.language", "en");
    }, adminKey());
    await use(page);
  },
});

/** Opens a screen by its path. */
export const open = (page: Page, path: string) => page.goto(`${gateway()}${path}`);

/** The row of a config in the table of configs. */
export const configRow = (page: Page, name: string): Locator => page.locator(`tr[data-config="${name}"]`);

export { adminKey, expect, gateway };
