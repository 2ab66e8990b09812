/** The languages that a call is shown in. */
export const snippetLanguages = ["curl", "javascript", "python", "go"] as const;

export type SnippetLanguage = (typeof snippetLanguages)[number];

const indent = (text: string, by: string) => text.replaceAll("\n", `\n${by}`);

/** A text inside single quotes of a shell. */
const shell = (text: string) => text.replaceAll("'", String.raw`'\''`);

function python(value: unknown, by = ""): string {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null || value === undefined) return "None";
  if (Array.isArray(value)) return `[${value.map((item) => python(item, by)).join(", ")}]`;
  if (typeof value === "object") {
    const lines = Object.entries(value).map(([name, item]) => `${by}    ${JSON.stringify(name)}: ${python(item, `${by}    `)},`);
    return `{\n${lines.join("\n")}\n${by}}`;
  }
  return JSON.stringify(value);
}

/** The body as a Go string literal. */
function goLiteral(json: string): string {
  return json.includes("`") ? JSON.stringify(json) : `\`${json}\``;
}

/** Where pictures and videos, and where texts are asked for. */
export type CallPath = "api/generate" | "api/prompt";

/**
 * The same call in a program: creates the task and waits for its result. The
 * key is read from the variable EASEL_API_KEY and never written down.
 */
export function snippet(language: SnippetLanguage, origin: string, path: CallPath, body: Record<string, unknown>): string {
  const url = `${origin.replace(/\/$/, "")}/${path}`;
  const json = JSON.stringify(body, null, 2);
  switch (language) {
    case "curl":
      return `curl ${url} \\
  -H "Authorization: Bearer $EASEL_API_KEY" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: $(uuidgen)" \\
  -H "Prefer: wait=60" \\
  -d '${shell(json)}'`;
    case "javascript":
      return `const response = await fetch("${url}", {
  method: "POST",
  headers: {
    Authorization: \`Bearer \${process.env.EASEL_API_KEY}\`,
    "Content-Type": "application/json",
    "Idempotency-Key": crypto.randomUUID(),
    Prefer: "wait=60",
  },
  body: JSON.stringify(${indent(json, "  ")}),
});
if (!response.ok) throw new Error(await response.text());
const task = await response.json();
console.log(task.status, task.outputs?.[0]?.url ?? task.text);`;
    case "python":
      return `import os, uuid
import requests

response = requests.post(
    "${url}",
    headers={
        "Authorization": f"Bearer {os.environ['EASEL_API_KEY']}",
        "Idempotency-Key": str(uuid.uuid4()),
        "Prefer": "wait=60",
    },
    json=${python(body, "    ")},
    timeout=90,
)
response.raise_for_status()
task = response.json()
print(task["status"], task.get("outputs") or task.get("text"))`;
    case "go":
      return `package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	body := ${goLiteral(json)}
	request, err := http.NewRequest(http.MethodPost, "${url}", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("EASEL_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Prefer", "wait=60")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Status, string(answer))
}`;
  }
}
