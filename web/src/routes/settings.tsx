import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useSyncExternalStore } from "react";
import { Badge } from "../components/badge";
import { Button } from "../components/button";
import { Segmented } from "../components/field";
import { Card, Facts, Page } from "../components/page";
import { ErrorState, Loading } from "../components/states";
import { setTheme, theme, themes } from "../components/theme";
import { Ago } from "../components/time";
import { setLanguage, useI18n } from "../i18n";
import { deploymentQuery } from "../services/settings";
import { setToken } from "../services/token";
import { ContentFilterCard } from "./content-filter";
import { NotificationsTab } from "./notifications";
import { useSession } from "./session";
import { Transfer } from "./transfer";

const route = getRouteApi("/app/settings");

/** How the console looks, what the deployment is, and its configuration as a file. */
export function SettingsPage() {
  const { t } = useI18n();
  const { tab = "look" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page
      title={t("nav.settings")}
      actions={
        <Segmented
          label={t("nav.settings")}
          value={tab}
          onValue={(next) => void navigate({ search: { tab: next === "look" ? undefined : next }, replace: true })}
          options={[
            { value: "look", label: t("settings.look") },
            { value: "filter", label: t("filter.title") },
            { value: "notices", label: t("notices.title") },
            { value: "transfer", label: t("settings.transfer") },
            { value: "about", label: t("settings.about") },
          ]}
        />
      }
    >
      {tab === "look" && <Look />}
      {tab === "filter" && <ContentFilterCard />}
      {tab === "notices" && <NotificationsTab />}
      {tab === "transfer" && <Transfer />}
      {tab === "about" && <About />}
    </Page>
  );
}

function Look() {
  const { t, language } = useI18n();
  const chosen = useSyncExternalStore(theme.subscribe, theme.get);
  const session = useSession();
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card title={t("settings.look")}>
        <div className="flex flex-col gap-4">
          <Row label={t("settings.theme")}>
            <Segmented label={t("settings.theme")} value={chosen} onValue={setTheme} options={themes.map((value) => ({ value, label: t(`theme.${value}`) }))} />
          </Row>
          <Row label={t("settings.language")}>
            <Segmented
              label={t("settings.language")}
              value={language}
              onValue={setLanguage}
              options={[
                { value: "en", label: <span lang="en">English</span> },
                { value: "zh", label: <span lang="zh-Hans">中文</span> },
              ]}
            />
          </Row>
        </div>
      </Card>
      <Card title={t("settings.session")} actions={<Button onClick={() => setToken("")}>{t("session.logout")}</Button>}>
        <Facts
          items={[
            [t("field.name"), session.name],
            [t("settings.role"), <Badge key="r" tone={session.role === "admin" ? "info" : "idle"}>{t(`session.${session.role}`)}</Badge>],
            [t("settings.subject"), <code key="s" className="font-mono text-xs">{session.subject}</code>],
            session.account !== "" && [t("field.account"), session.account],
            session.expiresAt && [t("keys.expires"), <Ago key="e" at={session.expiresAt} />],
          ]}
        />
      </Card>
    </div>
  );
}

function Row({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-2">
      <span className="font-medium">{label}</span>
      {children}
    </div>
  );
}

function About() {
  const { t } = useI18n();
  const deployment = useQuery(deploymentQuery);
  if (deployment.isError) {
    return (
      <div className="card">
        <ErrorState error={deployment.error} retry={() => void deployment.refetch()} />
      </div>
    );
  }
  if (deployment.data === undefined) {
    return (
      <div className="card">
        <Loading />
      </div>
    );
  }
  const d = deployment.data;
  const known = (label: string, value: string) => value !== "" && ([label, value] as const);
  return (
    <Card title={t("settings.about")}>
      <Facts
        items={[
          known(t("settings.version"), d.version),
          known(t("settings.commit"), d.commit),
          [t("settings.mode"), d.local ? t("settings.local") : t("settings.deployed")],
          known(t("settings.region"), d.region),
          d.startedAt && [t("settings.started"), <Ago key="s" at={d.startedAt} />],
          known(t("settings.url"), d.publicUrl),
          known(t("settings.assets"), d.assetOrigin),
          known(t("settings.data"), d.data),
          d.retentionDays > 0 && [t("settings.retention"), t("keys.days", { count: d.retentionDays })],
          [t("settings.reveal"), d.revealKeys ? t("settings.on") : t("settings.off")],
          [t("settings.issuer"), d.oidcIssuer || t("settings.none")],
          known("Go", d.goVersion),
        ]}
      />
    </Card>
  );
}
