import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import {
  Activity,
  ChartNoAxesColumn,
  Coins,
  Cpu,
  FlaskConical,
  KeyRound,
  Layers,
  LayoutDashboard,
  LogOut,
  Menu as MenuIcon,
  MoonStar,
  ScrollText,
  Settings,
  Sun,
  Webhook,
  X,
  type LucideIcon,
} from "lucide-react";
import { useState, useSyncExternalStore } from "react";
import { Badge } from "../components/badge";
import { IconButton } from "../components/button";
import { cx } from "../components/cx";
import { Mark } from "../components/logo";
import { ErrorState, Loading } from "../components/states";
import { setTheme, theme } from "../components/theme";
import { setLanguage, useI18n, type PlainKey } from "../i18n";
import { sessionQuery, type Session } from "../services/session";
import { setToken } from "../services/token";
import { SessionContext } from "./session";

interface Place {
  to: "/" | "/playground" | "/tasks" | "/usage" | "/webhooks" | "/audit" | "/configs" | "/models" | "/keys" | "/accounts" | "/settings";
  label: PlainKey;
  icon: LucideIcon;
}

const groups: { label: PlainKey; places: Place[] }[] = [
  {
    label: "nav.operate",
    places: [
      { to: "/", label: "nav.overview", icon: LayoutDashboard },
      { to: "/playground", label: "nav.playground", icon: FlaskConical },
      { to: "/tasks", label: "nav.tasks", icon: Layers },
      { to: "/usage", label: "nav.usage", icon: ChartNoAxesColumn },
      { to: "/webhooks", label: "nav.webhooks", icon: Webhook },
      { to: "/audit", label: "nav.audit", icon: ScrollText },
    ],
  },
  {
    label: "nav.configure",
    places: [
      { to: "/configs", label: "nav.configs", icon: Activity },
      { to: "/models", label: "nav.models", icon: Cpu },
      { to: "/keys", label: "nav.keys", icon: KeyRound },
      { to: "/accounts", label: "nav.accounts", icon: Coins },
      { to: "/settings", label: "nav.settings", icon: Settings },
    ],
  },
];

function Places({ onGo }: { onGo: () => void }) {
  const { t } = useI18n();
  return (
    <nav aria-label={t("nav.label")} className="flex flex-1 flex-col gap-4 overflow-y-auto px-2.5 py-2">
      {groups.map((group) => (
        <div key={group.label}>
          <div className="px-2 pb-1 text-2xs font-medium text-ink-3">{t(group.label)}</div>
          <ul className="flex flex-col gap-px">
            {group.places.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  onClick={onGo}
                  activeOptions={{ exact: to === "/", includeSearch: false }}
                  activeProps={{ "aria-current": "page" }}
                  className="flex h-[30px] items-center gap-2.5 rounded-md px-2 text-ink-2 hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent-ink pointer-coarse:h-11"
                >
                  <Icon aria-hidden className="size-4" strokeWidth={1.75} />
                  {t(label)}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function Foot({ session }: { session: Session | undefined }) {
  const { t, language } = useI18n();
  useSyncExternalStore(theme.subscribe, theme.get);
  const dark = document.documentElement.dataset["theme"] === "dark";
  return (
    <div className="border-t border-line p-2.5">
      <div className="flex min-h-8 items-center gap-2 px-2">
        <div className="min-w-0 flex-1">
          <div className="truncate text-xs font-medium">{session?.name ?? " "}</div>
          {session?.role === "viewer" && <div className="text-2xs text-ink-3">{t("session.viewOnly")}</div>}
        </div>
        {session?.local && <Badge tone="info">{t("session.local")}</Badge>}
      </div>
      <div className="flex items-center gap-1 pt-1">
        <IconButton label={dark ? t("theme.toLight") : t("theme.toDark")} onClick={() => setTheme(dark ? "light" : "dark")}>
          {dark ? <Sun aria-hidden className="size-4" /> : <MoonStar aria-hidden className="size-4" />}
        </IconButton>
        <IconButton
          label={language === "en" ? "切换到中文" : "Switch to English"}
          onClick={() => setLanguage(language === "en" ? "zh" : "en")}
          className="text-xs font-semibold"
        >
          {language === "en" ? "中" : "EN"}
        </IconButton>
        <IconButton label={t("session.logout")} onClick={() => setToken("")} className="ml-auto">
          <LogOut aria-hidden className="size-4" />
        </IconButton>
      </div>
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2 rounded-md">
      <Mark className="size-[26px]" />
      <span className="text-[15px] font-semibold tracking-tight">Easel</span>
    </Link>
  );
}

/** The frame around every screen: the way around, who is logged in, and the screen. */
export function AppLayout() {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  const session = useQuery(sessionQuery());
  const path = useRouterState({ select: (state) => state.location.pathname });
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[216px_minmax(0,1fr)]">
      <a href="#main" className="sr-only z-60 rounded-md bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        {t("nav.skip")}
      </a>
      <header className="sticky top-0 z-30 flex h-12 items-center justify-between border-b border-line bg-surface px-3 lg:hidden">
        <Brand />
        <IconButton label={open ? t("action.close") : t("nav.open")} aria-expanded={open} aria-controls="side" onClick={() => setOpen(!open)}>
          {open ? <X aria-hidden className="size-5" /> : <MenuIcon aria-hidden className="size-5" />}
        </IconButton>
      </header>
      <aside
        id="side"
        className={cx(
          "z-20 flex flex-col border-line bg-surface",
          "lg:sticky lg:top-0 lg:h-dvh lg:border-r",
          open ? "max-lg:fixed max-lg:inset-x-0 max-lg:top-12 max-lg:bottom-0" : "max-lg:hidden",
        )}
      >
        <div className="px-4 pt-4 pb-2 max-lg:hidden">
          <Brand />
        </div>
        <Places onGo={() => setOpen(false)} />
        <Foot session={session.data} />
      </aside>
      <main id="main" tabIndex={-1} className="min-w-0 [--head:0px] focus:outline-none max-lg:[--head:3rem]">
        {session.isPending ? (
          <Loading rows={6} />
        ) : session.isError ? (
          <ErrorState error={session.error} retry={() => void session.refetch()} />
        ) : (
          <SessionContext key={path.split("/")[1]} value={session.data}>
            <Outlet />
          </SessionContext>
        )}
      </main>
    </div>
  );
}
