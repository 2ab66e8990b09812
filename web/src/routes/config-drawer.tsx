import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { onceKey } from "../components/action";
import { Button } from "../components/button";
import { Field, Form, Input, NumberInput, Select, SwitchRow } from "../components/field";
import { Group } from "../components/group";
import { JsonEditor } from "../components/json";
import { Drawer } from "../components/overlay";
import { useI18n } from "../i18n";
import {
  configKeys,
  configWire,
  createConfig,
  draftOf,
  fromDraft,
  kinds,
  patchConfig,
  testConfig,
  testDraft,
  toConfig,
  type Config,
  type ConfigDraft,
} from "../services/configs";
import type { Health } from "../services/health";
import { providersQuery } from "../services/providers";
import { ConfigFacts } from "./config-facts";
import { TestPanel } from "./config-test";
import { draftFrom, presets, type Preset } from "./presets";
import { useIsAdmin } from "./session";
import { useEditor } from "./use-editor";

interface DrawerProps {
  /** The config to edit; undefined to add one. */
  config: Config | undefined;
  preset: Preset | undefined;
  configs: readonly Config[];
  health: Health | undefined;
  onClose: () => void;
  onSaved: (saved: Config) => void;
}

const nextPriority = (configs: readonly Config[], kind: string) =>
  Math.max(0, ...configs.filter((config) => config.kind === kind).map((config) => config.priority)) + 10;

/** Adds or edits a config, and tests it before it is saved. */
export function ConfigDrawer({ config, preset, configs, health, onClose, onSaved }: DrawerProps) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const providers = useQuery(providersQuery);
  const usualUrl = (name: string) => providers.data?.find((p) => p.name === name)?.baseUrl ?? "";
  const start = preset ?? presets[0];
  const [chosen, setChosen] = useState(start?.id ?? "");
  const [fresh] = useState<ConfigDraft>(() => {
    if (config) return draftOf(config);
    if (!start) throw new Error("there is no preset");
    return draftFrom(start, usualUrl(start.provider), nextPriority(configs, start.kind));
  });
  const [key, setKey] = useState("");
  const [once] = useState(onceKey);
  const [valid, setValid] = useState(true);
  const [testing, setTesting] = useState(false);
  const whole = (from: ConfigDraft) => ({ ...from, baseUrl: from.baseUrl || usualUrl(from.provider) });
  const editor = useEditor<ConfigDraft, Config>({
    name: `config/${config?.id ?? ""}`,
    start: fresh,
    version: config?.version ?? "new",
    send: (from, over) => (config && typeof over === "number" ? patchConfig(config.id, whole(from), over) : createConfig(whole(from), key.trim(), once)),
    current: (stale) => {
      const now = stale.current(configWire.transform(toConfig));
      return now && { draft: draftOf(now), version: now.version };
    },
    wire: fromDraft,
    more: key !== "",
    touches: [configKeys.all],
    done: config ? t("configs.saved") : t("configs.added"),
    onSaved,
  });
  const { draft, set } = editor;
  const close = () => editor.leave(onClose);

  const choose = (id: string) => {
    const next = presets.find((p) => p.id === id);
    if (!next) return;
    setChosen(id);
    editor.replace(draftFrom(next, usualUrl(next.provider), nextPriority(configs, next.kind)));
  };

  return (
    <Drawer
      open
      onClose={close}
      title={config ? config.name : t("configs.addTitle")}
      description={config ? undefined : t("configs.addHint")}
      footer={
        <>
          {admin && (
            <Button className="mr-auto" aria-expanded={testing} disabled={!valid} onClick={() => setTesting(!testing)}>
              {testing ? t("test.hide") : t("action.test")}
            </Button>
          )}
          <Button onClick={close}>{admin ? t("action.cancel") : t("action.close")}</Button>
          {admin && (
            <Button look="primary" type="submit" form="config-form" busy={editor.busy} disabled={!valid}>
              {config ? t("action.save") : t("configs.add")}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-5">
        {testing && (
          <section aria-label={t("action.test")} className="rounded-lg border border-line bg-sunken p-3">
            <TestPanel
              kind={draft.kind}
              run={(input, signal) =>
                config && key === "" && unchanged(config, draft)
                  ? testConfig(config.id, input, signal)
                  : testDraft(whole(draft), key.trim(), config?.id, input, signal)
              }
            />
          </section>
        )}
        {config && <ConfigFacts config={config} health={health} />}
        <Form id="config-form" error={editor.error} onSubmit={() => valid && editor.save()}>
          <fieldset disabled={!admin} className="flex flex-col gap-5">
            {!config && (
              <Field label={t("configs.preset")} hint={t("configs.presetHint")}>
                {(wiring) => (
                  <Select {...wiring} value={chosen} onValue={choose} options={presets.map((p) => ({ value: p.id, label: `${p.title} · ${t(`kind.${p.kind}`)}` }))} />
                )}
              </Field>
            )}
            <Basics draft={draft} set={set} providers={providers.data?.map((p) => ({ value: p.name, label: p.title })) ?? []} />
            <Connection draft={draft} set={set} config={config} apiKey={key} setKey={setKey} usualUrl={usualUrl(draft.provider)} />
            <Limits draft={draft} set={set} />
            <Group title={t("configs.traffic")}>
              <SwitchRow label={t("field.enabled")} hint={t("configs.activeHint")} checked={draft.active} onChange={(active) => set({ active })} disabled={!admin} />
              <SwitchRow
                label={t("field.default")}
                hint={t("configs.defaultHint")}
                checked={draft.default}
                onChange={(value) => set({ default: value })}
                disabled={!admin}
              />
            </Group>
            <Group title={t("configs.advanced")}>
              <JsonEditor
                key={editor.epoch}
                label={t("field.data")}
                name="config_data"
                hint={t("configs.dataHint")}
                value={draft.data}
                onValue={(data) => set({ data })}
                onValid={setValid}
              />
            </Group>
          </fieldset>
        </Form>
      </div>
      {editor.dialogs}
    </Drawer>
  );
}

const unchanged = (config: Config, draft: ConfigDraft) => JSON.stringify(draftOf(config)) === JSON.stringify(draft);

interface PartProps {
  draft: ConfigDraft;
  set: (change: Partial<ConfigDraft>) => void;
}

function Basics({ draft, set, providers }: PartProps & { providers: { value: string; label: string }[] }) {
  const { t } = useI18n();
  const known = providers.some((p) => p.value === draft.provider) ? providers : [{ value: draft.provider, label: draft.provider }, ...providers];
  return (
    <Group title={t("configs.basics")}>
      <Field label={t("field.name")} name="name">
        {(wiring) => <Input {...wiring} value={draft.name} maxLength={100} onChange={(event) => set({ name: event.target.value })} />}
      </Field>
      <div className="grid grid-cols-2 gap-3">
        <Field label={t("field.provider")} name="provider">
          {(wiring) => <Select {...wiring} value={draft.provider} onValue={(provider) => set({ provider })} options={known} />}
        </Field>
        <Field label={t("field.kind")} name="kind">
          {(wiring) => (
            <Select {...wiring} value={draft.kind} onValue={(kind) => set({ kind })} options={kinds.map((value) => ({ value, label: t(`kind.${value}`) }))} />
          )}
        </Field>
      </div>
      <Field label={t("field.upstreamModel")} name="model" hint={t("configs.modelHint")}>
        {(wiring) => <Input {...wiring} value={draft.model} onChange={(event) => set({ model: event.target.value })} className="font-mono text-xs!" />}
      </Field>
    </Group>
  );
}

function Connection({ draft, set, config, apiKey, setKey, usualUrl }: PartProps & { config: Config | undefined; apiKey: string; setKey: (key: string) => void; usualUrl: string }) {
  const { t } = useI18n();
  return (
    <Group title={t("configs.connection")}>
      <Field label={t("field.baseUrl")} name="base_url">
        {(wiring) => (
          <Input {...wiring} type="url" placeholder={usualUrl || "https://"} value={draft.baseUrl} onChange={(event) => set({ baseUrl: event.target.value })} className="font-mono text-xs!" />
        )}
      </Field>
      <Field label={t("field.endpoint")} name="endpoint" hint={t("configs.endpointHint")}>
        {(wiring) => <Input {...wiring} value={draft.endpoint} onChange={(event) => set({ endpoint: event.target.value })} className="font-mono text-xs!" />}
      </Field>
      {config ? (
        <p className="text-xs text-ink-3">
          {config.keyMask ? t("configs.keyNow", { mask: config.keyMask }) : t("configs.noKey")}. {t("configs.keyElsewhere")}
        </p>
      ) : (
        <Field label={t("field.key")} name="key" hint={t("configs.keyHint")}>
          {(wiring) => <Input {...wiring} type="password" autoComplete="new-password" value={apiKey} onChange={(event) => setKey(event.target.value)} />}
        </Field>
      )}
    </Group>
  );
}

function Limits({ draft, set }: PartProps) {
  const { t } = useI18n();
  const number = (label: string, name: string, value: number, onValue: (value: number) => void, min: number, max: number, hint?: string) => (
    <Field label={label} name={name} hint={hint ?? `${min} – ${max.toLocaleString("en")}`}>
      {(wiring) => <NumberInput {...wiring} min={min} max={max} value={value} onValue={onValue} />}
    </Field>
  );
  return (
    <Group title={t("configs.limits")}>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        {number(t("field.timeout"), "timeout_seconds", draft.timeoutSeconds, (timeoutSeconds) => set({ timeoutSeconds }), 10, 300)}
        {number(t("field.retries"), "max_retries", draft.maxRetries, (maxRetries) => set({ maxRetries }), 0, 10)}
        {number(t("field.priority"), "priority", draft.priority, (priority) => set({ priority }), 0, 1_000_000, t("configs.priorityHint"))}
        {number(t("field.rate"), "rate_per_minute", draft.ratePerMinute, (ratePerMinute) => set({ ratePerMinute }), 0, 1_000_000, t("configs.zeroUnlimited"))}
        {number(t("field.concurrency"), "concurrency", draft.concurrency, (concurrency) => set({ concurrency }), 0, 100_000, t("configs.zeroUnlimited"))}
        {number(t("field.weight"), "weight", draft.weight, (weight) => set({ weight }), 0, 1000)}
      </div>
    </Group>
  );
}
