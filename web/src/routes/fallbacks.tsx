import { Link, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { buttonLook } from "../components/button";
import { Empty, ErrorState } from "../components/states";
import { useI18n } from "../i18n";

/** Stands where an address leads nowhere. */
export function NotFound() {
  const { t } = useI18n();
  useEffect(() => {
    document.title = `${t("notFound.title")} · Easel`;
  }, [t]);
  return (
    <main className="flex min-h-[60dvh] items-center justify-center">
      <Empty
        title={<h1>{t("notFound.title")}</h1>}
        hint={t("notFound.hint")}
        action={
          <Link to="/" className={buttonLook("plain")}>
            {t("nav.overview")}
          </Link>
        }
      />
    </main>
  );
}

/** Stands where a screen broke. */
export function RouteError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main className="flex min-h-[60dvh] items-center justify-center">
      <ErrorState error={error instanceof Error ? error : new Error(String(error))} retry={() => void router.invalidate()} />
    </main>
  );
}
