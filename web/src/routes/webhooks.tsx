import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useAction } from "../components/action";
import { Badge, StatusBadge } from "../components/badge";
import { Button } from "../components/button";
import { Filters, FilterSelect, FilterText } from "../components/filter";
import { useFormat } from "../components/format";
import { Page } from "../components/page";
import { Empty } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago } from "../components/time";
import { useI18n } from "../i18n";
import { deliveriesQuery, deliveryKeys, deliveryStates, redeliver, type Delivery } from "../services/deliveries";
import { webhookKeys } from "../services/webhooks";
import { AccountWebhooks } from "./account-webhooks";
import { DeliveryFacts } from "./delivery-facts";
import { useIsAdmin } from "./session";

const route = getRouteApi("/app/webhooks");

/** The reports to callers' callback URLs, and how they went. */
export function WebhooksPage() {
  const { t } = useI18n();
  const format = useFormat();
  const admin = useIsAdmin();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const deliveries = useInfiniteQuery(deliveriesQuery(search));
  const again = useAction({ run: (task: string) => redeliver(task), touches: [deliveryKeys.all, webhookKeys.all], done: t("delivery.again") });
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const active = Object.values(search).some(Boolean);
  const columns: Column<Delivery>[] = [
    {
      header: t("field.status"),
      cell: (d) => (
        <span className="inline-flex flex-wrap items-center gap-1">
          <StatusBadge status={d.state} />
          {d.disabledAt && (
            <Link to="/webhooks" search={{ account: d.account }} title={t("hooks.disabledHint")}>
              <Badge tone="bad">{t("hooks.disabled")}</Badge>
            </Link>
          )}
        </span>
      ),
    },
    { header: t("delivery.event"), cell: (d) => <code className="font-mono text-xs whitespace-nowrap">{d.event}</code> },
    { header: t("field.url"), cell: (d) => <span className="block max-w-32 truncate lg:max-w-44 2xl:max-w-72 font-mono text-xs" title={d.url}>{d.url}</span> },
    {
      header: t("task.title"),
      cell: (d) => (
        <Link to="/tasks/$id" params={{ id: d.task }} className="font-mono text-xs hover:underline" title={d.task}>
          {d.task.slice(0, 18)}…
        </Link>
      ),
      from: "xl",
    },
    { header: t("field.account"), cell: (d) => <Link to="/webhooks" search={{ account: d.account }} className="whitespace-nowrap hover:underline">{d.account}</Link>, from: "xl" },
    {
      header: t("delivery.answer"),
      cell: (d) => (d.status > 0 ? <span className="num whitespace-nowrap">HTTP {d.status}</span> : <span className="text-ink-3">{d.tries > 0 ? t("delivery.noAnswer") : "–"}</span>),
    },
    { header: t("delivery.tries"), cell: (d) => format.whole(d.tries), end: true },
    { header: t("delivery.when"), cell: (d) => <Ago at={d.doneAt ?? d.nextAt ?? d.createdAt} className="whitespace-nowrap text-ink-3" />, end: true, from: "lg" },
    {
      header: t("field.actions"),
      quiet: true,
      end: true,
      cell: (d) =>
        admin && (
          <Button
            small
            look="ghost"
            busy={again.isPending && again.variables === d.task}
            icon={<RotateCcw aria-hidden className="size-3.5" />}
            onClick={() => again.mutate(d.task)}
          >
            {t("delivery.redeliver")}
          </Button>
        ),
    },
  ];
  return (
    <Page title={t("nav.webhooks")} description={t("webhooks.description")}>
      <Filters active={active} onClear={() => void navigate({ search: {}, replace: true })}>
        <FilterSelect
          label={t("filter.allStatuses")}
          value={search.state}
          onValue={(state) => set({ state: state as typeof search.state })}
          options={deliveryStates.map((value) => ({ value, label: t(`status.${value}`) }))}
        />
        <FilterText label={t("field.account")} value={search.account} onValue={(account) => set({ account })} />
      </Filters>
      {search.account !== undefined && <AccountWebhooks key={search.account} account={search.account} />}
      <PagedTable
        label={t("nav.webhooks")}
        query={deliveries}
        columns={columns}
        rowKey={(d) => d.task}
        detail={(d) => <DeliveryFacts url={d.url} delivery={d} />}
        empty={<Empty title={active ? t("webhooks.noneMatch") : t("webhooks.none")} hint={active ? undefined : t("webhooks.noneHint")} />}
      />
    </Page>
  );
}
