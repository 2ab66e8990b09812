import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { fill, lookUp, translator } from "../src/i18n";
import { zh } from "../src/i18n/zh";

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe("texts", () => {
  it("have the same holes in every language", () => {
    for (const [key, text] of Object.entries(en)) {
      expect([key, holes(zh[key as keyof typeof en])]).toEqual([key, holes(text)]);
    }
  });

  it("are all there in Chinese, and none is left over", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    expect(Object.entries(zh).filter(([, text]) => text.trim() === "")).toEqual([]);
  });

  it("fill their holes and leave unknown ones alone", () => {
    expect(fill("{a} of {b}, {c}", { a: 1, b: "two" })).toBe("1 of two, {c}");
    expect(translator("zh")("configs.perMinute", { count: 60 })).toBe("60 次/分钟");
  });

  it("fall back where a word of the server is not known", () => {
    expect(lookUp(translator("en"), "fault.rate_limited", "rate_limited")).toBe("Rate limited");
    expect(lookUp(translator("en"), "fault.brand_new", "brand_new")).toBe("brand_new");
  });
});
