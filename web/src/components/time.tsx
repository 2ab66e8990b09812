import { useEffect, useState } from "react";
import { useFormat } from "./format";

/** The present, renewed every so often so that "3 min ago" stays true. */
export function useNow(everyMs = 15_000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(new Date()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A time as "3 min ago", with the exact one as its title. */
export function Ago({ at, className }: { at: Date | undefined; className?: string }) {
  const format = useFormat();
  const now = useNow();
  if (at === undefined) return <span className="text-ink-3">–</span>;
  return (
    <time dateTime={at.toISOString()} title={format.dateTime(at)} className={className ?? "whitespace-nowrap"}>
      {format.relative(at, now)}
    </time>
  );
}

/** A time as a date and a clock. */
export function At({ at }: { at: Date | undefined }) {
  const format = useFormat();
  if (at === undefined) return <span className="text-ink-3">–</span>;
  return (
    <time dateTime={at.toISOString()} className="whitespace-nowrap">
      {format.dateTime(at)}
    </time>
  );
}
