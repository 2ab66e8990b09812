import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Badge, FaultLabel, StatusBadge } from "../components/badge";
import { Id } from "../components/copy";
import { cx } from "../components/cx";
import { useFormat } from "../components/format";
import { Facts } from "../components/page";
import { useI18n } from "../i18n";
import { isOpen, type Attempt } from "../services/attempts";
import { configsQuery } from "../services/configs";

const lines: Record<string, string> = {
  succeeded: "before:bg-good",
  failed: "before:bg-bad",
  rejected: "before:bg-bad",
  unknown: "before:bg-warn",
  abandoned: "before:bg-line-strong",
};

/** The attempts of a task, first to last: where each went, and what became of it. */
export function AttemptList({ attempts, full = false }: { attempts: readonly Attempt[]; full?: boolean }) {
  const { t } = useI18n();
  const configs = useQuery(configsQuery);
  if (attempts.length === 0) return <p className="text-ink-3">{t("attempt.none")}</p>;
  return (
    <ol aria-label={t("attempt.title")} className="flex flex-col gap-2">
      {attempts.map((attempt) => (
        <AttemptItem
          key={attempt.no}
          attempt={attempt}
          name={configs.data?.find((config) => config.id === attempt.config)?.name ?? attempt.configName}
          full={full}
        />
      ))}
    </ol>
  );
}

function AttemptItem({ attempt, name, full }: { attempt: Attempt; name: string; full: boolean }) {
  const format = useFormat();
  return (
    <li
      data-outcome={attempt.outcome}
      className={cx(
        "relative overflow-hidden rounded-lg border border-line bg-surface py-2.5 pr-3 pl-4 before:absolute before:inset-y-0 before:left-0 before:w-1",
        lines[attempt.outcome] ?? "before:bg-info",
        isOpen(attempt) && attempt.outcome !== "unknown" && "before:animate-pulse",
      )}
    >
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="num text-xs text-ink-3">#{attempt.no}</span>
        <Link to="/configs" search={{ edit: attempt.config }} className="font-medium hover:underline">
          {name}
        </Link>
        <Badge>{attempt.provider}</Badge>
        <span className="ml-auto flex items-center gap-2">
          {attempt.latencyMs > 0 && <span className="num text-xs text-ink-3">{format.duration(attempt.latencyMs)}</span>}
          <StatusBadge status={attempt.outcome} />
        </span>
      </div>
      {attempt.class && (
        <p className="mt-1 text-xs text-ink-2">
          <FaultLabel code={attempt.class} className="font-medium" />
          {attempt.message && ` · ${attempt.message}`}
        </p>
      )}
      {full && <AttemptFacts attempt={attempt} />}
    </li>
  );
}

function AttemptFacts({ attempt }: { attempt: Attempt }) {
  const { t } = useI18n();
  const format = useFormat();
  const { usage } = attempt;
  return (
    <Facts
      className="mt-2 text-xs"
      items={[
        attempt.detail !== "" && [t("field.detail"), <span key="d" className="font-mono break-words">{attempt.detail}</span>],
        attempt.status > 0 && [t("test.status"), `HTTP ${attempt.status}`],
        attempt.model !== "" && [t("field.upstreamModel"), <code key="m" className="font-mono">{attempt.model}</code>],
        attempt.startedAt && [
          t("field.started"),
          <span key="s" className="num">
            {format.clockSeconds(attempt.startedAt)}
            {attempt.endedAt && ` → ${format.clockSeconds(attempt.endedAt)}`}
          </span>,
        ],
        attempt.job !== "" && [t("field.job"), <Id key="j" id={attempt.job} />],
        attempt.requestId !== "" && [t("field.providerRequest"), <Id key="r" id={attempt.requestId} />],
        attempt.polls > 0 && [t("field.polls"), format.whole(attempt.polls)],
        usage.costMicroUsd > 0 && [t("stat.cost"), format.usd(usage.costMicroUsd)],
        usage.inputTokens + usage.outputTokens > 0 && [
          t("field.tokens"),
          `${format.whole(usage.inputTokens)} → ${format.whole(usage.outputTokens)}`,
        ],
      ]}
    />
  );
}
