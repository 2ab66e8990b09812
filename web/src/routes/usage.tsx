import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useMemo } from "react";
import { Badge, FaultLabel, KindLabel, StatusBadge } from "../components/badge";
import { Button } from "../components/button";
import { Id } from "../components/copy";
import { download, toCsv } from "../components/download";
import { Select } from "../components/field";
import { Filters, FilterSelect, FilterText } from "../components/filter";
import { useFormat } from "../components/format";
import { Json } from "../components/json";
import { Facts, Page } from "../components/page";
import { Empty, ErrorState, Loading } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago } from "../components/time";
import { useI18n } from "../i18n";
import { configsQuery, kinds } from "../services/configs";
import { modelsQuery } from "../services/models";
import { providersQuery } from "../services/providers";
import { windows, type Window } from "../services/stats";
import { usageDetailQuery, usageQuery, type UsageRecord } from "../services/usage";
import { AttemptList } from "./attempt-list";

const route = getRouteApi("/app/usage");
const hours: Record<Window, number> = { "1h": 1, "6h": 6, "24h": 24, "7d": 168, "30d": 720, "90d": 2160 };
const ended = ["succeeded", "failed", "canceled", "expired"] as const;

/** The start of a window, to the minute, so that the list is not read again with every look. */
function startOf(window: Window): string {
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  return new Date(minute - hours[window] * 3_600_000).toISOString();
}

/** What was done and what it cost: one line per ended task. */
export function UsagePage() {
  const { t } = useI18n();
  const format = useFormat();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { since, ...filter } = search;
  const from = useMemo(() => (since ? startOf(since) : undefined), [since]);
  const usage = useInfiniteQuery(usageQuery({ ...filter, from }));
  const configs = useQuery(configsQuery);
  const models = useQuery(modelsQuery);
  const providers = useQuery(providersQuery);
  const nameOf = (id: string) => configs.data?.find((config) => config.id === id)?.name ?? id;
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const active = Object.values(search).some(Boolean);
  const rows = usage.data?.pages.flatMap((page) => page.items) ?? [];

  const columns: Column<UsageRecord>[] = [
    { header: t("field.finished"), cell: (r) => <Ago at={r.finishedAt} className="whitespace-nowrap text-ink-3" /> },
    {
      header: t("field.status"),
      cell: (r) => (
        <span className="inline-flex flex-wrap items-center gap-1.5">
          <StatusBadge status={r.status} />
          {r.loss && <Badge tone="warn">{t("task.loss")}</Badge>}
          {r.attempts.length > 1 && <Badge tone="info">{t("attempt.count", { count: r.attempts.length })}</Badge>}
        </span>
      ),
    },
    { header: t("field.kind"), cell: (r) => <KindLabel kind={r.kind} />, from: "xl" },
    { header: t("field.model"), cell: (r) => <span className="font-medium whitespace-nowrap">{r.model}</span> },
    { header: t("field.config"), cell: (r) => <span className="whitespace-nowrap">{nameOf(r.config) || "–"}</span>, from: "xl" },
    {
      header: t("field.account"),
      cell: (r) => (
        <Link to="/accounts/$id" params={{ id: r.account }} className="hover:underline">
          {r.account}
        </Link>
      ),
      from: "xl",
    },
    { header: t("field.error"), cell: (r) => (r.errorCode ? <FaultLabel code={r.errorCode} className="text-bad-ink" /> : "–"), from: "2xl" },
    { header: t("field.latency"), cell: (r) => format.duration(r.latencyMs), end: true },
    { header: t("stat.credits"), cell: (r) => format.whole(r.credits), end: true },
    { header: t("stat.cost"), cell: (r) => format.usd(r.usage.costMicroUsd), end: true },
    {
      header: t("task.title"),
      quiet: true,
      end: true,
      cell: (r) => (
        <Link to="/tasks/$id" params={{ id: r.id }} className="text-xs font-medium text-accent-ink hover:underline">
          {t("usage.openTask")}
        </Link>
      ),
    },
  ];

  const csv = () =>
    toCsv([
      ["id", "finished_at", "status", "kind", "model", "config", "provider", "account", "error_code", "attempts", "latency_ms", "credits", "cost_micro_usd"],
      ...rows.map((r) => [
        r.id, r.finishedAt.toISOString(), r.status, r.kind, r.model, r.config, r.provider, r.account, r.errorCode,
        r.attempts.length, r.latencyMs, r.credits, r.usage.costMicroUsd,
      ]),
    ]);

  return (
    <Page
      title={t("nav.usage")}
      description={t("usage.description")}
      actions={
        <Button
          disabled={rows.length === 0}
          icon={<Download aria-hidden className="size-3.5" />}
          onClick={() => download("easel-usage.csv", csv(), "text/csv")}
        >
          {t("usage.csv")}
        </Button>
      }
    >
      <Filters active={active} onClear={() => void navigate({ search: {}, replace: true })}>
        <Select
          aria-label={t("overview.window")}
          value={since ?? ""}
          onValue={(next) => set({ since: next === "" ? undefined : next })}
          options={[{ value: "" as const, label: t("usage.allTime") }, ...windows.map((value) => ({ value, label: t("usage.last", { window: value }) }))]}
          className="w-auto!"
        />
        <FilterSelect
          label={t("filter.allStatuses")}
          value={search.status}
          onValue={(status) => set({ status: status as typeof search.status })}
          options={ended.map((value) => ({ value, label: t(`status.${value}`) }))}
        />
        <FilterSelect
          label={t("filter.allKinds")}
          value={search.kind}
          onValue={(kind) => set({ kind: kind as typeof search.kind })}
          options={kinds.map((value) => ({ value, label: t(`kind.${value}`) }))}
        />
        <FilterSelect
          label={t("filter.allModels")}
          value={search.model}
          onValue={(model) => set({ model })}
          options={(models.data ?? []).map((m) => ({ value: m.name, label: m.name }))}
        />
        <FilterSelect
          label={t("filter.allProviders")}
          value={search.provider}
          onValue={(provider) => set({ provider })}
          options={(providers.data ?? []).map((p) => ({ value: p.name, label: p.title }))}
        />
        <FilterSelect
          label={t("filter.allConfigs")}
          value={search.config}
          onValue={(config) => set({ config })}
          options={(configs.data ?? []).map((c) => ({ value: c.id, label: c.name }))}
        />
        <FilterText label={t("field.account")} value={search.account} onValue={(account) => set({ account })} />
      </Filters>
      <PagedTable
        label={t("nav.usage")}
        query={usage}
        columns={columns}
        rowKey={(r) => r.id}
        detail={(r) => <Detail record={r} />}
        empty={<Empty title={active ? t("usage.noneMatch") : t("usage.none")} />}
      />
    </Page>
  );
}

function Detail({ record }: { record: UsageRecord }) {
  const { t } = useI18n();
  const detail = useQuery(usageDetailQuery(record.id));
  return (
    <div className="grid gap-4 [&>*]:min-w-0 lg:grid-cols-2">
      <div className="flex flex-col gap-3">
        <Facts
          items={[
            [t("field.id"), <Id key="i" id={record.id} />],
            record.requestId !== "" && [t("field.requestId"), <Id key="r" id={record.requestId} />],
            record.keyId !== "" && [t("field.apiKey"), <Id key="k" id={record.keyId} />],
            record.user !== "" && [t("field.user"), record.user],
            detail.data?.error && [t("field.error"), detail.data.error.message],
          ]}
        />
        <AttemptList attempts={record.attempts} full />
      </div>
      {detail.isPending ? (
        <Loading />
      ) : detail.isError ? (
        <ErrorState error={detail.error} retry={() => void detail.refetch()} />
      ) : (
        <Json value={detail.data.request} label={t("task.request")} />
      )}
    </div>
  );
}
