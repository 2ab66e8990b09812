import { QueryClient } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, Outlet, redirect } from "@tanstack/react-router";
import { AppLayout } from "./routes/app-layout";
import { NotFound, RouteError } from "./routes/fallbacks";
import { lazyScreen } from "./routes/lazy-screen";
import { LoginPage } from "./routes/login";
import * as search from "./routes/search";
import { Offline, Problem } from "./services/problem";
import { currentToken } from "./services/token";

/** Keeps what was read from the server. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The page may be served from this very machine: a browser that says offline is no reason to wait.
      networkMode: "always",
      retry: (failures, error) => failures < 2 && !(error instanceof Offline) && !(error instanceof Problem && error.status < 500),
      refetchOnWindowFocus: true,
    },
    mutations: { networkMode: "always" },
  },
});

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: RouteError });

const login = createRoute({ getParentRoute: () => root, path: "/login", validateSearch: search.loginSearch, component: LoginPage });

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: AppLayout,
  beforeLoad: ({ location }) => {
    if (currentToken() === "") {
      throw redirect({ to: "/login", search: location.href === "/" ? {} : { next: location.href }, replace: true });
    }
  },
});

const screens = [
  createRoute({
    getParentRoute: () => app,
    path: "/",
    validateSearch: search.overviewSearch,
    component: lazyScreen(() => import("./routes/overview"), "OverviewPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/welcome",
    component: lazyScreen(() => import("./routes/welcome"), "WelcomePage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/configs",
    validateSearch: search.configsSearch,
    component: lazyScreen(() => import("./routes/configs"), "ConfigsPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/playground",
    validateSearch: search.playgroundSearch,
    component: lazyScreen(() => import("./routes/playground"), "PlaygroundPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/tasks",
    validateSearch: search.tasksSearch,
    component: lazyScreen(() => import("./routes/tasks"), "TasksPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/tasks/$id",
    component: lazyScreen(() => import("./routes/task"), "TaskPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/usage",
    validateSearch: search.usageSearch,
    component: lazyScreen(() => import("./routes/usage"), "UsagePage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/audit",
    validateSearch: search.auditSearch,
    component: lazyScreen(() => import("./routes/audit"), "AuditPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/keys",
    validateSearch: search.keysSearch,
    component: lazyScreen(() => import("./routes/keys"), "KeysPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/accounts",
    validateSearch: search.accountsSearch,
    component: lazyScreen(() => import("./routes/accounts"), "AccountsPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/accounts/$id",
    validateSearch: search.accountSearch,
    component: lazyScreen(() => import("./routes/account"), "AccountPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/models",
    validateSearch: search.modelsSearch,
    component: lazyScreen(() => import("./routes/models"), "ModelsPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/webhooks",
    validateSearch: search.webhooksSearch,
    component: lazyScreen(() => import("./routes/webhooks"), "WebhooksPage"),
  }),
  createRoute({
    getParentRoute: () => app,
    path: "/settings",
    validateSearch: search.settingsSearch,
    component: lazyScreen(() => import("./routes/settings"), "SettingsPage"),
  }),
] as const;

/** The console's screens, below the path that the page's base names. */
export const router = createRouter({
  routeTree: root.addChildren([login, app.addChildren(screens)]),
  basepath: new URL(document.baseURI).pathname,
  defaultPendingMs: 150,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
