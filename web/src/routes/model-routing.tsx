import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Field, Input, NumberInput, Select, SwitchRow } from "../components/field";
import { Group } from "../components/group";
import { numberAt, objectAt, objectsAt, textAt, without, type Json } from "../services/json";
import { Rows } from "../components/rows";
import { useI18n } from "../i18n";
import { configsQuery, type Config } from "../services/configs";
import { policies, type Policy } from "../services/models";
import { orNone, type ModelPart } from "./model-part";

/** The order in which the configs that serve the model are tried. */
export function RoutingFields({ facts, wire, set, admin }: ModelPart) {
  const { t } = useI18n();
  const configs = useQuery(configsQuery);
  const { routing } = facts;
  const ofKind = configs.data?.filter((config) => config.kind === facts.kind) ?? [];
  const choose = (policy: Policy) => {
    const arms = policy === "split" ? [{ config: ofKind[0]?.id ?? "", percent: 10 }] : undefined;
    const next = { ...without(objectAt(wire, "routing"), "arms"), policy: policy === "priority" ? undefined : policy, arms };
    set(["routing"], Object.values(next).some((value) => value !== undefined) ? next : undefined);
  };
  return (
    <Group title={t("routing.title")}>
      <Field label={t("routing.policy")} name="routing.policy" hint={t(`routing.${routing.policy}Hint`)}>
        {(wiring) => <Select {...wiring} value={routing.policy} onValue={choose} options={policies.map((value) => ({ value, label: t(`routing.${value}`) }))} />}
      </Field>
      {routing.policy === "weighted" && <Weights configs={ofKind.filter((config) => config.active)} />}
      {routing.policy === "split" && <Arms configs={ofKind} rows={objectsAt(objectAt(wire, "routing"), "arms")} onRows={(rows) => set(["routing", "arms"], rows)} />}
      {(routing.policy === "weighted" || routing.policy === "split") && (
        <SwitchRow label={t("routing.sticky")} hint={t("routing.stickyHint")} checked={routing.sticky} onChange={(sticky) => set(["routing", "sticky"], orNone(sticky))} disabled={!admin} />
      )}
    </Group>
  );
}

/** What each config draws under "weighted"; the weights themselves belong to the configs. */
function Weights({ configs }: { configs: readonly Config[] }) {
  const { t } = useI18n();
  const sum = configs.reduce((all, config) => all + config.weight, 0);
  return (
    <div className="flex flex-col gap-1">
      <ul className="divide-y divide-line rounded-lg border border-line">
        {configs.map((config) => (
          <li key={config.id} className="flex items-center gap-3 px-3 py-1.5">
            <Link to="/configs" search={{ edit: config.id }} className="min-w-0 flex-1 truncate hover:underline">
              {config.name}
            </Link>
            <span className="num text-xs text-ink-3">{t("routing.weight", { weight: config.weight })}</span>
            <span className="num w-12 text-right text-xs">{sum > 0 ? Math.round((config.weight / sum) * 100) : 0} %</span>
          </li>
        ))}
      </ul>
      <p className="text-xs text-ink-3">{t("routing.weightsHint")}</p>
    </div>
  );
}

/** The shares of an A/B test or a canary. */
function Arms({ configs, rows, onRows }: { configs: readonly Config[]; rows: Json[]; onRows: (rows: Json[]) => void }) {
  const { t } = useI18n();
  const sum = rows.reduce((all, row) => all + numberAt(row, "percent"), 0);
  const nameOf = (id: string) => configs.find((config) => config.id === id)?.name ?? id;
  return (
    <Rows
      legend={t("routing.arms")}
      hint={sum > 100 ? <span className="text-bad-ink">{t("routing.tooMuch", { sum })}</span> : t("routing.rest", { rest: 100 - sum })}
      name="routing.arms"
      rows={rows}
      onRows={onRows}
      blank={() => ({ config: configs.find((config) => !rows.some((row) => row["config"] === config.id))?.id ?? "", percent: 0 })}
      add={t("routing.addArm")}
      nameOf={(row) => nameOf(textAt(row, "config"))}
    >
      {(row, change, at) => {
        const chosen = textAt(row, "config");
        const options = configs.map((config) => ({ value: config.id, label: config.name }));
        return (
          <div className="grid grid-cols-2 gap-2 sm:grid-cols-[minmax(0,1fr)_7rem_10rem]">
            <Field label={t("routing.config")} name={`routing.arms[${at}].config`}>
              {(wiring) => (
                <Select
                  {...wiring}
                  value={chosen}
                  onValue={(config) => change({ config })}
                  options={options.some((option) => option.value === chosen) ? options : [{ value: chosen, label: chosen || "–" }, ...options]}
                />
              )}
            </Field>
            <Field label={t("routing.percent")} name={`routing.arms[${at}].percent`}>
              {(wiring) => <NumberInput {...wiring} min={0} max={100} value={numberAt(row, "percent")} onValue={(percent) => change({ percent })} />}
            </Field>
            <Field label={t("routing.label")} name={`routing.arms[${at}].label`} className="max-sm:col-span-2">
              {(wiring) => <Input {...wiring} placeholder="canary" value={textAt(row, "label")} onChange={(event) => change({ label: orNone(event.target.value.trim()) })} />}
            </Field>
          </div>
        );
      }}
    </Rows>
  );
}
