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

/** What a call in a program is made of. */
interface Call {
  origin: string;
  path: CallPath;
  url: string;
  json: string;
  body: Record<string, unknown>;
}

// Each program needs nothing but its language: paste it and run it.

function curl({ url, json, path }: Call): string {
  const once = path === "api/generate" ? ['-H "Idempotency-Key: $(date +%s)-$$"', '-H "Prefer: wait=60"'] : [];
  const options = ['-H "Authorization: Bearer $EASEL_API_KEY"', '-H "Content-Type: application/json"', ...once, `-d '${shell(json)}'`];
  return `curl -s ${url} \\\n${options.map((option) => `  ${option}`).join(" \\\n")}`;
}

function javascript({ origin, url, json, path }: Call): string {
  const head = `const headers = {
  Authorization: \`Bearer \${process.env.EASEL_API_KEY}\`,
  "Content-Type": "application/json",
};
const read = async (response) => {
  if (!response.ok) throw new Error(await response.text());
  return response.json();
};
`;
  if (path === "api/prompt") {
    return `${head}
const answer = await read(await fetch("${url}", {
  method: "POST",
  headers,
  body: JSON.stringify(${indent(json, "  ")}),
}));
console.log(answer.text);`;
  }
  return `${head}
let task = await read(await fetch("${url}", {
  method: "POST",
  headers: { ...headers, "Idempotency-Key": crypto.randomUUID(), Prefer: "wait=60" },
  body: JSON.stringify(${indent(json, "  ")}),
}));
while (task.status === "queued" || task.status === "processing") {
  await new Promise((done) => setTimeout(done, 2000));
  task = await read(await fetch(\`${origin}/api/task/\${task.id}\`, { headers }));
}
console.log(task.status, task.outputs?.[0]?.url ?? task.error);`;
}

function pythonProgram({ origin, url, body, path }: Call): string {
  const head = `import json, os, time, urllib.request, uuid

headers = {
    "Authorization": f"Bearer {os.environ['EASEL_API_KEY']}",
    "Content-Type": "application/json",
}


def call(url, body=None, **more):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {**headers, **more})
    with urllib.request.urlopen(request, timeout=90) as response:
        return json.load(response)

`;
  if (path === "api/prompt") {
    return `${head}
answer = call("${url}", ${python(body)})
print(answer["text"])`;
  }
  return `${head}
task = call("${url}", ${python(body)}, **{"Idempotency-Key": str(uuid.uuid4()), "Prefer": "wait=60"})
while task["status"] in ("queued", "processing"):
    time.sleep(2)
    task = call(f"${origin}/api/task/{task['id']}")
print(task["status"], task["outputs"][0]["url"] if task.get("outputs") else task.get("error"))`;
}

function goProgram({ origin, url, json, path }: Call): string {
  const waits = path === "api/generate";
  const fields = waits ? 'ID, Status string\n\tOutputs    []struct{ URL string }\n\tError      any' : "Text string";
  const work = waits
    ? `	result := call(http.MethodPost, "${url}", body)
	for result.Status == "queued" || result.Status == "processing" {
		time.Sleep(2 * time.Second)
		result = call(http.MethodGet, "${origin}/api/task/"+result.ID, "")
	}
	fmt.Println(result.Status, result.Outputs, result.Error)`
    : `	fmt.Println(call(http.MethodPost, "${url}", body).Text)`;
  return `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"${waits ? '\n\t"time"' : ""}
)

type answer struct {
	${fields}
}

func call(method, url, body string) (a answer) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("EASEL_API_KEY"))
	request.Header.Set("Content-Type", "application/json")${waits ? '\n\trequest.Header.Set("Prefer", "wait=60")' : ""}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	if response.StatusCode/100 != 2 {
		log.Fatal(response.Status, " ", string(text))
	}
	if err := json.Unmarshal(text, &a); err != nil {
		log.Fatal(err)
	}
	return a
}

func main() {
	body := ${goLiteral(json)}
${work}
}`;
}

/**
 * The same call in a program: makes it, waits for its result and prints it. The
 * key is read from the variable EASEL_API_KEY and never written down.
 */
export function snippet(language: SnippetLanguage, address: string, path: CallPath, body: Record<string, unknown>): string {
  const origin = address.replace(/\/$/, "");
  const call: Call = { origin, path, url: `${origin}/${path}`, json: JSON.stringify(body, null, 2), body };
  switch (language) {
    case "curl":
      return curl(call);
    case "javascript":
      return javascript(call);
    case "python":
      return pythonProgram(call);
    case "go":
      return goProgram(call);
  }
}
