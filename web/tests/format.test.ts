import { describe, expect, it } from "vitest";
import { toCsv } from "../src/components/download";
import { formatter } from "../src/components/format";

const format = formatter("en-GB");

describe("numbers", () => {
  it.each([
    [0, "$0.00"],
    [25_000, "$0.025"],
    [1_234, "$0.00123"],
    [128_230_000, "$128.23"],
  ])("%i micro-USD is %s", (micro, text) => {
    expect(format.usd(micro)).toBe(text);
  });

  it.each([
    [80, "80 ms"],
    [4210, "4.21 s"],
    [42_100, "42.1 s"],
    [125_000, "2 min 5 s"],
  ])("%i ms is %s", (ms, text) => {
    expect(format.duration(ms)).toBe(text);
  });

  it("counts the past and the future", () => {
    const now = new Date("2026-11-22T12:00:00Z");
    expect(format.relative(new Date("2026-11-22T11:57:00Z"), now)).toMatch(/3.*min.*ago/);
    expect(format.relative(new Date("2026-11-24T12:00:00Z"), now)).toMatch(/2/);
  });
});

describe("CSV", () => {
  it("quotes what needs it and disarms formulas", () => {
    expect(toCsv([["a", 'say "hi"', "x,y", "=1+1", 5]])).toBe('a,"say ""hi""","x,y",\'=1+1,5\r\n');
  });

  it("keeps negative numbers numbers", () => {
    expect(toCsv([[-5]])).toBe("-5\r\n");
  });
});
