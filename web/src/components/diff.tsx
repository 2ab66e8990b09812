import { useI18n } from "../i18n";

type Fields = Record<string, unknown>;

/** One member that differs between two objects. */
export interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

const bookkeeping = new Set(["version", "updated_at", "created_at", "updatedAt", "createdAt"]);

/** The members in which two objects differ, in the order of the first; what the server keeps for itself is left out. */
export function differences(before: Fields = {}, after: Fields = {}): Difference[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !bookkeeping.has(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({ name, before: before[name], after: after[name] }));
}

function show(value: unknown): string {
  if (value === undefined || value === null || value === "") return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

interface DiffProps {
  before: Fields | undefined;
  after: Fields | undefined;
  /** The headings of the two sides. */
  titles?: [string, string];
}

/** Shows two versions of an object side by side, only where they differ. */
export function Diff({ before, after, titles }: DiffProps) {
  const { t } = useI18n();
  const rows = differences(before, after);
  if (rows.length === 0) return <p className="text-ink-3">{t("diff.none")}</p>;
  const [left, right] = titles ?? [t("diff.before"), t("diff.after")];
  return (
    <div className="overflow-x-auto rounded-lg border border-line">
      <table className="w-full text-xs">
        <thead className="bg-sunken text-left text-ink-3">
          <tr>
            <th className="px-2.5 py-1.5 font-medium">{t("diff.field")}</th>
            {before !== undefined && <th className="px-2.5 py-1.5 font-medium">{left}</th>}
            {after !== undefined && <th className="px-2.5 py-1.5 font-medium">{right}</th>}
          </tr>
        </thead>
        <tbody className="divide-y divide-line align-top">
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row" className="px-2.5 py-1.5 text-left font-mono font-normal text-ink-2">
                {row.name}
              </th>
              {before !== undefined && (
                <td className="max-w-72 px-2.5 py-1.5 font-mono break-words">
                  <del className="rounded bg-bad-soft px-1 text-bad-ink no-underline">{show(row.before)}</del>
                </td>
              )}
              {after !== undefined && (
                <td className="max-w-72 px-2.5 py-1.5 font-mono break-words">
                  <ins className="rounded bg-good-soft px-1 text-good-ink no-underline">{show(row.after)}</ins>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
