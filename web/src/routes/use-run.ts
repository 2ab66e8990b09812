import { useCallback, useEffect, useRef, useState } from "react";
import { followTask } from "../services/events";
import { generate, streamText, taskOfProblem, type GenerateBody } from "../services/generate";
import { request } from "../services/http";
import { taskWire, toTask, type Task } from "../services/tasks";

/** One generation that the playground watches. */
export interface Run {
  state: "idle" | "running" | "done";
  task: Task | undefined;
  /** The text so far, of a text task. */
  text: string;
  error: Error | undefined;
  startedAt: number | undefined;
}

const idle: Run = { state: "idle", task: undefined, text: "", error: undefined, startedAt: undefined };
const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
const readTask = (id: string) => request(taskWire.transform(toTask), `api/admin/tasks/${encodeURIComponent(id)}`);

/** Runs generations one after the other, and follows the present one while it happens. */
export function useRun(onTask: (id: string) => void) {
  const [run, setRun] = useState<Run>(idle);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  const begin = useCallback(() => {
    abort.current?.abort();
    abort.current = new AbortController();
    setRun({ ...idle, state: "running", startedAt: Date.now() });
    return abort.current.signal;
  }, []);

  const end = useCallback((signal: AbortSignal, error?: unknown) => {
    if (signal.aborted) return;
    setRun((now) => ({ ...now, state: "done", error: error === undefined ? undefined : asError(error) }));
  }, []);

  const follow = useCallback(
    async (id: string, signal: AbortSignal) => {
      await followTask(id, (task) => setRun((now) => ({ ...now, task, startedAt: task.createdAt.getTime() })), signal);
    },
    [],
  );

  /** Watches a task that exists already. */
  const watch = useCallback(
    async (id: string) => {
      const signal = begin();
      try {
        const task = await readTask(id);
        setRun((now) => ({ ...now, task, text: task.text, startedAt: task.createdAt.getTime() }));
        if (task.finishedAt === undefined) await follow(id, signal);
        end(signal);
      } catch (error) {
        end(signal, error);
      }
    },
    [begin, end, follow],
  );

  const picture = useCallback(
    async (body: GenerateBody) => {
      const signal = begin();
      try {
        const task = await generate(body, crypto.randomUUID());
        if (signal.aborted) return;
        setRun((now) => ({ ...now, task }));
        onTask(task.id);
        await follow(task.id, signal);
        end(signal);
      } catch (error) {
        end(signal, error);
      }
    },
    [begin, end, follow, onTask],
  );

  const text = useCallback(
    async (body: GenerateBody) => {
      const signal = begin();
      const finish = async (id: string) => {
        const task = await readTask(id);
        setRun((now) => ({ ...now, task, text: task.text || now.text }));
        onTask(id);
      };
      try {
        const id = await streamText(body, crypto.randomUUID(), (piece) => setRun((now) => ({ ...now, text: now.text + piece })), signal);
        await finish(id);
        end(signal);
      } catch (error) {
        const id = taskOfProblem(asError(error));
        if (id !== undefined) await finish(id).catch(() => undefined);
        end(signal, error);
      }
    },
    [begin, end, onTask],
  );

  return { run, picture, text, watch };
}
