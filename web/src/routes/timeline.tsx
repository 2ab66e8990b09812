import { useFormat } from "../components/format";
import { useI18n } from "../i18n";
import type { TaskDetail } from "../services/tasks";
import { AttemptList } from "./attempt-list";

const colors: Record<string, string> = {
  succeeded: "var(--good)",
  failed: "var(--bad)",
  rejected: "var(--bad)",
  unknown: "var(--warn)",
  abandoned: "var(--line-strong)",
};

/** A task's life: a bar per attempt over the same stretch of time, then each attempt whole. */
export function Timeline({ task }: { task: TaskDetail }) {
  const { t } = useI18n();
  const format = useFormat();
  const start = task.createdAt.getTime();
  const ends = [task.finishedAt, ...task.attempts.map((a) => a.endedAt ?? a.startedAt)].map((at) => at?.getTime() ?? start);
  const total = Math.max(1, Math.max(...ends) - start);
  const timed = task.attempts.filter((attempt) => attempt.startedAt !== undefined);
  return (
    <div className="flex flex-col gap-4">
      {timed.length > 0 && (
        <figure aria-label={t("task.timeline")} className="rounded-lg border border-line bg-sunken p-3">
          <div className="flex flex-col gap-1.5">
            {timed.map((attempt) => {
              const from = ((attempt.startedAt?.getTime() ?? start) - start) / total;
              const until = ((attempt.endedAt?.getTime() ?? start + total) - start) / total;
              return (
                <div key={attempt.no} className="flex items-center gap-3 text-xs">
                  <span className="w-28 shrink-0 truncate text-ink-2">
                    #{attempt.no} {attempt.provider}
                  </span>
                  <svg aria-hidden viewBox="0 0 1000 10" preserveAspectRatio="none" className="h-2.5 min-w-0 flex-1">
                    <rect width="1000" height="10" rx="3" fill="var(--line)" />
                    <rect
                      x={Math.min(from, 0.995) * 1000}
                      width={Math.max(5, (until - from) * 1000)}
                      height="10"
                      rx="3"
                      fill={colors[attempt.outcome] ?? "var(--info)"}
                    />
                  </svg>
                  <span className="num w-16 shrink-0 text-right text-ink-3">{format.duration(attempt.latencyMs)}</span>
                </div>
              );
            })}
          </div>
          <figcaption className="num mt-2 flex justify-between text-2xs text-ink-3">
            <span>{format.clockSeconds(task.createdAt)}</span>
            <span>{format.duration(total)}</span>
          </figcaption>
        </figure>
      )}
      <AttemptList attempts={task.attempts} full />
    </div>
  );
}
