import { Field, ListInput, NumberInput } from "../components/field";
import { Group } from "../components/group";
import { numberAt, objectAt, textsAt } from "../services/json";
import { useI18n, type PlainKey } from "../i18n";
import type { Kind } from "../services/configs";
import { orNone, type ModelPart } from "./model-part";

interface Limit {
  name: string;
  label: PlainKey;
  hint?: PlainKey;
  /** The kinds of models that it is about; absent for all. */
  of?: readonly Kind[];
  form: "number" | "words" | "numbers";
  placeholder?: string;
}

const picture = ["image", "video"] as const;

const limits: readonly Limit[] = [
  { name: "max_prompt", label: "limits.maxPrompt", form: "number" },
  { name: "max_n", label: "limits.maxN", hint: "limits.maxNHint", of: ["image"], form: "number" },
  { name: "max_tokens", label: "limits.maxTokens", of: ["text"], form: "number" },
  { name: "min_duration", label: "limits.minDuration", of: ["video"], form: "number" },
  { name: "max_duration", label: "limits.maxDuration", of: ["video"], form: "number" },
  { name: "min_side", label: "limits.minSide", of: picture, form: "number" },
  { name: "max_side", label: "limits.maxSide", of: picture, form: "number" },
  { name: "side_multiple", label: "limits.sideMultiple", of: picture, form: "number" },
  { name: "max_pixels", label: "limits.maxPixels", of: picture, form: "number" },
  { name: "durations", label: "limits.durations", of: ["video"], form: "numbers", placeholder: "5, 10" },
  { name: "sizes", label: "limits.sizes", of: picture, form: "words", placeholder: "1024x1024, 1536x1024" },
  { name: "aspect_ratios", label: "limits.ratios", of: picture, form: "words", placeholder: "1:1, 16:9" },
  { name: "needs", label: "limits.needs", hint: "limits.needsHint", form: "words", placeholder: "image" },
  { name: "takes", label: "limits.takes", hint: "limits.takesHint", form: "words", placeholder: "seed, negative_prompt" },
];

/** What a request for the model may ask, and how long it may take. */
export function LimitFields({ facts, wire, set }: ModelPart) {
  const { t } = useI18n();
  const values = objectAt(wire, "limits");
  const shown = limits.filter((limit) => limit.of === undefined || limit.of.includes(facts.kind) || limit.name in values);
  return (
    <Group title={t("field.limits")} hint={t("limits.hint")}>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        {shown
          .filter((limit) => limit.form === "number")
          .map((limit) => (
            <Field key={limit.name} label={t(limit.label)} name={`limits.${limit.name}`} hint={limit.hint && t(limit.hint)}>
              {(wiring) => (
                <NumberInput {...wiring} min={0} value={numberAt(values, limit.name)} onValue={(value) => set(["limits", limit.name], orNone(value))} />
              )}
            </Field>
          ))}
        <Field label={t("models.deadline")} name="deadline_seconds" hint={t("models.deadlineHint")}>
          {(wiring) => <NumberInput {...wiring} min={0} max={86_400} value={facts.deadlineSeconds} onValue={(value) => set(["deadline_seconds"], orNone(value))} />}
        </Field>
      </div>
      <div className="grid gap-3 sm:grid-cols-2">
        {shown
          .filter((limit) => limit.form !== "number")
          .map((limit) => (
            <Field key={limit.name} label={t(limit.label)} name={`limits.${limit.name}`} hint={t(limit.hint ?? "limits.listHint")}>
              {(wiring) => (
                <ListInput
                  {...wiring}
                  placeholder={limit.placeholder}
                  value={textsAt(values, limit.name)}
                  {...(limit.form === "numbers" && { clean: (text: string) => text.replace(/\D/g, ""), inputMode: "numeric" as const })}
                  onValue={(next) =>
                    set(["limits", limit.name], next.length === 0 ? undefined : limit.form === "numbers" ? next.map(Number) : next)
                  }
                />
              )}
            </Field>
          ))}
      </div>
    </Group>
  );
}
