import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAction } from "../components/action";
import { Badge } from "../components/badge";
import { Button } from "../components/button";
import { Field, Form, NumberInput, Select } from "../components/field";
import { Modal } from "../components/overlay";
import { ErrorState, Loading } from "../components/states";
import { lookUp, useI18n } from "../i18n";
import { healthKeys } from "../services/health";
import { clearFault, setFault, simulatorKeys, simulatorQuery, type Simulator } from "../services/simulator";
import { useSession } from "./session";

/** Switches a fault of a simulated provider on and off, so that failover can be watched. */
export function FaultDialog({ provider, onClose }: { provider: string; onClose: () => void }) {
  const { t } = useI18n();
  const simulator = useQuery(simulatorQuery);
  return (
    <Modal open onClose={onClose} title={t("simulator.title", { provider })} description={t("simulator.hint")}>
      {simulator.isError ? (
        <ErrorState error={simulator.error} retry={() => void simulator.refetch()} />
      ) : simulator.data === undefined ? (
        <Loading />
      ) : (
        <FaultForm provider={provider} simulator={simulator.data} onClose={onClose} />
      )}
    </Modal>
  );
}

function FaultForm({ provider, simulator, onClose }: { provider: string; simulator: Simulator; onClose: () => void }) {
  const { t } = useI18n();
  const now = simulator.providers.find((p) => p.name === provider)?.fault;
  const [fault, setName] = useState(now?.fault ?? "unavailable");
  const [times, setTimes] = useState(now?.times ?? 3);
  const [delayMs, setDelay] = useState(now?.delayMs ?? 0);
  const touches = [simulatorKeys.all, healthKeys.all];
  const on = useAction({
    run: () => setFault(provider, { fault, times, delayMs }),
    touches,
    done: t("simulator.on", { provider, fault: lookUp(t, `fault.${fault}`, fault) }),
    quiet: true,
    onDone: onClose,
  });
  const off = useAction({ run: () => clearFault(provider), touches, done: t("simulator.off", { provider }), onDone: onClose });
  return (
    <Form error={on.error} onSubmit={() => on.mutate()} className="flex flex-col gap-4">
      <Field label={t("simulator.which")} name="fault">
        {(wiring) => (
          <Select
            {...wiring}
            value={fault}
            onValue={setName}
            options={simulator.faultNames.map((value) => ({ value, label: lookUp(t, `fault.${value}`, value) }))}
          />
        )}
      </Field>
      <div className="grid grid-cols-2 gap-4">
        <Field label={t("simulator.times")} name="times" hint={t("simulator.timesHint")}>
          {(wiring) => <NumberInput {...wiring} min={0} value={times} onValue={setTimes} />}
        </Field>
        <Field label={t("simulator.delay")} name="delay_ms" hint={t("simulator.delayHint")}>
          {(wiring) => <NumberInput {...wiring} min={0} value={delayMs} onValue={setDelay} />}
        </Field>
      </div>
      <div className="flex flex-wrap justify-end gap-2">
        {now && (
          <Button busy={off.isPending} onClick={() => off.mutate()} className="mr-auto">
            {t("simulator.remove")}
          </Button>
        )}
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button type="submit" look="primary" busy={on.isPending}>
          {t("simulator.switchOn")}
        </Button>
      </div>
    </Form>
  );
}

/** The fault that a simulated provider has now, if any. */
export function FaultBadge({ provider, onOpen }: { provider: string; onOpen: () => void }) {
  const { t } = useI18n();
  const { canSimulate } = useSession();
  const simulator = useQuery({ ...simulatorQuery, enabled: canSimulate });
  const fault = simulator.data?.providers.find((p) => p.name === provider)?.fault;
  if (fault === undefined) return null;
  return (
    <button type="button" onClick={onOpen} className="rounded-md">
      <Badge tone="bad">
        {lookUp(t, `fault.${fault.fault}`, fault.fault)}
        {fault.times > 0 && ` ×${fault.times}`}
      </Badge>
    </button>
  );
}
