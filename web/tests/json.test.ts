import { describe, expect, it } from "vitest";
import { differences } from "../src/components/diff";
import { parseObject } from "../src/components/json";
import { put } from "../src/services/json";

describe("the JSON editor", () => {
  it("takes an object, and nothing for an empty one", () => {
    expect(parseObject('{"a":1}')).toEqual({ value: { a: 1 } });
    expect(parseObject("  ")).toEqual({ value: {} });
  });

  it.each(["[]", "3", "null", '"text"'])("refuses %s", (text) => {
    expect(parseObject(text)).toEqual({ line: 1, message: "object" });
  });

  it("names the line that cannot be read", () => {
    expect(parseObject('{\n  "a": 1,\n  oops\n}')).toMatchObject({ line: 3 });
  });
});

describe("differences", () => {
  it("are the members that differ, without what the server keeps for itself", () => {
    expect(differences({ a: 1, b: { c: 2 }, version: 1 }, { a: 1, b: { c: 3 }, version: 2, d: true })).toEqual([
      { name: "b", before: { c: 2 }, after: { c: 3 } },
      { name: "d", before: undefined, after: true },
    ]);
  });
});

describe("a member", () => {
  it("is changed without changing what it was in", () => {
    const before = { a: { b: 1, c: 2 }, d: [1] };
    expect(put(before, ["a", "b"], 3)).toEqual({ a: { b: 3, c: 2 }, d: [1] });
    expect(before.a.b).toBe(1);
  });

  it("keeps its place, and a new one comes last", () => {
    expect(Object.keys(put({ a: 1, b: 2 }, ["a"], 3))).toEqual(["a", "b"]);
    expect(Object.keys(put({ a: 1 }, ["b", "c"], 3))).toEqual(["a", "b"]);
  });

  it("is removed by undefined", () => {
    expect(put({ a: { b: 1 } }, ["a", "b"], undefined)).toEqual({ a: {} });
    expect(put({ a: 1 }, ["a"], undefined)).toEqual({});
  });
});
