import { Badge, Dot, FaultLabel, toneOf } from "../components/badge";
import { useFormat } from "../components/format";
import { Facts } from "../components/page";
import { Ago } from "../components/time";
import { Id } from "../components/copy";
import { lookUp, useI18n } from "../i18n";
import type { Config } from "../services/configs";
import type { Health } from "../services/health";

/** How a config is doing, above its form. */
export function ConfigFacts({ config, health }: { config: Config; health: Health | undefined }) {
  const { t } = useI18n();
  const format = useFormat();
  const state = config.active ? (health?.state ?? "unknown") : "inactive";
  const error = health?.lastError;
  return (
    <section aria-label={t("field.health")} className="rounded-lg border border-line bg-sunken p-3">
      <Facts
        items={[
          [
            t("field.health"),
            <span key="h" className="inline-flex flex-wrap items-center gap-1.5">
              <Dot tone={state === "unknown" ? "idle" : toneOf(state)} />
              {t(`health.${state}`)}
              {health?.since && <span className="text-ink-3">{t("health.since", { when: format.relative(health.since) })}</span>}
              {health && health.breaker !== "closed" && <Badge tone="bad">{lookUp(t, `breaker.${health.breaker}`, health.breaker)}</Badge>}
            </span>,
          ],
          health?.lastSuccessAt && [t("health.lastSuccess"), <Ago key="s" at={health.lastSuccessAt} />],
          error && [
            t("health.lastError"),
            <span key="e">
              <FaultLabel code={error.class} className="font-medium" /> <Ago at={error.at} className="text-ink-3" />
              <span className="block font-mono text-xs break-words text-ink-2">{error.detail || error.message}</span>
            </span>,
          ],
          health?.rate && [t("health.rate"), <span key="r" className="num">{t("health.rateOf", { left: format.whole(health.rate.remaining), limit: format.whole(health.rate.limit) })}</span>],
          [t("field.id"), <Id key="i" id={config.id} />],
          config.updatedAt && [t("field.updated"), <Ago key="u" at={config.updatedAt} />],
        ]}
      />
    </section>
  );
}
