import { StatusBadge } from "../components/badge";
import { useFormat } from "../components/format";
import { Facts } from "../components/page";
import { At } from "../components/time";
import { useI18n } from "../i18n";
import type { Delivery } from "../services/deliveries";

/** How far the report to a callback URL is, with its latest tries. */
export function DeliveryFacts({ url, delivery }: { url: string; delivery: Delivery | undefined }) {
  const { t } = useI18n();
  const format = useFormat();
  return (
    <div className="flex flex-col gap-3">
      <Facts
        items={[
          [t("field.url"), <code key="u" className="font-mono text-xs break-all">{url}</code>],
          delivery && [t("field.status"), <StatusBadge key="s" status={delivery.state} />],
          delivery?.disabledAt && [t("hooks.endpoint"), <span key="e" className="text-bad-ink">{t("hooks.disabledSince", { when: format.relative(delivery.disabledAt) })}</span>],
          delivery && delivery.tries > 0 && [t("delivery.tries"), <span key="n" className="num">{format.whole(delivery.tries)}</span>],
          delivery?.doneAt && [t("delivery.done"), <At key="d" at={delivery.doneAt} />],
          delivery?.nextAt && [t("delivery.next"), <At key="x" at={delivery.nextAt} />],
          delivery !== undefined && delivery.error !== "" && [t("field.error"), delivery.error],
        ]}
      />
      {delivery && delivery.log.length > 0 && (
        <ol className="divide-y divide-line rounded-lg border border-line text-xs">
          {delivery.log.map((line) => (
            <li key={line.at.getTime()} className="num flex flex-wrap items-center gap-x-3 px-2.5 py-1.5">
              <span className="text-ink-3">{format.dateTime(line.at)}</span>
              <span className={line.status >= 200 && line.status < 300 ? "text-good-ink" : "text-bad-ink"}>
                {line.status > 0 ? `HTTP ${line.status}` : t("delivery.noAnswer")}
              </span>
              <span className="text-ink-3">{format.duration(line.latencyMs)}</span>
              {line.error && <span className="min-w-0 break-words text-ink-2">{line.error}</span>}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
