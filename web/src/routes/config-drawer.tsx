import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { onceKey } from "../components/action";
import { Button } from "../components/button";
import { Field, Form, Input, NumberInput, Select, SwitchRow } from "../components/field";
import { JsonEditor } from "../components/json";
import { Drawer } from "../components/overlay";
import { say } from "../components/toast";
import { useI18n } from "../i18n";
import {
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
import { Problem } from "../services/problem";
import { providersQuery } from "../services/providers";
import { ConfigFacts } from "./config-facts";
import { TestPanel } from "./config-test";
import { Conflict } from "./conflict";
import { draftFrom, presets, type Preset } from "./presets";
import { useIsAdmin } from "./session";

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
  const [draft, setDraft] = useState<ConfigDraft>(() => {
    if (config) return draftOf(config);
    if (!start) throw new Error("there is no preset");
    return draftFrom(start, usualUrl(start.provider), nextPriority(configs, start.kind));
  });
  const [version, setVersion] = useState(config?.version ?? 0);
  const [key, setKey] = useState("");
  const [once] = useState(onceKey);
  const [valid, setValid] = useState(true);
  const [testing, setTesting] = useState(false);
  const [conflict, setConflict] = useState<Config>();
  const set = (change: Partial<ConfigDraft>) => setDraft((now) => ({ ...now, ...change }));

  const save = useMutation({
    mutationFn: (over: number) => {
      const body = { ...draft, baseUrl: draft.baseUrl || usualUrl(draft.provider) };
      return config ? patchConfig(config.id, body, over) : createConfig(body, key.trim(), once);
    },
    onSuccess: (saved) => {
      say(config ? t("configs.saved") : t("configs.added"));
      onSaved(saved);
    },
    onError: (error) => {
      if (error instanceof Problem && error.status === 412) setConflict(error.current(configWire.transform(toConfig)));
    },
  });

  const choose = (id: string) => {
    const next = presets.find((p) => p.id === id);
    if (!next) return;
    setChosen(id);
    setDraft(draftFrom(next, usualUrl(next.provider), nextPriority(configs, next.kind)));
  };

  return (
    <Drawer
      open
      onClose={onClose}
      title={config ? config.name : t("configs.addTitle")}
      description={config ? undefined : t("configs.addHint")}
      footer={
        <>
          {admin && (
            <Button className="mr-auto" aria-expanded={testing} disabled={!valid} onClick={() => setTesting(!testing)}>
              {testing ? t("test.hide") : t("action.test")}
            </Button>
          )}
          <Button onClick={onClose}>{admin ? t("action.cancel") : t("action.close")}</Button>
          {admin && (
            <Button look="primary" type="submit" form="config-form" busy={save.isPending} disabled={!valid}>
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
                  : testDraft({ ...draft, baseUrl: draft.baseUrl || usualUrl(draft.provider) }, key.trim(), config?.id, input, signal)
              }
            />
          </section>
        )}
        {config && <ConfigFacts config={config} health={health} />}
        <Form id="config-form" error={save.error instanceof Problem && save.error.status === 412 ? null : save.error} onSubmit={() => valid && save.mutate(version)}>
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
                key={chosen}
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
      {conflict && (
        <Conflict
          theirs={fromDraft(draftOf(conflict))}
          mine={fromDraft(draft)}
          busy={save.isPending}
          onClose={() => setConflict(undefined)}
          onKeepMine={() => {
            setVersion(conflict.version);
            setConflict(undefined);
            save.mutate(conflict.version);
          }}
          onTakeTheirs={() => {
            setDraft(draftOf(conflict));
            setVersion(conflict.version);
            setConflict(undefined);
            save.reset();
          }}
        />
      )}
    </Drawer>
  );
}

const unchanged = (config: Config, draft: ConfigDraft) => JSON.stringify(draftOf(config)) === JSON.stringify(draft);

function Group({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-col gap-3">
      <h3 className="border-b border-line pb-1 font-semibold">{title}</h3>
      {children}
    </div>
  );
}

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
