import { queryOptions } from "@tanstack/react-query";
import { readEvents } from "./events";
import { request, send } from "./http";
import { BadAnswer, Problem } from "./problem";
import { taskWire, toTask } from "./tasks";
import { count, list, text, z } from "./zod";

/** The body of a generation, by its names on the wire; empty members are left out before it is sent. */
export type GenerateBody = Record<string, unknown>;

/** Begins an image or a video, and answers with its task at once. */
export const generate = (body: GenerateBody, once: string) =>
  request(taskWire.transform(toTask), "api/generate", {
    method: "POST",
    body,
    once,
    headers: { Prefer: "respond-async" },
  });

const pieceWire = z.object({ text: z.string() });
const doneWire = z.object({ id: z.string(), text });

function parse<S extends z.ZodType>(schema: S, data: string): z.output<S> {
  const read = schema.safeParse(JSON.parse(data));
  if (!read.success) throw new BadAnswer("an event of the text's stream breaks the contract");
  return read.data;
}

/** Asks for a text and calls onPiece with each piece as it arrives. Returns the task's id. */
export async function streamText(body: GenerateBody, once: string, onPiece: (text: string) => void, signal: AbortSignal): Promise<string> {
  const response = await send("api/prompt", {
    method: "POST",
    body: { ...body, stream: true },
    once,
    headers: { Accept: "text/event-stream" },
    signal,
  });
  for await (const event of readEvents(response)) {
    if (event.event === "delta") onPiece(parse(pieceWire, event.data).text);
    if (event.event === "done") return parse(doneWire, event.data).id;
    if (event.event === "error") throw new Problem(502, JSON.parse(event.data));
  }
  throw new BadAnswer("the text's stream ended early");
}

/** The task that a failed call was about, if the server says so. */
export function taskOfProblem(error: Error): string | undefined {
  if (!(error instanceof Problem)) return undefined;
  const read = z.object({ task: z.string() }).safeParse(error.body);
  return read.success ? read.data.task : undefined;
}

const quoteWire = z.object({
  credits: z.number(),
  lines: list(z.object({ what: text, quantity: count, credits: count })),
});

/** The price of a request, before it is sent. */
export interface Quote {
  credits: number;
  lines: { what: string; quantity: number; credits: number }[];
}

export function quoteQuery(body: GenerateBody, enabled: boolean) {
  return queryOptions({
    queryKey: ["quote", body] as const,
    queryFn: ({ signal }) =>
      request(
        quoteWire.transform((w): Quote => ({ credits: w.credits, lines: w.lines })),
        "api/quote",
        { method: "POST", body, signal },
      ),
    enabled,
    staleTime: 30_000,
    retry: false,
  });
}
