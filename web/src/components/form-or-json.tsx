import { useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Segmented } from "./field";
import { JsonEditor } from "./json";
import { ReadOnly } from "./read-only";
import type { Json } from "../services/json";

interface FormOrJsonProps {
  value: Json;
  onValue: (value: Json) => void;
  /** Tells whether what stands in the text can be sent. */
  onValid: (valid: boolean) => void;
  /** True when the form can show the value. */
  shows: boolean;
  /** Counts changes from outside, which the text has to follow. */
  epoch: number;
  /** Without rights the form is shown, and nothing is edited. */
  disabled: boolean;
  children: ReactNode;
}

/** The same object twice: as a form with fields for what the console knows, and whole, as JSON. */
export function FormOrJson({ value, onValue, onValid, shows, epoch, disabled, children }: FormOrJsonProps) {
  const { t } = useI18n();
  const [chosen, setChosen] = useState<"form" | "json">("form");
  const [readable, setReadable] = useState(true);
  const view = shows ? chosen : "json";
  return (
    <div className="flex flex-col gap-4">
      <div className="self-end">
        <Segmented
          label={t("form.view")}
          value={view}
          onValue={(next) => {
            // A text that cannot be read has to be mended first: the form would lose it.
            if (readable && shows) setChosen(next);
          }}
          options={[
            { value: "form", label: t("form.fields") },
            { value: "json", label: "JSON" },
          ]}
        />
      </div>
      {view === "json" ? (
        <fieldset disabled={disabled}>
          <JsonEditor
            key={epoch}
            label="JSON"
            hint={t("form.jsonHint")}
            value={value}
            onValue={onValue}
            onValid={(valid) => {
              setReadable(valid);
              onValid(valid);
            }}
            rows={24}
          />
          {readable && !shows && <p role="alert" className="text-xs text-bad-ink">{t("form.jsonUnknown")}</p>}
        </fieldset>
      ) : (
        <fieldset disabled={disabled} className="flex min-w-0 flex-col gap-5">
          <ReadOnly value={disabled}>{children}</ReadOnly>
        </fieldset>
      )}
    </div>
  );
}
