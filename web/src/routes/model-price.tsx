import { useState } from "react";
import { Field, Input, NumberInput, Select, SwitchRow } from "../components/field";
import { Group } from "../components/group";
import { Rows } from "../components/rows";
import { useI18n } from "../i18n";
import { orNone, type ModelPart } from "./model-part";

interface Factor {
  member: string;
  value: string;
  percent: number;
}

const factorsOf = (percent: Record<string, Record<string, number>>): Factor[] =>
  Object.entries(percent).flatMap(([member, values]) => Object.entries(values).map(([value, factor]) => ({ member, value, percent: factor })));

/** The factors by member and value; those that are not complete yet are left out. */
function percentOf(factors: readonly Factor[]): Record<string, Record<string, number>> | undefined {
  const percent: Record<string, Record<string, number>> = {};
  for (const { member, value, percent: factor } of factors) {
    if (member !== "" && value !== "") percent[member] = { ...percent[member], [value]: factor };
  }
  return Object.keys(percent).length > 0 ? percent : undefined;
}

/** What a model costs. */
export function PriceFields({ facts, set, admin, units }: ModelPart & { units: { value: string; label: string }[] }) {
  const { t } = useI18n();
  const { price } = facts;
  const [factors, setFactors] = useState(() => factorsOf(price.percent));
  return (
    <Group title={t("models.price")}>
      <SwitchRow label={t("models.priceKnown")} hint={t("models.priceKnownHint")} checked={price.known} onChange={(known) => set(["price", "known"], known)} disabled={!admin} />
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <Field label={t("stat.credits")} name="price.credits">
          {(wiring) => <NumberInput {...wiring} min={0} disabled={!price.known} value={price.credits} onValue={(credits) => set(["price", "credits"], credits)} />}
        </Field>
        <Field label={t("models.unit")} name="price.unit">
          {(wiring) => <Select {...wiring} disabled={!price.known} value={price.unit} onValue={(unit) => set(["price", "unit"], unit)} options={units} />}
        </Field>
        {price.unit === "second" && (
          <Field label={t("models.defaultSeconds")} name="price.default_seconds" hint={t("models.defaultSecondsHint")}>
            {(wiring) => <NumberInput {...wiring} min={0} value={price.defaultSeconds} onValue={(value) => set(["price", "default_seconds"], orNone(value))} />}
          </Field>
        )}
        {price.unit === "tokens" && (
          <Field label={t("models.defaultTokens")} name="price.default_tokens" hint={t("models.defaultTokensHint")}>
            {(wiring) => <NumberInput {...wiring} min={0} value={price.defaultTokens} onValue={(value) => set(["price", "default_tokens"], orNone(value))} />}
          </Field>
        )}
      </div>
      <Rows
        legend={t("models.factors")}
        hint={t("models.factorsHint")}
        name="price.percent"
        rows={factors}
        onRows={(next) => {
          setFactors(next);
          set(["price", "percent"], percentOf(next));
        }}
        blank={() => ({ member: "quality", value: "", percent: 100 })}
        add={t("models.addFactor")}
        nameOf={(row) => `${row.member} ${row.value}`}
      >
        {(row, change) => (
          <div className="grid grid-cols-3 gap-2">
            <Field label={t("models.factorMember")}>
              {(wiring) => <Input {...wiring} list="price-members" value={row.member} onChange={(event) => change({ member: event.target.value.trim() })} />}
            </Field>
            <Field label={t("models.factorValue")}>
              {(wiring) => <Input {...wiring} value={row.value} onChange={(event) => change({ value: event.target.value.trim() })} />}
            </Field>
            <Field label={t("models.factorPercent")} name={`price.percent.${row.member}.${row.value}`}>
              {(wiring) => <NumberInput {...wiring} min={0} max={100_000} value={row.percent} onValue={(percent) => change({ percent })} />}
            </Field>
          </div>
        )}
      </Rows>
      <datalist id="price-members">
        {["quality", "size", "duration", "aspect_ratio"].map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <div className="grid grid-cols-2 gap-3">
        <Field label={t("models.monthly")} name="monthly_per_user" hint={t("configs.zeroUnlimited")}>
          {(wiring) => <NumberInput {...wiring} min={0} value={facts.monthlyPerUser} onValue={(value) => set(["monthly_per_user"], orNone(value))} />}
        </Field>
      </div>
      <SwitchRow
        label={t("models.chargeModerated")}
        hint={t("models.chargeModeratedHint")}
        checked={facts.chargeModerated}
        onChange={(value) => set(["charge_moderated"], orNone(value))}
        disabled={!admin}
      />
    </Group>
  );
}
