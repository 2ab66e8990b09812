import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Badge } from "../components/badge";
import { Id } from "../components/copy";
import { Diff } from "../components/diff";
import { Filters, FilterSelect, FilterText } from "../components/filter";
import { Facts, Page } from "../components/page";
import { Empty } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago, At } from "../components/time";
import { lookUp, useI18n } from "../i18n";
import { auditQuery, type AuditEntry } from "../services/audit";

const route = getRouteApi("/app/audit");
const areas = ["config.", "account.", "key.", "model.", "task.", "delivery.", "settings.", "import.", "breaker."] as const;

/** Who did what to which object, with what it was before and after. */
export function AuditPage() {
  const { t } = useI18n();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const audit = useInfiniteQuery(auditQuery(search));
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const active = Object.values(search).some(Boolean);
  const columns: Column<AuditEntry>[] = [
    { header: t("audit.when"), cell: (e) => <Ago at={e.at} className="whitespace-nowrap text-ink-3" /> },
    {
      header: t("audit.who"),
      cell: (e) => (
        <span className="inline-flex items-center gap-1.5">
          <span className="font-medium">{e.actor.name || e.actor.id || t("audit.system")}</span>
          {e.actor.type === "oidc" && <Badge>SSO</Badge>}
        </span>
      ),
    },
    {
      header: t("audit.action"),
      cell: (e) => (
        <span title={e.action} className="whitespace-nowrap">
          {lookUp(t, `audit.${e.action}`, e.action)}
        </span>
      ),
    },
    {
      header: t("audit.object"),
      cell: (e) => (
        <span className="inline-flex max-w-full items-center gap-1.5">
          <Badge>{e.object.type}</Badge>
          <span className="truncate">{e.object.name || e.object.id}</span>
        </span>
      ),
    },
  ];
  return (
    <Page title={t("nav.audit")} description={t("audit.description")}>
      <Filters active={active} onClear={() => void navigate({ search: {}, replace: true })}>
        <FilterSelect
          label={t("audit.allActions")}
          value={search.action}
          onValue={(action) => set({ action })}
          options={areas.map((value) => ({ value, label: lookUp(t, `audit.area.${value.slice(0, -1)}`, value) }))}
        />
        <FilterText label={t("audit.objectId")} value={search.object} onValue={(object) => set({ object })} />
        <FilterText label={t("audit.actorId")} value={search.actor} onValue={(actor) => set({ actor })} />
      </Filters>
      <PagedTable
        label={t("nav.audit")}
        query={audit}
        columns={columns}
        rowKey={(e) => e.id}
        detail={(e) => <Detail entry={e} />}
        empty={<Empty title={active ? t("audit.noneMatch") : t("audit.none")} />}
      />
    </Page>
  );
}

function Detail({ entry }: { entry: AuditEntry }) {
  const { t } = useI18n();
  return (
    <div className="flex flex-col gap-3">
      <Facts
        items={[
          [t("audit.when"), <At key="w" at={entry.at} />],
          [t("audit.objectId"), <Id key="o" id={entry.object.id} />],
          [t("audit.actorId"), <Id key="a" id={entry.actor.id} />],
          entry.requestId !== "" && [t("field.requestId"), <Id key="r" id={entry.requestId} />],
        ]}
      />
      {(entry.before ?? entry.after) && <Diff before={entry.before} after={entry.after} />}
    </div>
  );
}
