import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { binary, root } from "./server";

/** Builds the gateway that the tests start, once for all of them. */
export default function globalSetup(): void {
  if (process.env["EASEL_URL"]) {
    if (!process.env["EASEL_ADMIN_KEY"]) throw new Error("EASEL_URL needs EASEL_ADMIN_KEY");
    return;
  }
  mkdirSync(dirname(binary), { recursive: true });
  execFileSync("go", ["build", "-buildvcs=false", "-o", binary, "./cmd/easel"], { cwd: root, stdio: "inherit" });
}
