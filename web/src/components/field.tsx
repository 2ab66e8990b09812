import { Switch as RadixSwitch } from "radix-ui";
import {
  createContext,
  use,
  useEffect,
  useId,
  useRef,
  useState,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from "react";
import { Problem, type FieldError } from "../services/problem";
import { useI18n } from "../i18n";
import { cx } from "./cx";
import { Notice } from "./states";

const Errors = createContext<FieldError[]>([]);

interface FormProps {
  onSubmit: () => void;
  /** What the server, or the form itself, found wrong. */
  error?: Error | null | undefined;
  className?: string;
  children: ReactNode;
  id?: string;
}

/** A form that shows each of the server's field errors at its field, and the rest above. */
export function Form({ onSubmit, error, className, children, id }: FormProps) {
  const { t } = useI18n();
  const form = useRef<HTMLFormElement>(null);
  const fields = error instanceof Problem ? error.fields : [];
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [error]);
  return (
    <form
      ref={form}
      id={id}
      noValidate
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        onSubmit();
      }}
    >
      {error && (
        <Notice look="bad" className="mb-4" role="alert">
          {fields.length > 0 && <p className="font-medium">{t("form.check")}</p>}
          <p className="break-words">{error.message}</p>
        </Notice>
      )}
      <Errors value={fields}>{children}</Errors>
    </form>
  );
}

interface Wiring {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface FieldProps {
  label: ReactNode;
  /** The member's name on the wire, by which the server reports errors. */
  name?: string;
  hint?: ReactNode;
  /** What the form itself finds wrong. */
  problem?: string | undefined;
  className?: string;
  children: (wiring: Wiring) => ReactNode;
}

/** A labelled control with its hint and its error. */
export function Field({ label, name, hint, problem, className, children }: FieldProps) {
  const id = useId();
  const told = use(Errors).find((e) => name !== undefined && (e.name === name || e.name.startsWith(`${name}[`) || e.name.startsWith(`${name}.`)));
  const wrong = problem ?? (told && (told.name === name ? told.message : `${told.name} ${told.message}`));
  const described = wrong ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div className={cx("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className="text-xs font-medium text-ink-2">
        {label}
      </label>
      {children({ id, "aria-describedby": described, "aria-invalid": wrong ? true : undefined })}
      {wrong ? (
        <p id={`${id}-error`} className="text-xs text-bad-ink">
          {wrong}
        </p>
      ) : (
        hint && (
          <p id={`${id}-hint`} className="text-xs text-ink-3">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

/** What the server found wrong with a member that has no control of its own, such as a whole list. */
export function FieldProblem({ name }: { name: string }) {
  const told = use(Errors).find((e) => e.name === name);
  return told ? (
    <p role="alert" className="text-xs text-bad-ink">
      {told.message}
    </p>
  ) : null;
}

/** A one-line text control. */
export function Input({ className, ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return <input autoComplete="off" spellCheck={false} {...rest} className={cx("control", className)} />;
}

interface NumberInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> {
  value: number;
  onValue: (value: number) => void;
}

/** A control for a whole number; empty is 0. */
export function NumberInput({ value, onValue, className, ...rest }: NumberInputProps) {
  return (
    <input
      type="number"
      inputMode="numeric"
      step={1}
      {...rest}
      value={Number.isFinite(value) ? value : ""}
      onChange={(event) => onValue(event.target.value === "" ? 0 : Number(event.target.value))}
      className={cx("control num", className)}
    />
  );
}

interface ListControlProps {
  value: readonly string[];
  onValue: (value: string[]) => void;
  /** What stands between two values. */
  between?: "comma" | "line";
  /** What a value is made of when it is typed. */
  clean?: (text: string) => string;
}

const splits = { comma: /[,\n]/, line: /\n/ } as const;

/** The text of a list, which is kept as it is typed until the list is changed from outside. */
function useListText({ value, onValue, between = "comma", clean = (text) => text.trim() }: ListControlProps) {
  const joined = value.join(between === "comma" ? ", " : "\n");
  const read = (text: string) => text.split(splits[between]).map(clean).filter((one) => one !== "");
  const [typed, setTyped] = useState(joined);
  const same = JSON.stringify(read(typed)) === JSON.stringify(value);
  return {
    value: same ? typed : joined,
    onChange: (event: { target: { value: string } }) => {
      setTyped(event.target.value);
      onValue(read(event.target.value));
    },
  };
}

/** A control for a short list, between commas. */
export function ListInput({ value, onValue, clean, className, ...rest }: ListControlProps & Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange">) {
  const text = useListText({ value, onValue, ...(clean && { clean }) });
  return <Input {...rest} {...text} className={className} />;
}

/** A control for a long list, one value a line. */
export function ListArea({ value, onValue, clean, className, ...rest }: ListControlProps & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "value" | "onChange">) {
  const text = useListText({ value, onValue, between: "line", ...(clean && { clean }) });
  return <TextArea spellCheck={false} {...rest} {...text} className={className} />;
}

/** A control for several lines. */
export function TextArea({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <textarea rows={3} {...rest} className={cx("control h-auto! resize-y py-1.5", className)} />;
}

interface SelectProps<T extends string> extends Omit<SelectHTMLAttributes<HTMLSelectElement>, "value" | "onChange"> {
  value: T;
  onValue: (value: T) => void;
  options: readonly { value: T; label: string }[];
}

/** The browser's own list of choices: accessible, and at home on a phone. */
export function Select<T extends string>({ value, onValue, options, className, ...rest }: SelectProps<T>) {
  return (
    <select
      {...rest}
      value={value}
      onChange={(event) => {
        const chosen = options.find((option) => option.value === event.target.value);
        if (chosen) onValue(chosen.value);
      }}
      className={cx("control pr-1", className)}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

interface SwitchProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  disabled?: boolean;
  id?: string;
}

/** An on-off switch. */
export function Switch({ checked, onChange, label, disabled, id }: SwitchProps) {
  return (
    <RadixSwitch.Root
      id={id}
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled === true}
      aria-label={label}
      className="relative h-[18px] w-8 shrink-0 rounded-full border border-ink-3 bg-sunken transition-colors before:absolute before:-inset-2.5 data-[state=checked]:border-accent data-[state=checked]:bg-accent disabled:cursor-not-allowed disabled:opacity-50"
    >
      <RadixSwitch.Thumb className="block size-3 translate-x-[2px] rounded-full bg-ink-3 transition-transform data-[state=checked]:translate-x-4 data-[state=checked]:bg-on-accent" />
    </RadixSwitch.Root>
  );
}

/** A switch with its label and a hint beside it. */
export function SwitchRow({ label, hint, ...rest }: SwitchProps & { hint?: ReactNode }) {
  return (
    <div className="flex items-start justify-between gap-4 py-1">
      <div>
        <div className="font-medium">{label}</div>
        {hint && <div className="text-xs text-ink-3">{hint}</div>}
      </div>
      <Switch label={label} {...rest} />
    </div>
  );
}

/** A checkbox with its label. */
export function Checkbox({ label, hint, checked, onChange, disabled }: { label: ReactNode; hint?: ReactNode; checked: boolean; onChange: (checked: boolean) => void; disabled?: boolean }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2 py-0.5">
      <input
        id={id}
        type="checkbox"
        className="mt-0.5 size-4 accent-accent pointer-coarse:size-5"
        checked={checked}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.checked)}
      />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && (
          <div id={`${id}-hint`} className="text-xs text-ink-3">
            {hint}
          </div>
        )}
      </div>
    </div>
  );
}

interface SegmentedProps<T extends string> {
  value: T;
  onValue: (value: T) => void;
  options: readonly { value: T; label: ReactNode; title?: string }[];
  label: string;
}

/** A row of exclusive choices. */
export function Segmented<T extends string>({ value, onValue, options, label }: SegmentedProps<T>) {
  return (
    <div role="group" aria-label={label} className="inline-flex flex-wrap rounded-lg border border-line bg-sunken p-0.5">
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          aria-label={option.title}
          onClick={() => onValue(option.value)}
          className="inline-flex h-[26px] items-center gap-1.5 rounded-md border border-transparent px-2.5 text-xs font-medium whitespace-nowrap text-ink-2 hover:text-ink aria-pressed:border-line aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-card pointer-coarse:h-9"
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
