import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { Badge, KindLabel } from "../components/badge";
import { Button } from "../components/button";
import { Segmented } from "../components/field";
import { useFormat, type Format } from "../components/format";
import { Page } from "../components/page";
import { Empty, ErrorState } from "../components/states";
import { Table, type Column } from "../components/table";
import { lookUp, useI18n, type Translate } from "../i18n";
import { kinds } from "../services/configs";
import { modelsQuery, type Model } from "../services/models";
import { ModelFindings } from "./model-findings";
import { ModelDrawer } from "./model-drawer";
import { useIsAdmin } from "./session";

const route = getRouteApi("/app/models");

function price(model: Model, t: Translate, format: Format): string {
  return t("models.per", { credits: format.whole(model.price.credits), unit: lookUp(t, `unit.${model.price.unit}`, model.price.unit) });
}

/** The model names that callers may use, with their prices. */
export function ModelsPage() {
  const { t } = useI18n();
  const format = useFormat();
  const admin = useIsAdmin();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const models = useQuery(modelsQuery);
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const shown = models.data?.filter((model) => search.kind === undefined || model.kind === search.kind);
  const edited = models.data?.find((model) => model.name === search.edit);
  const add = admin && (
    <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => set({ edit: "+" })}>
      {t("models.add")}
    </Button>
  );
  const columns: Column<Model>[] = [
    {
      header: t("field.name"),
      cell: (model) => (
        <span className="flex flex-col max-sm:items-end">
          <span className="flex flex-wrap items-center gap-1.5">
            <button type="button" onClick={() => set({ edit: model.name })} className="rounded text-left font-medium hover:underline">
              {model.name}
            </button>
            {model.auto && <Badge tone="info">{t("models.auto")}</Badge>}
            {model.hidden && <Badge>{t("models.hidden")}</Badge>}
            {model.source !== "builtin" && <Badge>{t(`models.${model.source}`)}</Badge>}
          </span>
          {model.title && <span className="text-xs text-ink-3">{model.title}</span>}
        </span>
      ),
    },
    { header: t("field.kind"), cell: (model) => <KindLabel kind={model.kind} /> },
    {
      header: t("models.price"),
      cell: (model) => (model.price.known ? <span className="whitespace-nowrap">{price(model, t, format)}</span> : <Badge tone="bad">{t("models.noPrice")}</Badge>),
    },
    {
      header: t("models.upstreams"),
      cell: (model) =>
        model.auto ? (
          <span className="text-xs text-ink-3">{t("models.anyConfig")}</span>
        ) : model.configured ? (
          <span className="text-xs text-ink-3">{t("models.configured")}</span>
        ) : (
          <span className="flex flex-col text-xs max-sm:items-end">
            {model.upstreams.map((u) => (
              <span key={u.provider + u.model} className="max-w-80 truncate max-sm:max-w-52">
                {u.provider} <code className="font-mono text-ink-3">{u.model}</code>
              </span>
            ))}
          </span>
        ),
      from: "lg",
    },
    {
      header: t("models.aliases"),
      cell: (model) =>
        model.aliases.length > 0 && (
          <span className="inline-flex max-w-64 flex-wrap gap-1">
            {model.aliases.map((alias) => (
              <Badge key={alias.name} tone={alias.retired ? "warn" : "idle"}>
                {alias.name}
              </Badge>
            ))}
          </span>
        ),
      from: "xl",
    },
    {
      header: t("models.retires"),
      cell: (model) => (model.retiresAt ? <Badge tone="warn">{format.day(model.retiresAt)}</Badge> : <span className="text-ink-3">–</span>),
      from: "xl",
    },
  ];
  return (
    <Page
      title={t("nav.models")}
      description={t("models.description")}
      actions={
        <>
          <Segmented
            label={t("field.kind")}
            value={search.kind ?? "all"}
            onValue={(kind) => set({ kind: kind === "all" ? undefined : kind })}
            options={[{ value: "all" as const, label: t("filter.all") }, ...kinds.map((value) => ({ value, label: t(`kind.${value}`) }))]}
          />
          {add}
        </>
      }
    >
      <ModelFindings />
      <div className="card">
        {models.isError && !models.data ? (
          <ErrorState error={models.error} retry={() => void models.refetch()} />
        ) : shown?.length === 0 ? (
          <Empty title={t("models.none")} action={add} />
        ) : (
          <Table label={t("nav.models")} columns={columns} rows={shown} rowKey={(model) => model.name} dim={(model) => model.hidden} />
        )}
      </div>
      {(edited ?? (search.edit === "+" && admin)) && (
        <ModelDrawer key={edited?.name ?? "+"} model={edited} onClose={() => set({ edit: undefined })} />
      )}
    </Page>
  );
}
