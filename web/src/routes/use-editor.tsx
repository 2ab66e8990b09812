import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { say } from "../components/toast";
import { useUnsaved } from "../components/unsaved";
import { useI18n } from "../i18n";
import { dropDraft, keepDraft, keptDraft } from "../services/draft";
import type { Version } from "../services/http";
import { Problem } from "../services/problem";
import { expired } from "../services/token";
import { Conflict } from "./conflict";

interface Options<D, S> {
  /** Names what is edited, such as "model/auto". */
  name: string;
  /** What it is before it is edited, which must be plain JSON, and its version; "new" is not there yet. */
  start: D;
  version: Version;
  send: (draft: D, version: Version) => Promise<S>;
  /** Reads out of a 412 what the server has now. */
  current?: (stale: Problem) => { draft: D; version: Version } | undefined;
  /** The draft by its names on the wire, to be compared. */
  wire: (draft: D) => Record<string, unknown>;
  /** Something else was typed that a save would take, such as a key. */
  more?: boolean;
  /** What is read again after a save. */
  touches: readonly QueryKey[];
  done?: string;
  onSaved: (saved: S) => void;
}

/** The editing of one thing. */
export interface Editor<D> {
  draft: D;
  set: (change: Partial<D>) => void;
  update: (change: (draft: D) => D) => void;
  /** Takes a whole new draft, also into controls with a memory of their own. */
  replace: (draft: D) => void;
  /** Grows when the draft was replaced from outside; controls with a memory of their own take it as their key. */
  epoch: number;
  dirty: boolean;
  busy: boolean;
  /** What the server refused; a stale edit is a question of its own. */
  error: Error | null;
  save: () => void;
  /** Leaves, after a question when changes would be lost. */
  leave: (go: () => void) => void;
  dialogs: ReactNode;
}

/**
 * Holds what is edited until it is saved: warns before it is lost, shows both
 * versions when somebody else was faster, and keeps it while an expired login is
 * renewed.
 */
export function useEditor<D extends object, S>(o: Options<D, S>): Editor<D> {
  const { t } = useI18n();
  const client = useQueryClient();
  const [kept] = useState(() => keptDraft<D>(o.name));
  const [draft, setDraft] = useState<D>(kept?.draft ?? o.start);
  const [start, setStart] = useState(o.start);
  const [version, setVersion] = useState<Version>(kept?.version ?? o.version);
  const [epoch, setEpoch] = useState(0);
  const [conflict, setConflict] = useState<{ draft: D; version: Version }>();
  const dirty = o.more === true || JSON.stringify(draft) !== JSON.stringify(start);
  const { leave, release, question } = useUnsaved(dirty);

  useEffect(() => {
    if (kept === undefined) return;
    dropDraft(o.name);
    say(t("unsaved.restored"));
    // Only once, when the editor opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const now = useRef({ draft, version, dirty });
  useEffect(() => {
    now.current = { draft, version, dirty };
  });
  useEffect(
    () =>
      expired.subscribe(() => {
        if (expired.get() && now.current.dirty) keepDraft(o.name, now.current);
      }),
    [o.name],
  );

  const mutation = useMutation({
    mutationFn: (over: Version) => o.send(draft, over),
    onSuccess: (saved) => {
      release();
      for (const queryKey of o.touches) void client.invalidateQueries({ queryKey });
      if (o.done) say(o.done);
      o.onSaved(saved);
    },
    onError: (error) => {
      if (error instanceof Problem && error.status === 412) setConflict(o.current?.(error));
    },
  });
  const { error } = mutation;
  const asked = error instanceof Problem && error.status === 412 && o.current?.(error) !== undefined;

  const dialogs = (
    <>
      {question}
      {conflict && (
        <Conflict
          theirs={o.wire(conflict.draft)}
          mine={o.wire(draft)}
          busy={mutation.isPending}
          onClose={() => setConflict(undefined)}
          onKeepMine={() => {
            setVersion(conflict.version);
            setConflict(undefined);
            mutation.mutate(conflict.version);
          }}
          onTakeTheirs={() => {
            setDraft(conflict.draft);
            setStart(conflict.draft);
            setVersion(conflict.version);
            setEpoch((n) => n + 1);
            setConflict(undefined);
            mutation.reset();
          }}
        />
      )}
    </>
  );
  return {
    draft,
    set: (change) => setDraft((before) => ({ ...before, ...change })),
    update: setDraft,
    replace: (next) => {
      setDraft(next);
      setEpoch((n) => n + 1);
    },
    epoch,
    dirty,
    busy: mutation.isPending,
    error: asked ? null : error,
    save: () => mutation.mutate(version),
    leave,
    dialogs,
  };
}
