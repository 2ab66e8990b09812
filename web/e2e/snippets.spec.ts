import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "./console";
import { callerKey } from "./server";

const run = promisify(execFile);

/** How a program that was pasted into a file is run, and whether the machine can. */
const languages = [
  { name: "curl", file: "call.sh", command: "bash", needs: ["bash", "curl"] },
  { name: "JavaScript", file: "call.mjs", command: "node", needs: ["node"] },
  { name: "Python", file: "call.py", command: "python3", needs: ["python3"] },
  { name: "Go", file: "main.go", command: "go", arguments: ["run"], needs: ["go"] },
];

const missing = async (program: string) => run("sh", ["-c", `command -v ${program}`]).then(() => false, () => true);

for (const { kind, wanted } of [
  { kind: "image", wanted: /succeeded.*https?:\/\// },
  { kind: "text", wanted: /\w{3}/ },
]) {
  for (const language of languages) {
    test(`the playground's call works when pasted: ${kind}, ${language.name}`, async ({ console: page, open }) => {
      for (const program of language.needs) test.skip(await missing(program), `${program} is not on this machine`);
      await open(page, `/playground?kind=${kind}`);
      await page.getByLabel("Prompt", { exact: true }).fill(`It's "a" \`kite\` – 风筝`);
      await page.getByRole("button", { name: language.name, exact: true }).click();
      const code = await page.getByRole("region", { name: language.name }).locator("code").textContent();
      const folder = await mkdtemp(join(tmpdir(), "easel-snippet-"));
      try {
        const file = join(folder, language.file);
        await writeFile(file, code ?? "");
        const { stdout } = await run(language.command, [...(language.arguments ?? []), file], {
          env: { ...process.env, EASEL_API_KEY: callerKey },
          timeout: 170_000,
        });
        expect(stdout.replaceAll("\n", " ")).toMatch(wanted);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
}
