import { useQuery } from "@tanstack/react-query";
import { Field, Input, ListInput, NumberInput, Select, SwitchRow } from "../components/field";
import { Group } from "../components/group";
import { numberAt, objectsAt, textAt } from "../services/json";
import { Rows } from "../components/rows";
import { lookUp, useI18n } from "../i18n";
import { kinds } from "../services/configs";
import { units } from "../services/models";
import { providersQuery } from "../services/providers";
import { LimitFields } from "./model-limits";
import { orNone, type ModelPart } from "./model-part";
import { PriceFields } from "./model-price";
import { RoutingFields } from "./model-routing";

/** The fields of a model. */
export function ModelForm({ isNew, ...part }: ModelPart & { isNew: boolean }) {
  const { t } = useI18n();
  const { facts, set, admin } = part;
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        {isNew && (
          <Field label={t("field.name")} name="name" hint={t("models.nameHint")}>
            {(wiring) => <Input {...wiring} value={facts.name} onChange={(event) => set(["name"], event.target.value.trim())} />}
          </Field>
        )}
        <Field label={t("models.title")} name="title">
          {(wiring) => <Input {...wiring} value={facts.title} onChange={(event) => set(["title"], orNone(event.target.value))} />}
        </Field>
        <Field label={t("field.kind")} name="kind">
          {(wiring) => <Select {...wiring} value={facts.kind} onValue={(kind) => set(["kind"], kind)} options={kinds.map((value) => ({ value, label: t(`kind.${value}`) }))} />}
        </Field>
      </div>
      <PriceFields {...part} units={units.map((value) => ({ value, label: lookUp(t, `unit.${value}`, value) }))} />
      <Serving {...part} />
      <RoutingFields {...part} />
      <LimitFields {...part} />
      <Group title={t("models.toCallers")}>
        <Aliases {...part} />
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label={t("models.notice")} name="notice" hint={t("models.noticeHint")}>
            {(wiring) => <Input {...wiring} value={facts.notice} onChange={(event) => set(["notice"], orNone(event.target.value))} />}
          </Field>
          <Field label={t("models.retires")} name="retires_at" hint={t("models.retiresHint")}>
            {(wiring) => (
              <Input
                {...wiring}
                type="date"
                value={facts.retiresAt?.toISOString().slice(0, 10) ?? ""}
                onChange={(event) => set(["retires_at"], event.target.value === "" ? undefined : `${event.target.value}T00:00:00Z`)}
              />
            )}
          </Field>
        </div>
        <SwitchRow label={t("models.hide")} hint={t("models.hideHint")} checked={facts.hidden} onChange={(hidden) => set(["hidden"], orNone(hidden))} disabled={!admin} />
      </Group>
    </>
  );
}

type Serves = "providers" | "all" | "named";

/** Who serves the model: providers by themselves, every config, or the configs that name it. */
function Serving({ facts, wire, set }: ModelPart) {
  const { t } = useI18n();
  const providers = useQuery(providersQuery);
  const serves: Serves = facts.auto ? "all" : facts.configured ? "named" : "providers";
  const choose = (next: Serves) => {
    set(["auto"], next === "all" ? true : undefined);
    set(["configured"], next === "named" ? true : undefined);
    set(["upstreams"], next === "providers" ? [{ provider: "openai", model: "" }] : undefined);
  };
  const upstreams = objectsAt(wire, "upstreams");
  return (
    <Group title={t("models.upstreams")}>
      <Field label={t("models.serves")} name="configured">
        {(wiring) => (
          <Select
            {...wiring}
            value={serves}
            onValue={choose}
            options={[
              { value: "providers", label: t("models.servesProviders") },
              { value: "named", label: t("models.configured") },
              { value: "all", label: t("models.anyConfig") },
            ]}
          />
        )}
      </Field>
      {serves !== "providers" ? (
        <p className="text-xs text-ink-3">{t(facts.auto ? "models.autoHint" : "models.configuredHint")}</p>
      ) : (
        <Rows
          legend={t("models.providers")}
          hint={t("models.costHint")}
          name="upstreams"
          rows={upstreams}
          onRows={(rows) => set(["upstreams"], rows)}
          blank={() => ({ provider: "", model: "" })}
          add={t("models.addUpstream")}
          nameOf={(row) => textAt(row, "provider")}
        >
          {(row, change, at) => (
            <div className="grid grid-cols-2 gap-2 sm:grid-cols-[minmax(0,3fr)_minmax(0,5fr)_minmax(0,2fr)]">
              <Field label={t("field.provider")} name={`upstreams[${at}].provider`}>
                {(wiring) => (
                  <>
                    <Input {...wiring} list="model-providers" value={textAt(row, "provider")} onChange={(event) => change({ provider: event.target.value })} />
                    <datalist id="model-providers">
                      {providers.data?.map((provider) => (
                        <option key={provider.name} value={provider.name} />
                      ))}
                    </datalist>
                  </>
                )}
              </Field>
              <Field label={t("field.upstreamModel")} name={`upstreams[${at}].model`} className="max-sm:order-last max-sm:col-span-2">
                {(wiring) => <Input {...wiring} value={textAt(row, "model")} onChange={(event) => change({ model: event.target.value })} className="font-mono text-xs!" />}
              </Field>
              <Field label={t("models.cost")} name={`upstreams[${at}].cost_micro_usd`}>
                {(wiring) => <NumberInput {...wiring} min={0} value={numberAt(row, "cost_micro_usd")} onValue={(cost) => change({ cost_micro_usd: orNone(cost) })} />}
              </Field>
            </div>
          )}
        </Rows>
      )}
    </Group>
  );
}

/** Further names of the model. A name that stays keeps what the console does not show of it. */
function Aliases({ facts, wire, set }: ModelPart) {
  const { t } = useI18n();
  const stored = objectsAt(wire, "aliases");
  const write = (names: string[], retired: boolean) => {
    const kept = stored.filter((alias) => (alias["retired"] === true) !== retired || names.includes(textAt(alias, "name")));
    const known = new Set(kept.map((alias) => textAt(alias, "name")));
    const added = names.filter((name) => !known.has(name)).map((name) => (retired ? { name, retired: true } : { name }));
    const all = [...kept, ...added];
    set(["aliases"], all.length > 0 ? all : undefined);
  };
  const named = (retired: boolean) => facts.aliases.filter((alias) => alias.retired === retired).map((alias) => alias.name);
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field label={t("models.aliases")} name="aliases" hint={t("models.aliasesHint")}>
        {(wiring) => <ListInput {...wiring} value={named(false)} onValue={(names) => write(names, false)} />}
      </Field>
      <Field label={t("models.retiredAliases")} name="aliases" hint={t("models.retiredAliasesHint")}>
        {(wiring) => <ListInput {...wiring} value={named(true)} onValue={(names) => write(names, true)} />}
      </Field>
    </div>
  );
}
