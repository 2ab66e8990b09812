import { beforeEach, expect, it, vi } from "vitest";
import { dropDraft, dropDrafts, keepDraft, keptDraft } from "../src/services/draft";

class Storage {
  [name: string]: unknown;
}

beforeEach(() => {
  const kept = new Storage();
  Object.defineProperties(kept, {
    getItem: { value: (name: string) => (kept[name] as string | undefined) ?? null },
    setItem: { value: (name: string, text: string) => void (kept[name] = text) },
    removeItem: { value: (name: string) => Reflect.deleteProperty(kept, name) },
  });
  vi.stubGlobal("sessionStorage", kept);
});

it("a draft is kept with its version until it is dropped", () => {
  keepDraft("model/a", { draft: { title: "x" }, version: 3 });
  expect(keptDraft("model/a")).toEqual({ draft: { title: "x" }, version: 3 });
  expect(keptDraft("model/b")).toBeUndefined();
  dropDraft("model/a");
  expect(keptDraft("model/a")).toBeUndefined();
});

it("a logout forgets every draft and nothing else", () => {
  keepDraft("model/a", { draft: {}, version: "new" });
  keepDraft("key/b", { draft: {}, version: 1 });
  sessionStorage.setItem("easel.oidc", "state");
  dropDrafts();
  expect(keptDraft("model/a")).toBeUndefined();
  expect(keptDraft("key/b")).toBeUndefined();
  expect(sessionStorage.getItem("easel.oidc")).toBe("state");
});
