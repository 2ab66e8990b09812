import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Badge } from "../components/badge";
import { cx } from "../components/cx";
import { Card } from "../components/page";
import { ErrorState, Loading } from "../components/states";
import { useI18n } from "../i18n";
import { configsQuery, type Kind } from "../services/configs";
import { routeQuery } from "../services/route";

/** Which configs a request would try now, in which order, and why not the others. */
export function RoutePreview({ kind, model }: { kind: Kind; model: string }) {
  const { t } = useI18n();
  const route = useQuery(routeQuery(kind, model));
  const configs = useQuery(configsQuery);
  const others = new Set(configs.data?.filter((config) => config.kind !== kind).map((config) => config.id));
  const steps = (route.data?.steps ?? []).filter((step) => !others.has(step.config)).sort((a, b) => (a.place || Infinity) - (b.place || Infinity));
  return (
    <Card title={t("route.title")} hint={t("route.hint")} flush actions={route.data?.policy && <Badge>{route.data.policy}</Badge>}>
      {route.isError ? (
        <ErrorState error={route.error} />
      ) : route.data === undefined ? (
        <Loading />
      ) : (
        <ol className="divide-y divide-line border-t border-line">
          {steps.map((step) => (
            <li key={step.config} className={cx("flex flex-wrap items-baseline gap-x-3 px-4 py-1.5", step.place === 0 && "text-ink-3")}>
              <span className="num w-4 text-xs text-ink-3">{step.place > 0 ? step.place : "–"}</span>
              <Link to="/configs" search={{ edit: step.config }} className="font-medium hover:underline">
                {step.name || step.config}
              </Link>
              <code className="font-mono text-xs text-ink-3">{step.model}</code>
              <span className="ml-auto text-xs text-ink-3">{step.reason}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
