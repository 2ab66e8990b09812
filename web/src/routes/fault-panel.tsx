import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Badge } from "../components/badge";
import { Button } from "../components/button";
import { Card } from "../components/page";
import { Loading } from "../components/states";
import { lookUp, useI18n } from "../i18n";
import { simulatorQuery } from "../services/simulator";
import { FaultDialog } from "./fault-dialog";

/** The simulated providers and their faults, beside the playground where failover is watched. */
export function FaultPanel() {
  const { t } = useI18n();
  const simulator = useQuery(simulatorQuery);
  const [open, setOpen] = useState<string>();
  return (
    <Card title={t("simulator.panel")} hint={t("simulator.panelHint")} flush>
      {simulator.data === undefined ? (
        <Loading />
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {simulator.data.providers.map((provider) => (
            <li key={provider.name} className="flex items-center gap-2 py-1 pr-2 pl-4">
              <span className="flex-1">{provider.name}</span>
              {provider.fault && (
                <Badge tone="bad">
                  {lookUp(t, `fault.${provider.fault.fault}`, provider.fault.fault)}
                  {provider.fault.times > 0 && ` ×${provider.fault.times}`}
                </Badge>
              )}
              <Button small look="ghost" aria-label={t("simulator.title", { provider: provider.name })} onClick={() => setOpen(provider.name)}>
                {provider.fault ? t("simulator.change") : t("simulator.break")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {open && <FaultDialog provider={open} onClose={() => setOpen(undefined)} />}
    </Card>
  );
}
