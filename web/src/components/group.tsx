import type { ReactNode } from "react";

/** A part of a long form, under its own heading. */
export function Group({ title, hint, children }: { title: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <section className="flex min-w-0 flex-col gap-3">
      <header className="border-b border-line pb-1">
        <h3 className="font-semibold">{title}</h3>
        {hint && <p className="text-xs text-ink-3">{hint}</p>}
      </header>
      {children}
    </section>
  );
}
