import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { Badge } from "../components/badge";
import { useFormat } from "../components/format";
import { Card } from "../components/page";
import { ErrorState } from "../components/states";
import { Ago } from "../components/time";
import { useI18n } from "../i18n";
import { findingsQuery, type Finding, type Findings } from "../services/findings";

const tones = { missing: "bad", ended: "bad", retiring: "warn" } as const;

/** What the daily check of models found: one line while all is well. */
export function ModelFindings() {
  const { t } = useI18n();
  const format = useFormat();
  const found = useQuery(findingsQuery);
  if (found.isError && found.data === undefined) {
    return (
      <div className="card">
        <ErrorState error={found.error} retry={() => void found.refetch()} />
      </div>
    );
  }
  if (found.data === undefined) return null;
  const { checkedAt, configs, findings, skipped } = found.data;
  const when = checkedAt ? t("findings.checked", { when: format.relative(checkedAt), count: format.whole(configs) }) : t("findings.never");
  if (findings.length === 0 && skipped.length === 0) {
    return (
      <p className="flex items-center gap-2 text-xs text-ink-3">
        {checkedAt && <CircleCheck aria-hidden className="size-4 text-good" />}
        {checkedAt ? `${t("findings.none")} ${when}` : when}
      </p>
    );
  }
  return (
    <Card title={t("findings.title")} hint={when} flush>
      <ul aria-label={t("findings.title")} className="divide-y divide-line border-t border-line">
        {findings.map((finding) => (
          <Line key={`${finding.problem}-${finding.model}-${finding.config}-${finding.upstream}`} finding={finding} />
        ))}
        {skipped.map((skip) => (
          <Skipped key={skip.config} skip={skip} />
        ))}
      </ul>
    </Card>
  );
}

function Line({ finding }: { finding: Finding }) {
  const { t } = useI18n();
  const format = useFormat();
  const text = finding.retiresAt ? t(`findings.${finding.problem}On`, { day: format.day(finding.retiresAt) }) : t(`findings.${finding.problem}`);
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
      <Badge tone={tones[finding.problem]}>{t(`findings.badge.${finding.problem}`)}</Badge>
      <Link to="/models" search={{ edit: finding.model }} className="font-medium hover:underline">
        {finding.model}
      </Link>
      <span className="text-ink-2">{text}</span>
      {finding.upstream && finding.upstream !== finding.model && <code className="font-mono text-xs break-all text-ink-3">{finding.upstream}</code>}
      {finding.config && (
        <Link to="/configs" search={{ edit: finding.config }} className="text-xs text-ink-3 hover:underline">
          {finding.configName || finding.config}
        </Link>
      )}
      {finding.since && <Ago at={finding.since} className="ml-auto text-xs text-ink-3" />}
    </li>
  );
}

function Skipped({ skip }: { skip: Findings["skipped"][number] }) {
  const { t } = useI18n();
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
      <Badge>{t("findings.skipped")}</Badge>
      <Link to="/configs" search={{ edit: skip.config }} className="font-medium hover:underline">
        {skip.configName || skip.config}
      </Link>
      <span className="text-ink-2">{skip.reason}</span>
    </li>
  );
}
