import { useMemo } from "react";
import { useI18n } from "../i18n";

const micro = 1_000_000;

/** Writes numbers, times and money in the user's language. Times are in the browser's zone. */
export function formatter(locale: string) {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const dayTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const clockSeconds = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const dayClock = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });

  return {
    whole: (n: number) => whole.format(n),
    short: (n: number) => (Math.abs(n) < 10_000 ? whole.format(n) : short.format(n)),
    percent: (share: number) => percent.format(share),
    /** Micro-USD as dollars, with more digits the smaller the amount is. */
    usd: (microUsd: number) => {
      const dollars = microUsd / micro;
      const digits = dollars === 0 || Math.abs(dollars) >= 1 ? 2 : Math.abs(dollars) >= 0.01 ? 3 : 5;
      return new Intl.NumberFormat(locale, {
        style: "currency",
        currency: "USD",
        currencyDisplay: "narrowSymbol",
        minimumFractionDigits: 2,
        maximumFractionDigits: digits,
      }).format(dollars);
    },
    duration: (ms: number) => {
      if (ms < 1000) return `${Math.round(ms)} ms`;
      if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
      const minutes = Math.floor(ms / 60_000);
      return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
    },
    bytes: (n: number) => {
      if (n < 1024) return `${n} B`;
      if (n < 1024 * 1024) return `${(n / 1024).toFixed(0)} KiB`;
      return `${(n / 1024 / 1024).toFixed(1)} MiB`;
    },
    dateTime: (at: Date) => dayTime.format(at),
    shortDateTime: (at: Date) => dayClock.format(at),
    day: (at: Date) => day.format(at),
    clock: (at: Date) => clock.format(at),
    clockSeconds: (at: Date) => clockSeconds.format(at),
    /** "3 min ago", "in 2 h". */
    relative: (at: Date, now: Date = new Date()) => {
      const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
      const size = Math.abs(seconds);
      if (size < 60) return relative.format(seconds, "second");
      if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
      if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
      return relative.format(Math.round(seconds / 86_400), "day");
    },
  };
}

export type Format = ReturnType<typeof formatter>;

/** The formatter of the user's language. */
export function useFormat(): Format {
  const { locale } = useI18n();
  return useMemo(() => formatter(locale), [locale]);
}
