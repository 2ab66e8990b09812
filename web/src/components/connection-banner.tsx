import { WifiOff } from "lucide-react";
import { useSyncExternalStore } from "react";
import { useI18n } from "../i18n";
import { connection } from "../services/connection";
import { Spinner } from "./button";

/** Says that the server cannot be reached, for as long as that is so. */
export function ConnectionBanner() {
  const { t } = useI18n();
  const state = useSyncExternalStore(connection.subscribe, connection.get);
  return (
    <div role="status" aria-live="assertive" className="sticky top-0 z-60">
      {state === "lost" && (
        <div className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-2 text-warn-ink">
          <WifiOff aria-hidden className="size-4" />
          <span>{t("connection.lost")}</span>
          <Spinner />
        </div>
      )}
    </div>
  );
}
