import { useQuery } from "@tanstack/react-query";
import { Field, Input, ListArea, ListInput, NumberInput, Select, SwitchRow } from "../components/field";
import { Group } from "../components/group";
import { objectsAt, textAt, textsAt, type Json } from "../services/json";
import { Rows } from "../components/rows";
import { useI18n } from "../i18n";
import { configsQuery } from "../services/configs";
import { moderations } from "../services/keys";
import type { FilterFacts } from "../services/moderation";
import { orNone } from "./model-part";

interface FilterFormProps {
  facts: FilterFacts;
  wire: Json;
  set: (path: readonly string[], value: unknown) => void;
  admin: boolean;
}

const scripts = ["Latin", "Han", "Cyrillic", "Arabic", "Devanagari", "Hiragana", "Katakana", "Hangul", "Greek", "Hebrew", "Thai"];

/** The fields of the content filter. */
export function FilterForm(props: FilterFormProps) {
  const { t } = useI18n();
  const { facts, set } = props;
  return (
    <>
      <Group title={t("filter.whole")}>
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label={t("filter.policy")} name="policy" hint={t(`filter.policy.${facts.policy}`)}>
            {(wiring) => (
              <Select
                {...wiring}
                value={facts.policy}
                onValue={(policy) => set(["policy"], policy === "default" ? undefined : policy)}
                options={moderations.map((value) => ({ value, label: t(`moderation.${value}`) }))}
              />
            )}
          </Field>
          <Field label={t("filter.maxCharacters")} name="max_characters" hint={t("configs.zeroUnlimited")}>
            {(wiring) => <NumberInput {...wiring} min={0} value={facts.maxCharacters} onValue={(value) => set(["max_characters"], orNone(value))} />}
          </Field>
          <Field label={t("filter.scripts")} name="scripts" hint={t("filter.scriptsHint", { some: scripts.slice(0, 4).join(", ") })} className="sm:col-span-2">
            {(wiring) => (
              <ListInput {...wiring} placeholder="Latin, Han" value={facts.scripts} onValue={(next) => set(["scripts"], next.length > 0 ? next : undefined)} />
            )}
          </Field>
        </div>
      </Group>
      <RuleFields {...props} />
      <RemoteFields {...props} />
    </>
  );
}

function RuleFields({ wire, set }: FilterFormProps) {
  const { t } = useI18n();
  const rules = objectsAt(wire, "rules");
  return (
    <Group title={t("filter.rules")} hint={t("filter.rulesHint")}>
      <Rows
        legend={t("filter.rulesList")}
        quiet
        name="rules"
        rows={rules}
        onRows={(rows) => set(["rules"], rows.length > 0 ? rows : undefined)}
        blank={() => ({ id: "", words: [] })}
        add={t("filter.addRule")}
        nameOf={(row, at) => textAt(row, "id") || String(at + 1)}
        most={500}
      >
        {(row, change, at) => {
          const words = textsAt(row, "words");
          const patterns = textsAt(row, "patterns");
          return (
            <div className="grid gap-3 rounded-lg border border-line p-3 sm:grid-cols-2">
              <Field label={t("filter.ruleId")} name={`rules[${at}].id`} hint={t("filter.ruleIdHint")}>
                {(wiring) => <Input {...wiring} value={textAt(row, "id")} onChange={(event) => change({ id: event.target.value.trim() })} />}
              </Field>
              <Field label={t("filter.ruleFrom")} name={`rules[${at}].policy`}>
                {(wiring) => (
                  <Select
                    {...wiring}
                    value={row["policy"] === "strict" ? "strict" : "default"}
                    onValue={(policy) => change({ policy: policy === "strict" ? policy : undefined })}
                    options={[
                      { value: "default", label: t("filter.fromDefault") },
                      { value: "strict", label: t("filter.fromStrict") },
                    ]}
                  />
                )}
              </Field>
              <Field label={t("filter.words")} name={`rules[${at}].words`} hint={t("filter.wordsHint")}>
                {(wiring) => <ListArea {...wiring} rows={4} value={words} onValue={(next) => change({ words: next.length > 0 ? next : undefined })} />}
              </Field>
              <Field label={t("filter.patterns")} name={`rules[${at}].patterns`} hint={t("filter.patternsHint")}>
                {(wiring) => (
                  <ListArea {...wiring} rows={4} value={patterns} onValue={(next) => change({ patterns: next.length > 0 ? next : undefined })} className="font-mono text-xs!" />
                )}
              </Field>
            </div>
          );
        }}
      </Rows>
    </Group>
  );
}

/** Whether a moderation service is asked, with whose key, and what its silence means. */
function RemoteFields({ facts, set, admin }: FilterFormProps) {
  const { t } = useI18n();
  const configs = useQuery(configsQuery);
  const usable = configs.data?.filter((config) => config.provider === "openai" && config.keyMask !== "") ?? [];
  const { remote } = facts;
  const on = remote !== undefined;
  const options = usable.map((config) => ({ value: config.id, label: config.name }));
  const chosen = remote?.config ?? "";
  return (
    <Group title={t("filter.remote")}>
      <SwitchRow
        label={t("filter.remoteOn")}
        hint={t("filter.remoteHint")}
        checked={on}
        onChange={(next) => set(["remote"], next ? { policy: "default", config: usable[0]?.id ?? "" } : undefined)}
        disabled={!admin}
      />
      {remote && (
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label={t("filter.remoteConfig")} name="remote.config" hint={t("filter.remoteConfigHint")}>
            {(wiring) => (
              <Select
                {...wiring}
                value={chosen}
                onValue={(config) => set(["remote", "config"], config)}
                options={options.some((option) => option.value === chosen) ? options : [{ value: chosen, label: chosen || "–" }, ...options]}
              />
            )}
          </Field>
          <Field label={t("filter.remoteFrom")} name="remote.policy">
            {(wiring) => (
              <Select
                {...wiring}
                value={remote.policy}
                onValue={(policy) => set(["remote", "policy"], policy)}
                options={[
                  { value: "default", label: t("filter.fromDefault") },
                  { value: "strict", label: t("filter.fromStrict") },
                ]}
              />
            )}
          </Field>
          <Field label={t("filter.onError")} name="remote.on_error">
            {(wiring) => (
              <Select
                {...wiring}
                value={remote.onError}
                onValue={(value) => set(["remote", "on_error"], value)}
                options={[
                  { value: "allow", label: t("filter.onErrorAllow") },
                  { value: "refuse", label: t("filter.onErrorRefuse") },
                ]}
              />
            )}
          </Field>
          <Field label={t("filter.timeout")} name="remote.timeout_ms" hint={t("filter.timeoutHint")}>
            {(wiring) => <NumberInput {...wiring} min={0} max={10_000} value={remote.timeoutMs} onValue={(value) => set(["remote", "timeout_ms"], orNone(value))} />}
          </Field>
        </div>
      )}
    </Group>
  );
}
