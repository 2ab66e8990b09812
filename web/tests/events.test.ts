import { describe, expect, it } from "vitest";
import { eventReader } from "../src/services/events";

describe("the event reader", () => {
  it("joins events that arrive in pieces", () => {
    const read = eventReader();
    expect(read("event: task\nid: 4\nda")).toEqual([]);
    expect(read('ta: {"a":1}\n')).toEqual([]);
    expect(read("\nevent: delta\ndata: x\n\n")).toEqual([
      { event: "task", id: "4", data: '{"a":1}' },
      { event: "delta", id: "4", data: "x" },
    ]);
  });

  it("skips comments, joins lines of data, and takes every line ending", () => {
    const read = eventReader();
    expect(read(": ping\n\nretry: 1000\n\ndata: one\r\ndata: two\r\n\r\n")).toEqual([{ event: "message", id: "", data: "one\ntwo" }]);
  });

  it("does not cut a line ending in two", () => {
    const read = eventReader();
    expect(read("data: a\r")).toEqual([]);
    expect(read("\n\r\n")).toEqual([{ event: "message", id: "", data: "a" }]);
  });

  it("keeps text with colons and leading spaces", () => {
    expect(eventReader()("data:  a: b\n\n")).toEqual([{ event: "message", id: "", data: " a: b" }]);
  });
});
