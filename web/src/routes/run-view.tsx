import { Link } from "@tanstack/react-router";
import { ArrowUpRight, Sparkles } from "lucide-react";
import { FaultLabel, StatusBadge } from "../components/badge";
import { buttonLook, Spinner } from "../components/button";
import { useFormat } from "../components/format";
import { Card } from "../components/page";
import { describe, Empty, Notice } from "../components/states";
import { useNow } from "../components/time";
import { useI18n } from "../i18n";
import type { Kind } from "../services/configs";
import { isTerminal, type Task } from "../services/tasks";
import { AttemptList } from "./attempt-list";
import { Media } from "./media";
import type { Run } from "./use-run";

/** What the playground's present generation is doing, and what came of it. */
export function RunView({ run, kind }: { run: Run; kind: Kind }) {
  const { t } = useI18n();
  const { task } = run;
  if (run.state === "idle") {
    return (
      <Card>
        <Empty title={t("playground.empty")} hint={t("playground.emptyHint")} icon={<Sparkles aria-hidden className="size-6" strokeWidth={1.5} />} />
      </Card>
    );
  }
  return (
    <Card
      title={
        <span className="flex items-center gap-2" role="status">
          {task ? <StatusBadge status={task.status} /> : run.state === "running" ? <Spinner /> : null}
          <Elapsed run={run} />
        </span>
      }
      actions={
        task && (
          <Link to="/tasks/$id" params={{ id: task.id }} className={buttonLook("ghost", true)}>
            {t("playground.openTask")}
            <ArrowUpRight aria-hidden className="size-3.5" />
          </Link>
        )
      }
    >
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,3fr)_minmax(18rem,2fr)]">
        <div className="flex min-w-0 flex-col gap-3">
          {task?.error && (
            <Notice look="bad" role="alert">
              <FaultLabel code={task.error.code} className="font-medium" />
              <p className="break-words">{task.error.message}</p>
            </Notice>
          )}
          {run.error && !task?.error && (
            <Notice look="bad" role="alert">
              {describe(run.error, t)}
            </Notice>
          )}
          <Result run={run} kind={kind} task={task} />
        </div>
        <div className="min-w-0">
          <h3 className="mb-2 text-xs font-medium text-ink-3">{t("attempt.title")}</h3>
          <div aria-live="polite">
            <AttemptList attempts={task?.attempts ?? []} />
          </div>
          {task && isTerminal(task.status) && <Bill task={task} />}
        </div>
      </div>
    </Card>
  );
}

function Elapsed({ run }: { run: Run }) {
  const format = useFormat();
  const now = useNow(run.state === "running" ? 200 : 60_000);
  const end = run.task?.finishedAt?.getTime() ?? (run.state === "running" ? now.getTime() : undefined);
  if (run.startedAt === undefined || end === undefined) return null;
  return <span className="num text-xs font-normal text-ink-3">{format.duration(Math.max(0, end - run.startedAt))}</span>;
}

function Result({ run, kind, task }: { run: Run; kind: Kind; task: Task | undefined }) {
  const { t } = useI18n();
  const text = run.text || task?.text;
  if (text) return <div className="rounded-lg bg-sunken p-3 text-[15px] leading-relaxed whitespace-pre-wrap">{text}</div>;
  if (task && task.outputs.length > 0) {
    return (
      <div className={task.outputs.length > 1 ? "grid grid-cols-2 gap-2" : ""}>
        {task.outputs.map((output, i) => (
          <Media
            key={output.sha256 || output.url}
            url={output.url}
            contentType={output.contentType}
            alt={t("media.alt", { prompt: task.prompt, no: i + 1 })}
            className="max-h-[32rem] w-full rounded-lg border border-line"
          />
        ))}
      </div>
    );
  }
  if (run.state !== "running") return null;
  return (
    <div className="flex aspect-[4/3] max-h-96 w-full animate-pulse flex-col items-center justify-center gap-2 rounded-lg bg-sunken text-ink-3">
      <Spinner className="size-5" />
      {kind === "text" ? t("playground.writing") : t("playground.drawing")}
      {task && task.progress > 0 && <progress aria-label={t("field.progress")} max={1} value={task.progress} className="w-40 accent-accent" />}
    </div>
  );
}

function Bill({ task }: { task: Task }) {
  const { t } = useI18n();
  const format = useFormat();
  return (
    <p className="mt-3 text-xs text-ink-2">
      {task.charged > 0 ? t("playground.charged", { credits: format.whole(task.charged) }) : t("playground.notCharged")}
      {task.usage.costMicroUsd > 0 && ` · ${t("playground.providerCost", { cost: format.usd(task.usage.costMicroUsd) })}`}
    </p>
  );
}
