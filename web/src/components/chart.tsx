import { ChartColumn, Table2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useI18n } from "../i18n";
import { IconButton } from "./button";
import { useFormat } from "./format";
import { Card } from "./page";
import { Empty, Skeleton } from "./states";

/** One line or one layer of bars. */
export interface Series {
  key: string;
  label: string;
  /** A CSS colour, from the theme. */
  color: string;
}

/** The values at one moment, by the keys of the series. */
export interface Point {
  at: Date;
  values: Record<string, number | undefined>;
}

export interface ChartProps {
  title: string;
  hint?: string | undefined;
  series: readonly Series[];
  points: readonly Point[];
  form: "bars" | "lines" | "areas";
  bucket: "minute" | "hour" | "day";
  /** The top of the value axis, where it is fixed. */
  max?: number;
  /** Writes a value, in the tooltip, the axis and the table. */
  show: (value: number) => string;
}

const Plot = lazy(() => import("./plot"));

/** The colours of series that have no meaning of their own. */
export const palette = Array.from({ length: 8 }, (_, i) => `var(--chart-${i + 1})`);

/** A chart over time in a card, which can also be read as a table. */
export function TimeChart(props: ChartProps) {
  const { title, hint, series, points, show, bucket } = props;
  const { t } = useI18n();
  const format = useFormat();
  const [asTable, setAsTable] = useState(false);
  const nothing = points.every((point) => series.every(({ key }) => !point.values[key]));
  const when = (at: Date) => (bucket === "day" ? format.day(at) : format.shortDateTime(at));
  return (
    <Card
      title={title}
      hint={hint}
      actions={
        <IconButton label={asTable ? t("chart.asChart") : t("chart.asTable")} aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? <ChartColumn aria-hidden className="size-4" /> : <Table2 aria-hidden className="size-4" />}
        </IconButton>
      }
    >
      {asTable ? (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard
        <div tabIndex={0} role="region" aria-label={title} className="h-[12.5rem] overflow-auto rounded-md border border-line">
          <table className="w-full text-xs">
            <thead className="sticky top-0 bg-sunken text-left text-ink-3">
              <tr>
                <th className="px-2 py-1 font-medium">{t("chart.time")}</th>
                {series.map((s) => (
                  <th key={s.key} className="px-2 py-1 text-right font-medium">
                    {s.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {points.map((point) => (
                <tr key={point.at.getTime()} className="border-t border-line">
                  <th scope="row" className="px-2 py-1 text-left font-normal whitespace-nowrap text-ink-2">
                    {when(point.at)}
                  </th>
                  {series.map((s) => {
                    const value = point.values[s.key];
                    return (
                      <td key={s.key} className="px-2 py-1 text-right">
                        {value === undefined ? "–" : show(value)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : nothing ? (
        <div className="flex h-[12.5rem] items-center justify-center">
          <Empty title={t("chart.nothing")} icon={<ChartColumn aria-hidden className="size-5" strokeWidth={1.5} />} />
        </div>
      ) : (
        <figure className="flex flex-col gap-2">
          <div className="h-44">
            <Suspense fallback={<Skeleton className="h-full" />}>
              <Plot {...props} when={when} />
            </Suspense>
          </div>
          <figcaption className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-ink-2">
            {series.map((s) => (
              <span key={s.key} className="inline-flex items-center gap-1.5">
                <svg aria-hidden viewBox="0 0 8 8" className="size-2">
                  <rect width="8" height="8" rx="2" fill={s.color} />
                </svg>
                {s.label}
              </span>
            ))}
          </figcaption>
        </figure>
      )}
    </Card>
  );
}
