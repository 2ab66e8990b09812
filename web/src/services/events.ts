import { send } from "./http";
import { BadAnswer } from "./problem";
import { isTerminal, taskWire, toTask, type Task } from "./tasks";

/** One event of a server-sent stream. */
export interface ServerEvent {
  event: string;
  id: string;
  data: string;
}

/**
 * Cuts a server-sent stream into events. Feed it text as it arrives; it keeps
 * what is incomplete for the next call. Comments and retry lines are skipped.
 */
export function eventReader(): (chunk: string) => ServerEvent[] {
  let rest = "";
  let open = { event: "message", id: "", data: [] as string[] };
  return (chunk) => {
    const events: ServerEvent[] = [];
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (open.data.length > 0) events.push({ event: open.event, id: open.id, data: open.data.join("\n") });
        open = { event: "message", id: open.id, data: [] };
        continue;
      }
      const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (field === "event") open.event = value;
      if (field === "id") open.id = value;
      if (field === "data") open.data.push(value);
    }
    return events;
  };
}

/** Reads the task inside an event; undefined when the event is about something else. */
function taskOf(event: ServerEvent): Task | undefined {
  try {
    const read = taskWire.safeParse(JSON.parse(event.data));
    return read.success ? toTask(read.data) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the events of a response as they arrive; leaving the loop ends the stream. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  if (response.body === null) throw new BadAnswer("the event stream has no body");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const cut = eventReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* cut(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function* taskStates(id: string, signal: AbortSignal): AsyncGenerator<Task> {
  const response = await send(`api/task/${encodeURIComponent(id)}/events`, {
    headers: { Accept: "text/event-stream" },
    signal,
  });
  for await (const event of readEvents(response)) {
    const task = taskOf(event);
    if (task) yield task;
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/**
 * Follows a task over server-sent events until it ends: calls onTask with each
 * state, reconnects when the stream breaks, and stops quietly when aborted.
 * Rejects only when the server refuses.
 */
export async function followTask(id: string, onTask: (task: Task) => void, signal: AbortSignal): Promise<void> {
  const stopped = () => signal.aborted;
  for (let tries = 0; !stopped(); tries++) {
    try {
      for await (const task of taskStates(id, signal)) {
        tries = 0;
        onTask(task);
        if (isTerminal(task.status)) return;
      }
    } catch (error) {
      if (stopped()) return;
      if (error instanceof Error && error.name === "Problem") throw error;
    }
    await pause(Math.min(250 * 2 ** tries, 5000), signal);
  }
}
