import type { Page } from "@playwright/test";

export interface Violation {
  impact: string | null | undefined;
  rule: string;
  at: string;
  why: string;
}

export function violations(page: Page): Promise<Violation[]>;
