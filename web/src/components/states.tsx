import { CircleAlert, Inbox, Info, TriangleAlert } from "lucide-react";
import type { AriaRole, ReactNode } from "react";
import { useI18n, type Translate } from "../i18n";
import { BadAnswer, Offline, Problem } from "../services/problem";
import { Button } from "./button";
import { cx } from "./cx";

/** Says what went wrong in the user's language; the server's own sentence where it sent one. */
export function describe(error: Error, t: Translate): string {
  if (error instanceof Offline) return t("error.offline");
  if (error instanceof BadAnswer) return t("error.badAnswer");
  if (error instanceof Problem && error.status === 403) return t("error.forbidden");
  return error.message;
}

/** Stands where content failed to load, and offers to try again. */
export function ErrorState({ error, retry }: { error: Error; retry?: () => void }) {
  const { t } = useI18n();
  const id = error instanceof Problem ? error.requestId : undefined;
  return (
    <div role="alert" className="flex flex-col items-center gap-2 px-4 py-10 text-center">
      <CircleAlert aria-hidden className="size-5 text-bad" />
      <p className="font-medium">{t("error.title")}</p>
      <p className="max-w-md text-ink-2">{describe(error, t)}</p>
      {error instanceof BadAnswer && <p className="max-w-md font-mono text-xs text-ink-3">{error.message}</p>}
      {id && <p className="font-mono text-xs text-ink-3">{id}</p>}
      {retry && (
        <Button small onClick={retry} className="mt-1">
          {t("action.retry")}
        </Button>
      )}
    </div>
  );
}

interface EmptyProps {
  title: ReactNode;
  hint?: ReactNode;
  action?: ReactNode;
  icon?: ReactNode;
}

/** Stands where there is nothing yet, and says what to do about it. */
export function Empty({ title, hint, action, icon }: EmptyProps) {
  return (
    <div className="flex flex-col items-center gap-1.5 px-4 py-12 text-center">
      <span className="mb-1 text-ink-3">{icon ?? <Inbox aria-hidden className="size-6" strokeWidth={1.5} />}</span>
      <div className="font-medium">{title}</div>
      {hint && <p className="max-w-md text-ink-3">{hint}</p>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** A grey bar where content will be. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cx("block h-4 animate-pulse rounded bg-line", className)} />;
}

/** A block of grey bars, announced as loading. */
export function Loading({ rows = 3 }: { rows?: number }) {
  const { t } = useI18n();
  return (
    <div role="status" aria-label={t("state.loading")} className="flex flex-col gap-3 p-4">
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} className={i % 3 === 0 ? "w-2/5" : i % 3 === 1 ? "w-4/5" : "w-3/5"} />
      ))}
    </div>
  );
}

const looks = {
  info: { box: "border-info/40 bg-info-soft text-info-ink", icon: Info },
  warn: { box: "border-warn/40 bg-warn-soft text-warn-ink", icon: TriangleAlert },
  bad: { box: "border-bad/40 bg-bad-soft text-bad-ink", icon: CircleAlert },
} as const;

/** A sentence that must not be overlooked. */
export function Notice({ look, className, role, children }: { look: keyof typeof looks; className?: string; role?: AriaRole; children: ReactNode }) {
  const { box, icon: Icon } = looks[look];
  return (
    <div role={role} className={cx("flex gap-2 rounded-lg border px-3 py-2", box, className)}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0">{children}</div>
    </div>
  );
}
