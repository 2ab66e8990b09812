import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { LayoutGrid, Rows3 } from "lucide-react";
import { KindIcon, KindLabel, StatusBadge, toneOf, Dot } from "../components/badge";
import { Segmented } from "../components/field";
import { Filters, FilterSelect, FilterText } from "../components/filter";
import { useFormat } from "../components/format";
import { Page } from "../components/page";
import { Empty } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago } from "../components/time";
import { useI18n } from "../i18n";
import { kinds } from "../services/configs";
import { modelsQuery } from "../services/models";
import { taskStatuses, tasksQuery, type Task } from "../services/tasks";
import { Media } from "./media";

const route = getRouteApi("/app/tasks");

/** Every task, as a table or as a gallery of what came out. */
export function TasksPage() {
  const { t } = useI18n();
  const format = useFormat();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { view = "table", ...filter } = search;
  const tasks = useInfiniteQuery(tasksQuery({ ...filter, limit: view === "gallery" ? 60 : 50 }));
  const models = useQuery(modelsQuery);
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const active = Object.values(filter).some(Boolean);

  const columns: Column<Task>[] = [
    { header: t("field.status"), cell: (task) => <StatusBadge status={task.status} />, className: "w-28" },
    {
      header: t("field.prompt"),
      cell: (task) => (
        <Link to="/tasks/$id" params={{ id: task.id }} className="flex min-w-0 items-center gap-2.5 hover:underline max-sm:text-right">
          <Thumb task={task} />
          <span className="line-clamp-2 min-w-0 font-medium break-words sm:max-w-md">{task.prompt || task.id}</span>
        </Link>
      ),
    },
    { header: t("field.kind"), cell: (task) => <KindLabel kind={task.kind} />, from: "lg" },
    { header: t("field.model"), cell: (task) => <span className="whitespace-nowrap">{task.model}</span> },
    {
      header: t("field.account"),
      cell: (task) => (
        <Link to="/accounts/$id" params={{ id: task.account }} className="hover:underline">
          {task.account}
        </Link>
      ),
      from: "xl",
    },
    { header: t("attempt.title"), cell: (task) => <AttemptDots task={task} />, from: "lg" },
    { header: t("stat.credits"), cell: (task) => format.whole(task.charged || task.reserved), end: true },
    { header: t("field.latency"), cell: (task) => (task.responseTimeMs > 0 ? format.duration(task.responseTimeMs) : "–"), end: true, from: "xl" },
    { header: t("field.created"), cell: (task) => <Ago at={task.createdAt} className="whitespace-nowrap text-ink-3" />, end: true },
  ];

  return (
    <Page
      title={t("nav.tasks")}
      description={t("tasks.description")}
      actions={
        <Segmented
          label={t("tasks.view")}
          value={view}
          onValue={(next) => set({ view: next === "table" ? undefined : next })}
          options={[
            { value: "table", label: <Rows3 aria-hidden className="size-4" />, title: t("tasks.table") },
            { value: "gallery", label: <LayoutGrid aria-hidden className="size-4" />, title: t("tasks.gallery") },
          ]}
        />
      }
    >
      <Filters active={active} onClear={() => void navigate({ search: search.view ? { view: search.view } : {}, replace: true })}>
        <FilterText label={t("tasks.search")} value={search.q} onValue={(q) => set({ q })} />
        <FilterSelect
          label={t("filter.allStatuses")}
          value={search.status}
          onValue={(status) => set({ status: status as typeof search.status })}
          options={taskStatuses.map((value) => ({ value, label: t(`status.${value}`) }))}
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
          options={(models.data ?? []).map((model) => ({ value: model.name, label: model.name }))}
        />
        <FilterText label={t("field.account")} value={search.account} onValue={(account) => set({ account })} />
      </Filters>
      <PagedTable
        label={t("nav.tasks")}
        query={tasks}
        columns={columns}
        rowKey={(task) => task.id}
        empty={<Empty title={active ? t("tasks.noneMatch") : t("tasks.none")} hint={active ? undefined : t("tasks.noneHint")} />}
        {...(view === "gallery" ? { view: (rows: readonly Task[]) => <Gallery tasks={rows} /> } : {})}
      />
    </Page>
  );
}

function Thumb({ task }: { task: Task }) {
  const output = task.outputs[0];
  return (
    <span className="flex size-9 shrink-0 items-center justify-center overflow-hidden rounded-md border border-line bg-sunken text-ink-3">
      {output ? <Media thumbnail url={output.url} contentType={output.contentType} alt="" className="size-full object-cover!" /> : <KindIcon kind={task.kind} />}
    </span>
  );
}

function AttemptDots({ task }: { task: Task }) {
  const { t } = useI18n();
  return (
    <span className="inline-flex items-center gap-1" title={task.attempts.map((a) => `${a.provider}: ${t(`status.${a.outcome}`)}`).join("\n")}>
      {task.attempts.map((attempt) => (
        <Dot key={attempt.no} tone={toneOf(attempt.outcome)} />
      ))}
      <span className="sr-only">{t("attempt.count", { count: task.attempts.length })}</span>
    </span>
  );
}

function Gallery({ tasks }: { tasks: readonly Task[] }) {
  const { t } = useI18n();
  return (
    <ul className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-4 2xl:grid-cols-6">
      {tasks.map((task) => {
        const output = task.outputs[0];
        return (
          <li key={task.id}>
            <Link to="/tasks/$id" params={{ id: task.id }} className="card group flex h-full flex-col overflow-hidden hover:border-line-strong">
              <span className="relative flex aspect-square w-full items-center justify-center overflow-hidden bg-sunken p-3 text-center text-xs text-ink-3">
                {output ? (
                  <Media
                    thumbnail
                    url={output.url}
                    contentType={output.contentType}
                    alt={t("media.alt", { prompt: task.prompt, no: 1 })}
                    className="absolute inset-0 size-full object-cover! transition-transform group-hover:scale-[1.02]"
                  />
                ) : (
                  <span className="line-clamp-6">{task.text || (task.error?.message ?? t(`status.${task.status}`))}</span>
                )}
                {task.status !== "succeeded" && (
                  <span className="absolute top-2 left-2">
                    <StatusBadge status={task.status} />
                  </span>
                )}
              </span>
              <span className="flex flex-1 flex-col gap-0.5 p-2.5">
                <span className="line-clamp-2 text-xs font-medium">{task.prompt || task.id}</span>
                <span className="mt-auto flex items-center justify-between gap-2 text-2xs text-ink-3">
                  <span className="truncate">{task.model}</span>
                  <Ago at={task.createdAt} />
                </span>
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
