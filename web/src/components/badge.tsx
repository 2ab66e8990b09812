import { Image, MessageSquareText, Video } from "lucide-react";
import type { ReactNode } from "react";
import { lookUp, useI18n } from "../i18n";
import { cx } from "./cx";

/** How good a state is. */
export type Tone = "good" | "warn" | "bad" | "info" | "idle";

const tones: Record<Tone, string> = {
  good: "bg-good-soft text-good-ink",
  warn: "bg-warn-soft text-warn-ink",
  bad: "bg-bad-soft text-bad-ink",
  info: "bg-info-soft text-info-ink",
  idle: "bg-sunken text-ink-2 ring-1 ring-inset ring-line",
};

const dots: Record<Tone, string> = {
  good: "bg-good",
  warn: "bg-warn",
  bad: "bg-bad",
  info: "bg-info",
  idle: "bg-line-strong ring-1 ring-inset ring-ink-3/60",
};

/** A short word on a tinted ground. */
export function Badge({ tone = "idle", children, className }: { tone?: Tone; children: ReactNode; className?: string }) {
  return (
    <span className={cx("inline-flex h-5 items-center gap-1 rounded-md px-1.5 text-2xs font-medium whitespace-nowrap", tones[tone], className)}>
      {children}
    </span>
  );
}

/** A coloured dot; never the only sign of a state. */
export function Dot({ tone, pulse = false }: { tone: Tone; pulse?: boolean }) {
  return <span aria-hidden className={cx("inline-block size-2 shrink-0 rounded-full", dots[tone], pulse && "animate-pulse")} />;
}

const statusTones: Record<string, Tone> = {
  succeeded: "good",
  delivered: "good",
  active: "good",
  healthy: "good",
  failed: "bad",
  revoked: "bad",
  down: "bad",
  rejected: "bad",
  expired: "warn",
  degraded: "warn",
  cooling: "warn",
  unknown: "warn",
  processing: "info",
  accepted: "info",
  started: "info",
  pending: "info",
  queued: "idle",
};

/** The tone of a state's name; states that are neither good nor bad are idle. */
export const toneOf = (status: string): Tone => statusTones[status] ?? "idle";

/** The state of a task, an attempt, a key or a delivery. */
export function StatusBadge({ status }: { status: string }) {
  const { t } = useI18n();
  const tone = toneOf(status);
  return (
    <Badge tone={tone}>
      <Dot tone={tone} pulse={status === "processing" || status === "started" || status === "accepted"} />
      {lookUp(t, `status.${status}`, status)}
    </Badge>
  );
}

/** The icon of a kind. */
export function KindIcon({ kind, className }: { kind: string; className?: string }) {
  const Icon = kind === "video" ? Video : kind === "text" ? MessageSquareText : Image;
  return <Icon aria-hidden className={cx("size-3.5 shrink-0", className)} />;
}

/** A kind with its icon. */
export function KindLabel({ kind }: { kind: string }) {
  const { t } = useI18n();
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap text-ink-2">
      <KindIcon kind={kind} />
      {lookUp(t, `kind.${kind}`, kind)}
    </span>
  );
}

/** An error class or code in words, with the word that programs see as its title. */
export function FaultLabel({ code, className }: { code: string; className?: string }) {
  const { t } = useI18n();
  return (
    <span title={code} className={className}>
      {lookUp(t, `fault.${code}`, code)}
    </span>
  );
}
