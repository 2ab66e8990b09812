import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Tooltip } from "radix-ui";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ConnectionBanner } from "./components/connection-banner";
import { startTheme } from "./components/theme";
import { Toasts } from "./components/toast";
import { LanguageProvider, startLanguage } from "./i18n";
import { queryClient, router } from "./router";
import { takeTokenFromAddress } from "./routes/login";
import { connection } from "./services/connection";
import { dropDrafts } from "./services/draft";
import { currentToken, expired, onTokenChange } from "./services/token";
import "./styles.css";

startTheme();
startLanguage();
takeTokenFromAddress();

// An expired login leads to the login page, which leads back to where one was.
onTokenChange(() => {
  if (currentToken() !== "") return;
  queryClient.clear();
  if (!expired.get()) dropDrafts();
  const { href } = router.state.location;
  if (href.startsWith("/login")) return;
  void router.navigate({ to: "/login", search: expired.get() ? { next: href } : {} });
});

// What failed while the connection was lost is read again once it is back.
connection.subscribe(() => {
  if (connection.get() === "ok") void queryClient.invalidateQueries();
});

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <QueryClientProvider client={queryClient}>
        <Tooltip.Provider delayDuration={350}>
          <ConnectionBanner />
          <RouterProvider router={router} />
          <Toasts />
        </Tooltip.Provider>
      </QueryClientProvider>
    </LanguageProvider>
  </StrictMode>,
);
