import { useEffect, type ReactNode } from "react";
import { cx } from "./cx";

interface PageProps {
  title: string;
  /** What stands before the title, such as the way back. */
  above?: ReactNode;
  badge?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A screen: its heading, its actions and its content. */
export function Page({ title, above, badge, description, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Easel`;
  }, [title]);
  return (
    <div className="mx-auto flex w-full max-w-[1440px] flex-col gap-4 px-4 py-5 sm:px-6">
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          {above}
          <div className="flex flex-wrap items-center gap-2.5">
            <h1 className="min-w-0 text-xl font-semibold tracking-tight break-words">{title}</h1>
            {badge}
          </div>
          {description && <p className="mt-0.5 max-w-3xl text-ink-3">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface CardProps {
  title?: ReactNode;
  hint?: ReactNode;
  actions?: ReactNode;
  className?: string;
  /** Leaves the content without padding, for tables. */
  flush?: boolean;
  children: ReactNode;
}

/** A framed part of a screen. */
export function Card({ title, hint, actions, className, flush = false, children }: CardProps) {
  return (
    <section className={cx("card flex min-w-0 flex-col", className)}>
      {title && (
        <header className="flex flex-wrap items-center justify-between gap-2 px-4 pt-3 pb-2">
          <div className="min-w-0">
            <h2 className="font-semibold">{title}</h2>
            {hint && <p className="text-xs text-ink-3">{hint}</p>}
          </div>
          {actions}
        </header>
      )}
      <div className={cx("min-w-0 flex-1", flush ? "" : title ? "px-4 pb-4" : "p-4")}>{children}</div>
    </section>
  );
}

/** Pairs of a name and a value. */
export function Facts({ items, className }: { items: readonly (readonly [ReactNode, ReactNode] | false | undefined)[]; className?: string }) {
  return (
    <dl className={cx("grid grid-cols-[minmax(7rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-1.5", className)}>
      {items.map((item, i) =>
        item ? (
          <div key={i} className="contents">
            <dt className="text-ink-3">{item[0]}</dt>
            <dd className="min-w-0 break-words">{item[1]}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}
