import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useAction } from "../components/action";
import { Button, IconButton } from "../components/button";
import { Field, Form, Input, NumberInput, Select, SwitchRow } from "../components/field";
import { JsonEditor } from "../components/json";
import { Drawer } from "../components/overlay";
import { lookUp, useI18n } from "../i18n";
import { kinds } from "../services/configs";
import { deleteModel, modelKeys, putModel, units, type Model, type Price, type Upstream } from "../services/models";
import { useIsAdmin } from "./session";

const blank: Model = {
  name: "",
  title: "",
  kind: "image",
  auto: false,
  upstreams: [{ provider: "openai", model: "", endpoint: "", costMicroUsd: 0 }],
  aliases: [],
  price: { known: true, credits: 10, unit: "image", percent: {}, defaultSeconds: 0, defaultTokens: 0 },
  limits: {},
  retiresAt: undefined,
  notice: "",
  monthlyPerUser: 0,
  chargeModerated: false,
  hidden: false,
  version: 0,
  source: "custom",
  more: {},
};

type Json = Record<string, unknown>;

/** The parts of a model that are edited as JSON. */
const rest = (model: Model): Json => ({
  limits: model.limits,
  percent: model.price.percent,
  aliases: model.aliases,
  ...model.more,
});

function withRest(model: Model, { limits, aliases, percent, ...more }: Json): Model {
  return {
    ...model,
    limits: (limits ?? {}) as Json,
    aliases: (aliases ?? []) as Model["aliases"],
    price: { ...model.price, percent: (percent ?? {}) as Price["percent"] },
    more,
  };
}

/** Adds a model, or changes its price and who serves it. */
export function ModelDrawer({ model, onClose }: { model: Model | undefined; onClose: () => void }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const [draft, setDraft] = useState<Model>(model ?? blank);
  const [valid, setValid] = useState(true);
  const set = (change: Partial<Model>) => setDraft((now) => ({ ...now, ...change }));
  const setPrice = (change: Partial<Price>) => setDraft((now) => ({ ...now, price: { ...now.price, ...change } }));
  const save = useAction({
    run: () => putModel(draft, model === undefined || model.source === "builtin" ? "new" : model.version),
    touches: [modelKeys.all],
    done: t("models.saved"),
    quiet: true,
    onDone: onClose,
  });
  const remove = useAction({
    run: () => deleteModel(draft.name, draft.version),
    touches: [modelKeys.all],
    done: draft.source === "edited" ? t("models.reset") : t("models.deleted"),
    onDone: onClose,
  });
  return (
    <Drawer
      open
      onClose={onClose}
      title={model ? model.name : t("models.addTitle")}
      description={model?.source === "builtin" ? t("models.builtinHint") : undefined}
      footer={
        <>
          {admin && model && model.source !== "builtin" && (
            <Button look="danger" className="mr-auto" busy={remove.isPending} onClick={() => remove.mutate()}>
              {model.source === "edited" ? t("models.toBuiltin") : t("action.delete")}
            </Button>
          )}
          <Button onClick={onClose}>{admin ? t("action.cancel") : t("action.close")}</Button>
          {admin && (
            <Button look="primary" type="submit" form="model-form" busy={save.isPending} disabled={!valid}>
              {t("action.save")}
            </Button>
          )}
        </>
      }
    >
      <Form id="model-form" error={save.error} onSubmit={() => valid && save.mutate()}>
        <fieldset disabled={!admin} className="flex flex-col gap-4">
          {!model && (
            <Field label={t("field.name")} name="name" hint={t("models.nameHint")}>
              {(wiring) => <Input {...wiring} value={draft.name} onChange={(event) => set({ name: event.target.value.trim() })} />}
            </Field>
          )}
          <div className="grid grid-cols-2 gap-3">
            <Field label={t("models.title")} name="title">
              {(wiring) => <Input {...wiring} value={draft.title} onChange={(event) => set({ title: event.target.value })} />}
            </Field>
            <Field label={t("field.kind")} name="kind">
              {(wiring) => <Select {...wiring} value={draft.kind} onValue={(kind) => set({ kind })} options={kinds.map((value) => ({ value, label: t(`kind.${value}`) }))} />}
            </Field>
          </div>
          <PriceFields price={draft.price} set={setPrice} admin={admin} />
          {draft.auto || draft.more["configured"] === true ? <p className="text-ink-3">{t(draft.auto ? "models.autoHint" : "models.configuredHint")}</p> : <Upstreams upstreams={draft.upstreams} onChange={(upstreams) => set({ upstreams })} />}
          <div className="grid grid-cols-2 gap-3">
            <Field label={t("models.monthly")} name="monthly_per_user" hint={t("configs.zeroUnlimited")}>
              {(wiring) => <NumberInput {...wiring} min={0} value={draft.monthlyPerUser} onValue={(monthlyPerUser) => set({ monthlyPerUser })} />}
            </Field>
            <Field label={t("models.notice")} name="notice">
              {(wiring) => <Input {...wiring} value={draft.notice} onChange={(event) => set({ notice: event.target.value })} />}
            </Field>
          </div>
          <SwitchRow
            label={t("models.chargeModerated")}
            hint={t("models.chargeModeratedHint")}
            checked={draft.chargeModerated}
            onChange={(chargeModerated) => set({ chargeModerated })}
            disabled={!admin}
          />
          <SwitchRow label={t("models.hide")} hint={t("models.hideHint")} checked={draft.hidden} onChange={(hidden) => set({ hidden })} disabled={!admin} />
          <JsonEditor
            label={t("models.rest")}
            name="limits"
            hint={t("models.restHint")}
            value={rest(draft)}
            onValue={(json) => setDraft((now) => withRest(now, json))}
            onValid={setValid}
            rows={12}
          />
        </fieldset>
      </Form>
    </Drawer>
  );
}

function PriceFields({ price, set, admin }: { price: Price; set: (change: Partial<Price>) => void; admin: boolean }) {
  const { t } = useI18n();
  return (
    <div className="flex flex-col gap-3 rounded-lg border border-line p-3">
      <SwitchRow label={t("models.priceKnown")} hint={t("models.priceKnownHint")} checked={price.known} onChange={(known) => set({ known })} disabled={!admin} />
      <div className="grid grid-cols-2 gap-3">
        <Field label={t("stat.credits")} name="price.credits">
          {(wiring) => <NumberInput {...wiring} min={0} disabled={!price.known} value={price.credits} onValue={(credits) => set({ credits })} />}
        </Field>
        <Field label={t("models.unit")} name="price.unit">
          {(wiring) => (
            <Select
              {...wiring}
              disabled={!price.known}
              value={price.unit}
              onValue={(unit) => set({ unit })}
              options={units.map((value) => ({ value, label: lookUp(t, `unit.${value}`, value) }))}
            />
          )}
        </Field>
      </div>
    </div>
  );
}

function Upstreams({ upstreams, onChange }: { upstreams: Upstream[]; onChange: (next: Upstream[]) => void }) {
  const { t } = useI18n();
  const change = (at: number, part: Partial<Upstream>) => onChange(upstreams.map((u, i) => (i === at ? { ...u, ...part } : u)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 text-xs font-medium text-ink-2">{t("models.upstreams")}</legend>
      {upstreams.map((upstream, i) => (
        <div key={i} className="grid grid-cols-[minmax(0,1fr)_minmax(0,2fr)_6.5rem_auto] items-end gap-2">
          <Field label={t("field.provider")} name={`upstreams[${i}]`}>
            {(wiring) => <Input {...wiring} value={upstream.provider} onChange={(event) => change(i, { provider: event.target.value })} />}
          </Field>
          <Field label={t("field.upstreamModel")}>
            {(wiring) => <Input {...wiring} value={upstream.model} onChange={(event) => change(i, { model: event.target.value })} className="font-mono text-xs!" />}
          </Field>
          <Field label={t("models.cost")}>
            {(wiring) => <NumberInput {...wiring} min={0} value={upstream.costMicroUsd} onValue={(costMicroUsd) => change(i, { costMicroUsd })} />}
          </Field>
          <IconButton label={t("action.remove")} onClick={() => onChange(upstreams.filter((_, at) => at !== i))} className="mb-0.5">
            <Trash2 aria-hidden className="size-4" />
          </IconButton>
        </div>
      ))}
      <Button
        small
        look="ghost"
        className="self-start"
        icon={<Plus aria-hidden className="size-3.5" />}
        onClick={() => onChange([...upstreams, { provider: "", model: "", endpoint: "", costMicroUsd: 0 }])}
      >
        {t("models.addUpstream")}
      </Button>
    </fieldset>
  );
}
