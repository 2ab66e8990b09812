import { Search, X } from "lucide-react";
import { useId, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Button } from "./button";
import { Select } from "./field";

/** A row of filters above a list. */
export function Filters({ children, onClear, active }: { children: ReactNode; onClear: () => void; active: boolean }) {
  const { t } = useI18n();
  return (
    <div role="search" className="flex flex-wrap items-center gap-2">
      {children}
      {active && (
        <Button look="ghost" small icon={<X aria-hidden className="size-3.5" />} onClick={onClear}>
          {t("filter.clear")}
        </Button>
      )}
    </div>
  );
}

interface FilterSelectProps {
  label: string;
  value: string | undefined;
  onValue: (value: string | undefined) => void;
  options: readonly { value: string; label: string }[];
}

/** A filter with fixed choices; the first is no filter. */
export function FilterSelect({ label, value, onValue, options }: FilterSelectProps) {
  const known = value === undefined || options.some((option) => option.value === value);
  return (
    <Select
      aria-label={label}
      value={value ?? ""}
      onValue={(next) => onValue(next === "" ? undefined : next)}
      options={[{ value: "", label }, ...options, ...(known ? [] : [{ value, label: value }])]}
      className="w-auto! max-w-48"
    />
  );
}

/** A filter with free text, applied on Enter or when it is left. */
export function FilterText({ label, value, onValue }: { label: string; value: string | undefined; onValue: (value: string | undefined) => void }) {
  const id = useId();
  const [state, setState] = useState({ value, text: value ?? "" });
  if (state.value !== value) setState({ value, text: value ?? "" });
  const apply = () => {
    const next = state.text.trim();
    if (next !== (value ?? "")) onValue(next === "" ? undefined : next);
  };
  return (
    <div className="relative w-56 max-sm:w-full">
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-ink-3" />
      <input
        id={id}
        type="search"
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        value={state.text}
        onChange={(event) => setState({ value, text: event.target.value })}
        onBlur={apply}
        onKeyDown={(event) => event.key === "Enter" && apply()}
        className="control pl-8!"
      />
    </div>
  );
}
