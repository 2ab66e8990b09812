import { describe, expect, it } from "vitest";
import { bodyOf, emptyForm } from "../src/routes/playground-form";
import { pkcePair } from "../src/services/pkce";
import { snippet, snippetLanguages } from "../src/services/snippets";

describe("the playground's request", () => {
  it("holds only what was given", () => {
    expect(bodyOf("image", "flux-dev", { ...emptyForm, prompt: " a kite " })).toEqual({ model: "flux-dev", prompt: "a kite" });
  });

  it("gives a size instead of an aspect ratio, and numbers as numbers", () => {
    const form = { ...emptyForm, prompt: "x", size: "1024x1024", aspectRatio: "16:9", seed: "7", n: 2 };
    expect(bodyOf("image", "auto", form)).toEqual({ model: "auto", prompt: "x", size: "1024x1024", seed: 7, n: 2 });
  });

  it("sends no member of pictures with a text", () => {
    const form = { ...emptyForm, prompt: "x", size: "1024x1024", quality: "high", system: "be brief", maxTokens: 50 };
    expect(bodyOf("text", "auto-text", form)).toEqual({ model: "auto-text", prompt: "x", system: "be brief", max_tokens: 50 });
  });

  it("sends a duration only for a video", () => {
    const form = { ...emptyForm, prompt: "x", duration: 5 };
    expect(bodyOf("video", "pika", form)).toHaveProperty("duration", 5);
    expect(bodyOf("image", "auto", form)).not.toHaveProperty("duration");
  });
});

describe("snippets", () => {
  const body = { model: "auto", prompt: "it's `quoted` \"twice\"" };

  it.each(snippetLanguages)("in %s call the right address and never hold a key", (language) => {
    const code = snippet(language, "https://gateway.example/", "api/generate", body);
    expect(code).toContain("https://gateway.example/api/generate");
    expect(code).toContain("EASEL_API_KEY");
    expect(code).not.toContain("esl_");
  });

  it("escape a quote for the shell", () => {
    expect(snippet("curl", "http://x", "api/generate", body)).toContain(String.raw`it'\''s`);
  });

  it("use a quoted string in Go where a raw one cannot hold the body", () => {
    expect(snippet("go", "http://x", "api/generate", body)).toContain(String.raw`body := "{\n`);
    expect(snippet("go", "http://x", "api/generate", { prompt: "plain" })).toContain("body := `{");
  });

  it("write Python's own words", () => {
    expect(snippet("python", "http://x", "api/generate", { options: { fast: true, none: null } })).toContain('"fast": True');
  });
});

describe("PKCE", () => {
  it("makes the challenge of RFC 7636, appendix B", async () => {
    const pair = await pkcePair("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    expect(pair.challenge).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  });

  it("makes a new verifier each time", async () => {
    expect((await pkcePair()).verifier).not.toBe((await pkcePair()).verifier);
  });
});
