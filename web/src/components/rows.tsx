import { Plus, Trash2 } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Button, IconButton } from "./button";
import { FieldProblem } from "./field";
import { useReadOnly } from "./read-only";

interface RowsProps<T> {
  legend: string;
  hint?: ReactNode;
  /** The list's name on the wire. */
  name: string;
  rows: readonly T[];
  onRows: (rows: T[]) => void;
  blank: () => T;
  add: string;
  /** The controls of one row, which changes itself by `change`. */
  children: (row: T, change: (part: Partial<T>) => void, at: number) => ReactNode;
  /** Whether the legend is for screen readers alone, where a heading says the same. */
  quiet?: boolean;
  /** Says in words which row a button removes. */
  nameOf: (row: T, at: number) => string;
  most?: number;
}

/** A list whose entries have several members each: rows that are added and removed. */
export function Rows<T extends object>({ legend, hint, name, rows, onRows, blank, add, children, nameOf, most = 1000, quiet = false }: RowsProps<T>) {
  const { t } = useI18n();
  const readOnly = useReadOnly();
  const next = useRef(0);
  // A row keeps its controls when one before it goes.
  const [keys, setKeys] = useState<number[]>([]);
  const keyOf = (at: number) => keys[at] ?? -1 - at;
  const drop = (at: number) => {
    setKeys(rows.map((_, i) => keyOf(i)).filter((_, i) => i !== at));
    onRows(rows.filter((_, i) => i !== at));
  };
  const grow = () => {
    next.current++;
    setKeys([...rows.map((_, i) => keyOf(i)), next.current]);
    onRows([...rows, blank()]);
  };
  return (
    <fieldset className="flex min-w-0 flex-col gap-2">
      <legend className={quiet ? "sr-only" : "mb-1 text-xs font-medium text-ink-2"}>{legend}</legend>
      {hint && <p className="-mt-1 text-xs text-ink-3">{hint}</p>}
      {rows.map((row, at) => (
        <div key={keyOf(at)} className="flex flex-col gap-1">
          <div className="flex items-end gap-2">
            <div className="min-w-0 flex-1">{children(row, (part) => onRows(rows.map((old, i) => (i === at ? { ...old, ...part } : old))), at)}</div>
            {!readOnly && (
              <IconButton label={t("rows.remove", { name: nameOf(row, at) })} onClick={() => drop(at)} className="mb-0.5 self-end">
                <Trash2 aria-hidden className="size-4" />
              </IconButton>
            )}
          </div>
          <FieldProblem name={`${name}[${at}]`} />
        </div>
      ))}
      <FieldProblem name={name} />
      {!readOnly && rows.length < most && (
        <Button small look="ghost" className="self-start" icon={<Plus aria-hidden className="size-3.5" />} onClick={grow}>
          {add}
        </Button>
      )}
    </fieldset>
  );
}
