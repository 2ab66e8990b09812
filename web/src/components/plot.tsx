import { Area, Bar, CartesianGrid, ComposedChart, Line, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { useFormat } from "./format";
import type { ChartProps, Series } from "./chart";

interface PlotProps extends ChartProps {
  when: (at: Date) => string;
}

const tick = { fill: "var(--ink-3)", fontSize: 11 };

function layer({ form, points }: ChartProps, s: Series, top: boolean) {
  // A line needs two points to be seen.
  const dot = points.filter((point) => point.values[s.key] !== undefined).length < 3 ? { r: 2.5, fill: s.color } : false;
  const shared = { dataKey: s.key, name: s.label, isAnimationActive: false };
  if (form === "bars") {
    return <Bar key={s.key} {...shared} stackId="all" fill={s.color} radius={top ? [2, 2, 0, 0] : 0} maxBarSize={28} />;
  }
  if (form === "areas") {
    return <Area key={s.key} {...shared} type="monotone" stackId="all" stroke={s.color} fill={s.color} fillOpacity={0.18} strokeWidth={1.75} dot={false} />;
  }
  return <Line key={s.key} {...shared} type="monotone" stroke={s.color} strokeWidth={1.75} dot={dot} activeDot={{ r: 3 }} connectNulls />;
}

interface TipProps {
  active?: boolean;
  label?: unknown;
  series: readonly Series[];
  row: Record<string, number | undefined> | undefined;
  show: (value: number) => string;
  when: (at: Date) => string;
}

function TipBox({ active, label, series, row, show, when }: TipProps) {
  if (!active || typeof label !== "number" || row === undefined) return null;
  return (
    <div className="rounded-lg border border-line bg-surface px-2.5 py-2 text-xs shadow-pop">
      <div className="mb-1 font-medium">{when(new Date(label))}</div>
      {series.map((s) => {
        const value = row[s.key];
        return (
          <div key={s.key} className="flex items-center gap-2">
            <svg aria-hidden viewBox="0 0 8 8" className="size-2">
              <rect width="8" height="8" rx="2" fill={s.color} />
            </svg>
            <span className="text-ink-2">{s.label}</span>
            <span className="num ml-auto pl-3 font-medium">{value === undefined ? "–" : show(value)}</span>
          </div>
        );
      })}
    </div>
  );
}

/** The width in pixels that the labels of the value axis need. */
function axisWidth({ points, series, form, show }: ChartProps): number {
  const sums = points.map(({ values }) => {
    const all = series.map((s) => values[s.key] ?? 0);
    return form === "lines" ? Math.max(...all) : all.reduce((sum, value) => sum + value, 0);
  });
  const top = Math.max(0, ...sums) * 1.2;
  return Math.max(...[top, top / 3, (top * 2) / 3].map((value) => show(value).length)) * 6.6 + 10;
}

/** Draws a chart; loaded only when there is one to draw. */
export default function Plot(props: PlotProps) {
  const { title, series, points, form, bucket, show, when, max } = props;
  const format = useFormat();
  const rows = points.map((point) => ({ at: point.at.getTime(), ...point.values }));
  const axis = (at: number) => (bucket === "day" ? format.day(new Date(at)) : format.clock(new Date(at)));
  return (
    <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 480, height: 176 }}>
      <ComposedChart data={rows} margin={{ top: 6, right: 4, bottom: 0, left: 0 }} accessibilityLayer title={title} barCategoryGap="18%">
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis dataKey="at" tickFormatter={axis} tick={tick} tickLine={false} axisLine={false} minTickGap={40} height={20} />
        <YAxis tickFormatter={show} tick={tick} tickLine={false} axisLine={false} width={axisWidth(props)} allowDecimals={form === "lines"} tickCount={4} domain={[0, max ?? "auto"]} />
        <Tooltip
          cursor={{ fill: "var(--hover)", stroke: "var(--line-strong)" }}
          isAnimationActive={false}
          content={({ active, label, payload }) => (
            <TipBox
              active={active}
              label={label}
              series={series}
              row={payload[0]?.payload as Record<string, number | undefined> | undefined}
              show={show}
              when={when}
            />
          )}
        />
        {series.map((s, i) => layer(props, s, i === series.length - 1))}
      </ComposedChart>
    </ResponsiveContainer>
  );
}
