import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useI18n } from "../i18n";
import { describe } from "./states";
import { say } from "./toast";

interface Action<In, Out> {
  run: (input: In) => Promise<Out>;
  /** Lists that the action changes; they are read again. */
  touches: readonly QueryKey[];
  /** What to say when it worked. */
  done?: string;
  onDone?: (out: Out, input: In) => void;
  /** Errors are shown by the caller, at a form or in a dialog, and not as a toast. */
  quiet?: boolean;
}

/** An action of the operator: runs, refreshes what it changed, and says how it went. */
export function useAction<In, Out>({ run, touches, done, onDone, quiet = false }: Action<In, Out>) {
  const client = useQueryClient();
  const { t } = useI18n();
  return useMutation({
    mutationFn: run,
    onSuccess: (out, input) => {
      for (const queryKey of touches) void client.invalidateQueries({ queryKey });
      if (done) say(done);
      onDone?.(out, input);
    },
    onError: (error) => {
      if (!quiet) say(describe(error, t), true);
    },
  });
}

/** A new Idempotency-Key: one per click, so that a repeat of the request counts once. */
export const onceKey = () => crypto.randomUUID();
