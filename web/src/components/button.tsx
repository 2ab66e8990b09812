import type { ButtonHTMLAttributes, ReactNode } from "react";
import { cx } from "./cx";
import { Tip } from "./tooltip";

type Look = "primary" | "plain" | "ghost" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-accent text-on-accent border-transparent hover:bg-accent-hover shadow-card",
  plain: "bg-surface text-ink border-line-strong hover:bg-hover shadow-card",
  ghost: "border-transparent text-ink-2 hover:bg-hover hover:text-ink",
  danger: "bg-surface text-bad-ink border-line-strong hover:bg-bad-soft hover:border-bad",
};

/** The classes of a button, for a link that looks like one. */
export function buttonLook(look: Look = "plain", small = false) {
  return cx(
    "inline-flex items-center justify-center gap-1.5 rounded-[7px] border font-medium whitespace-nowrap transition-colors select-none",
    "disabled:opacity-50 disabled:pointer-events-none [&_svg]:shrink-0",
    small ? "h-7 px-2 text-xs" : "h-8 px-3",
    "pointer-coarse:min-h-10",
    looks[look],
  );
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  small?: boolean;
  icon?: ReactNode;
  /** Shows that the action is under way and refuses another click. */
  busy?: boolean;
}

/** A button with text. */
export function Button({ look = "plain", small = false, icon, busy = false, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      disabled={rest.disabled === true || busy}
      className={cx(buttonLook(look, small), className)}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
}

/** A button with only an icon; its label is a tooltip and what a screen reader says. */
export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <Tip text={label}>
      <button
        type="button"
        aria-label={label}
        {...rest}
        className={cx(
          "inline-flex size-7 items-center justify-center rounded-md text-ink-3 transition-colors hover:bg-hover hover:text-ink",
          "disabled:pointer-events-none disabled:opacity-40 pointer-coarse:size-10 data-[state=open]:bg-hover data-[state=open]:text-ink",
          className,
        )}
      >
        {children}
      </button>
    </Tip>
  );
}

/** A small turning ring. */
export function Spinner({ className }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 16 16" className={cx("size-3.5 animate-spin", className)} fill="none" stroke="currentColor" strokeWidth="2">
      <circle cx="8" cy="8" r="6" opacity="0.25" />
      <path d="M8 2a6 6 0 0 1 6 6" strokeLinecap="round" />
    </svg>
  );
}
