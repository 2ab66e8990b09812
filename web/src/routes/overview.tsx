import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Badge, Dot, FaultLabel, KindIcon, toneOf } from "../components/badge";
import { buttonLook } from "../components/button";
import { palette, TimeChart, type Point, type Series } from "../components/chart";
import { cx } from "../components/cx";
import { Segmented, Select } from "../components/field";
import { useFormat, type Format } from "../components/format";
import { Card, Page } from "../components/page";
import { Empty, ErrorState, Loading, Skeleton } from "../components/states";
import { Table, type Column } from "../components/table";
import { Ago } from "../components/time";
import { Tip } from "../components/tooltip";
import { lookUp, useI18n, type Translate } from "../i18n";
import { configsQuery, kinds } from "../services/configs";
import { healthQuery, type Health } from "../services/health";
import { groupings, statsQuery, windows, type Cell, type Group, type Grouping, type Stats } from "../services/stats";
import { recentFailuresQuery } from "../services/usage";
import { FirstSteps } from "./first-steps";

const route = getRouteApi("/app/");

/** How the gateway is doing: traffic, latency, money, health and errors over a window. */
export function OverviewPage() {
  const { t } = useI18n();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const by: Grouping = search.by ?? "provider";
  const stats = useQuery(statsQuery({ window: search.window ?? "24h", by, kind: search.kind }));
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  return (
    <Page
      title={t("overview.title")}
      description={t("overview.description")}
      actions={
        <>
          <Select
            aria-label={t("field.kind")}
            value={search.kind ?? ""}
            onValue={(kind) => set({ kind: kind === "" ? undefined : kind })}
            options={[{ value: "" as const, label: t("filter.allKinds") }, ...kinds.map((value) => ({ value, label: t(`kind.${value}`) }))]}
            className="w-auto!"
          />
          <Segmented
            label={t("overview.window")}
            value={search.window ?? "24h"}
            onValue={(window) => set({ window })}
            options={windows.map((value) => ({ value, label: value }))}
          />
        </>
      }
    >
      <FirstSteps compact />
      <HealthStrip />
      {stats.isError && !stats.data ? (
        <div className="card">
          <ErrorState error={stats.error} retry={() => void stats.refetch()} />
        </div>
      ) : (
        <div className={cx("flex flex-col gap-4 transition-opacity", stats.isPlaceholderData && "opacity-60")}>
          <Numbers stats={stats.data} />
          {stats.data && <Charts stats={stats.data} />}
          <Breakdown stats={stats.data} by={by} onBy={(next) => set({ by: next })} />
        </div>
      )}
      <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <RecentErrors kind={search.kind} />
        <ErrorClasses stats={stats.data} />
      </div>
    </Page>
  );
}

function HealthStrip() {
  const { t } = useI18n();
  const configs = useQuery(configsQuery);
  const health = useQuery(healthQuery);
  if (configs.data?.length === 0) return null;
  const of = new Map(health.data?.map((h) => [h.configId, h]));
  return (
    <section aria-label={t("overview.health")} className="card flex flex-wrap items-center gap-1.5 p-2">
      {configs.data === undefined
        ? Array.from({ length: 5 }, (_, i) => <Skeleton key={i} className="h-7 w-36" />)
        : configs.data.map((config) => {
            const h = of.get(config.id);
            const state = config.active ? (h?.state ?? "unknown") : "inactive";
            const tone = state === "unknown" ? "idle" : toneOf(state);
            return (
              <Tip key={config.id} text={<HealthText health={h} state={state} />}>
                <Link
                  to="/configs"
                  search={{ edit: config.id }}
                  className={cx(
                    "inline-flex h-7 items-center gap-2 rounded-md border border-line px-2 hover:bg-hover pointer-coarse:h-10",
                    !config.active && "text-ink-3",
                  )}
                >
                  <Dot tone={tone} />
                  <KindIcon kind={config.kind} className="text-ink-3" />
                  <span className="max-w-40 truncate text-xs font-medium">{config.name}</span>
                  <span className={tone === "bad" || tone === "warn" ? "text-2xs text-ink-2" : "sr-only"}>{t(`health.${state}`)}</span>
                </Link>
              </Tip>
            );
          })}
    </section>
  );
}

function HealthText({ health, state }: { health: Health | undefined; state: Health["state"] }) {
  const { t } = useI18n();
  const format = useFormat();
  return (
    <>
      {t(`health.${state}`)}
      {health?.since && ` · ${t("health.since", { when: format.relative(health.since) })}`}
      {health?.lastError && (
        <>
          <br />
          {lookUp(t, `fault.${health.lastError.class}`, health.lastError.class)}
        </>
      )}
    </>
  );
}

interface Figure {
  label: string;
  of: (cell: Cell) => number | undefined;
  show: (value: number) => string;
  /** Whether more is better, worse, or neither. */
  more: "good" | "bad" | "neutral";
}

function figures(t: Translate, format: Format): Figure[] {
  return [
    { label: t("stat.calls"), of: (c) => c.calls, show: format.short, more: "neutral" },
    { label: t("stat.successRate"), of: (c) => c.successRate, show: format.percent, more: "good" },
    { label: t("stat.p50"), of: (c) => c.latency?.p50Ms, show: format.duration, more: "bad" },
    { label: t("stat.p95"), of: (c) => c.latency?.p95Ms, show: format.duration, more: "bad" },
    { label: t("stat.mean"), of: (c) => c.latency?.meanMs, show: format.duration, more: "bad" },
    { label: t("stat.credits"), of: (c) => c.credits, show: format.short, more: "neutral" },
    { label: t("stat.cost"), of: (c) => c.costMicroUsd, show: format.usd, more: "neutral" },
    { label: t("stat.losses"), of: (c) => c.losses, show: format.whole, more: "bad" },
  ];
}

function Numbers({ stats }: { stats: Stats | undefined }) {
  const { t } = useI18n();
  const format = useFormat();
  return (
    <section aria-label={t("overview.numbers")} className="card grid grid-cols-2 gap-px overflow-hidden bg-line! sm:grid-cols-4 xl:grid-cols-8">
      {figures(t, format).map((figure) => {
        const value = stats && figure.of(stats.totals);
        const before = stats?.previous && figure.of(stats.previous);
        return (
          <div key={figure.label} className="flex flex-col gap-0.5 bg-surface px-4 py-3">
            <span className="text-xs text-ink-3">{figure.label}</span>
            <span className="num text-lg font-semibold tracking-tight">
              {stats === undefined ? <Skeleton className="my-1.5 w-16" /> : value === undefined ? "–" : figure.show(value)}
            </span>
            <Delta value={value} before={before} more={figure.more} />
          </div>
        );
      })}
    </section>
  );
}

function Delta({ value, before, more }: { value: number | undefined; before: number | undefined; more: Figure["more"] }) {
  const { t } = useI18n();
  const format = useFormat();
  if (value === undefined || before === undefined || before === 0) return <span className="h-4.5 text-xs text-ink-3">&nbsp;</span>;
  const change = (value - before) / before;
  const flat = Math.abs(change) < 0.005;
  const good = flat || more === "neutral" ? "text-ink-3" : change > 0 === (more === "good") ? "text-good-ink" : "text-bad-ink";
  return (
    <span className={cx("text-xs", good)} title={t("stat.versus")}>
      {flat ? "±0%" : `${change > 0 ? "↑" : "↓"} ${format.percent(Math.abs(change))}`}
      <span className="sr-only"> {t("stat.versus")}</span>
    </span>
  );
}

const points = (stats: Stats, values: (cell: Cell) => Point["values"]): Point[] =>
  stats.buckets.map((bucket) => ({ at: bucket.at, values: values(bucket) }));

/** A group's values per moment, the groups' keys numbered so that they are safe as names. */
function perGroup(stats: Stats, of: (cell: Cell) => number): { series: Series[]; points: Point[] } {
  const groups = stats.groups.slice(0, palette.length).filter((group) => of(group) > 0);
  return {
    series: groups.map((group, i) => ({ key: `g${i}`, label: group.label, color: palette[i] ?? "var(--chart-8)" })),
    points: stats.buckets.map((bucket, at) => ({
      at: bucket.at,
      values: Object.fromEntries(groups.map((group, i) => [`g${i}`, group.buckets[at] ? of(group.buckets[at]) : 0])),
    })),
  };
}

function Charts({ stats }: { stats: Stats }) {
  const { t } = useI18n();
  const format = useFormat();
  const cost = perGroup(stats, (cell) => cell.costMicroUsd);
  const calls = perGroup(stats, (cell) => cell.calls);
  const { bucket } = stats;
  return (
    <div className="grid gap-4 md:grid-cols-2 2xl:grid-cols-3">
      <TimeChart
        title={t("chart.requests")}
        form="bars"
        bucket={bucket}
        show={format.short}
        series={[
          { key: "ok", label: t("status.succeeded"), color: "var(--good)" },
          { key: "failed", label: t("status.failed"), color: "var(--bad)" },
        ]}
        points={points(stats, (c) => ({ ok: c.succeeded, failed: c.failed }))}
      />
      <TimeChart
        title={t("chart.success")}
        form="lines"
        max={1}
        bucket={bucket}
        show={format.percent}
        series={[{ key: "rate", label: t("stat.successRate"), color: "var(--good)" }]}
        points={points(stats, (c) => ({ rate: c.successRate }))}
      />
      <TimeChart
        title={t("chart.latency")}
        form="lines"
        bucket={bucket}
        show={format.duration}
        series={[
          { key: "p95", label: t("stat.p95"), color: "var(--chart-3)" },
          { key: "mean", label: t("stat.mean"), color: "var(--chart-8)" },
          { key: "p50", label: t("stat.p50"), color: "var(--chart-1)" },
        ]}
        points={points(stats, (c) => ({ p95: c.latency?.p95Ms, mean: c.latency?.meanMs, p50: c.latency?.p50Ms }))}
      />
      <TimeChart
        title={t("chart.credits")}
        form="bars"
        bucket={bucket}
        show={format.short}
        series={[{ key: "credits", label: t("stat.credits"), color: "var(--chart-1)" }]}
        points={points(stats, (c) => ({ credits: c.credits }))}
      />
      <TimeChart title={t("chart.cost")} form="areas" bucket={bucket} show={format.usd} series={cost.series} points={cost.points} />
      <TimeChart title={t("chart.calls")} form="areas" bucket={bucket} show={format.short} series={calls.series} points={calls.points} />
    </div>
  );
}

function Breakdown({ stats, by, onBy }: { stats: Stats | undefined; by: Grouping; onBy: (by: Grouping) => void }) {
  const { t } = useI18n();
  const format = useFormat();
  const most = Math.max(1, ...(stats?.groups.map((group) => group.calls) ?? []));
  const columns: Column<Group>[] = [
    {
      header: t(`by.${by}`),
      cell: (g) =>
        by === "account" ? (
          <Link to="/accounts/$id" params={{ id: g.key }} className="font-medium hover:underline">
            {g.label}
          </Link>
        ) : (
          <span className="font-medium">{by === "kind" ? lookUp(t, `kind.${g.key}`, g.label) : g.label}</span>
        ),
    },
    {
      header: t("stat.calls"),
      cell: (g) => (
        <div className="flex items-center justify-end gap-3">
          <svg aria-hidden viewBox="0 0 100 6" preserveAspectRatio="none" className="h-1.5 w-24 max-sm:hidden">
            <rect width="100" height="6" rx="3" fill="var(--sunken)" />
            <rect width={(g.calls / most) * 100} height="6" rx="3" fill="var(--chart-1)" />
          </svg>
          <span className="min-w-12">{format.short(g.calls)}</span>
        </div>
      ),
      end: true,
    },
    { header: t("stat.successRate"), cell: (g) => (g.successRate === undefined ? "–" : <Rate rate={g.successRate} />), end: true },
    { header: t("stat.p50"), cell: (g) => (g.latency ? format.duration(g.latency.p50Ms) : "–"), end: true, from: "lg" },
    { header: t("stat.p95"), cell: (g) => (g.latency ? format.duration(g.latency.p95Ms) : "–"), end: true },
    { header: t("stat.mean"), cell: (g) => (g.latency ? format.duration(g.latency.meanMs) : "–"), end: true, from: "xl" },
    { header: t("stat.credits"), cell: (g) => format.short(g.credits), end: true },
    { header: t("stat.cost"), cell: (g) => format.usd(g.costMicroUsd), end: true },
    {
      header: t("stat.topError"),
      cell: (g) => (g.errors[0] ? <FaultLabel code={g.errors[0].class} className="text-ink-2" /> : <span className="text-ink-3">–</span>),
      from: "xl",
    },
  ];
  return (
    <Card
      title={t("overview.breakdown")}
      hint={by === "arm" ? t("overview.countsArms") : by === "provider" || by === "config" ? t("overview.countsAttempts") : t("overview.countsTasks")}
      flush
      actions={
        <Segmented label={t("overview.by")} value={by} onValue={onBy} options={groupings.map((value) => ({ value, label: t(`by.${value}`) }))} />
      }
    >
      {stats?.groups.length === 0 ? (
        <Empty title={t("overview.noTraffic")} />
      ) : (
        <Table label={t("overview.breakdown")} columns={columns} rows={stats?.groups} rowKey={(g) => g.key} />
      )}
    </Card>
  );
}

function Rate({ rate }: { rate: number }) {
  const format = useFormat();
  const tone = rate >= 0.98 ? "good" : rate >= 0.9 ? "warn" : "bad";
  return <Badge tone={tone}>{format.percent(rate)}</Badge>;
}

function RecentErrors({ kind }: { kind: string | undefined }) {
  const { t } = useI18n();
  const failures = useQuery(recentFailuresQuery(kind));
  return (
    <Card
      title={t("overview.recentErrors")}
      flush
      actions={
        <Link to="/usage" search={{ status: "failed" }} className={buttonLook("ghost", true)}>
          {t("action.all")}
        </Link>
      }
    >
      {failures.isPending ? (
        <Loading />
      ) : failures.isError ? (
        <ErrorState error={failures.error} retry={() => void failures.refetch()} />
      ) : failures.data.items.length === 0 ? (
        <Empty title={t("overview.noErrors")} />
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {failures.data.items.map((record) => {
            const last = record.attempts.at(-1);
            return (
              <li key={record.id}>
                <Link to="/tasks/$id" params={{ id: record.id }} className="flex items-center gap-3 px-4 py-2 hover:bg-hover">
                  <KindIcon kind={record.kind} className="text-ink-3" />
                  <span className="min-w-0 flex-1">
                    <span className="flex flex-wrap items-baseline gap-x-2">
                      <FaultLabel code={record.errorCode} className="font-medium" />
                      <span className="text-xs text-ink-3">{record.model}</span>
                    </span>
                    {last && (
                      <span className="block truncate text-xs text-ink-2">
                        {last.configName}: {last.detail || last.message}
                      </span>
                    )}
                  </span>
                  <Ago at={record.finishedAt} className="text-xs whitespace-nowrap text-ink-3" />
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

function ErrorClasses({ stats }: { stats: Stats | undefined }) {
  const { t } = useI18n();
  const format = useFormat();
  const errors = stats?.totals.errors ?? [];
  const most = Math.max(1, ...errors.map((e) => e.count));
  return (
    <Card title={t("overview.errorClasses")} hint={t("overview.errorClassesHint")}>
      {stats === undefined ? (
        <Loading />
      ) : errors.length === 0 ? (
        <Empty title={t("overview.noErrors")} />
      ) : (
        <ul className="flex flex-col gap-2.5">
          {errors.slice(0, 8).map((e) => (
            <li key={e.class}>
              <div className="flex justify-between text-xs">
                <FaultLabel code={e.class} />
                <span className="num font-medium">{format.whole(e.count)}</span>
              </div>
              <svg aria-hidden viewBox="0 0 100 6" preserveAspectRatio="none" className="mt-1 h-1.5 w-full">
                <rect width="100" height="6" rx="3" fill="var(--sunken)" />
                <rect width={(e.count / most) * 100} height="6" rx="3" fill="var(--bad)" />
              </svg>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
