import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { Button } from "../components/button";
import { Segmented } from "../components/field";
import { Page } from "../components/page";
import { Empty, ErrorState } from "../components/states";
import { Table } from "../components/table";
import { useI18n } from "../i18n";
import { configsQuery, kinds, type Config } from "../services/configs";
import { healthQuery } from "../services/health";
import { ConfigDrawer } from "./config-drawer";
import { ConfigSection } from "./config-section";
import { presets } from "./presets";
import { useIsAdmin } from "./session";

const route = getRouteApi("/app/configs");

/** The configured provider APIs, in the order in which they are tried. */
export function ConfigsPage() {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const configs = useQuery(configsQuery);
  const health = useQuery(healthQuery);
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const shown = kinds.filter((kind) => (search.kind === undefined || search.kind === kind) && configs.data?.some((c) => c.kind === kind));
  const edited = configs.data?.find((config) => config.id === search.edit);
  const healthOf = new Map(health.data?.map((h) => [h.configId, h]));
  const add = admin && (
    <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => set({ add: "openai", edit: undefined })}>
      {t("configs.add")}
    </Button>
  );
  return (
    <Page
      title={t("nav.configs")}
      description={t("configs.description")}
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
      {configs.isError && !configs.data ? (
        <div className="card">
          <ErrorState error={configs.error} retry={() => void configs.refetch()} />
        </div>
      ) : configs.data === undefined ? (
        <div className="card">
          <Table label={t("nav.configs")} columns={[{ header: t("field.name"), cell: () => null }]} rows={undefined} rowKey={String} />
        </div>
      ) : shown.length === 0 ? (
        <div className="card">
          <Empty title={t("configs.empty")} hint={t("configs.emptyHint")} action={add} />
        </div>
      ) : (
        shown.map((kind) => (
          <ConfigSection
            key={kind}
            kind={kind}
            configs={configs.data.filter((config) => config.kind === kind)}
            health={healthOf}
            onEdit={(id) => set({ edit: id, add: undefined })}
          />
        ))
      )}
      {(search.add !== undefined || edited) && (
        <ConfigDrawer
          key={edited?.id ?? "new"}
          config={edited}
          preset={presets.find((p) => p.id === search.add)}
          configs={configs.data ?? []}
          health={edited && healthOf.get(edited.id)}
          onClose={() => set({ edit: undefined, add: undefined })}
          onSaved={(saved: Config) => set({ edit: undefined, add: undefined, kind: search.kind === undefined ? undefined : saved.kind })}
        />
      )}
    </Page>
  );
}
