import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { IconButton } from "./button";
import { cx } from "./cx";
import { say } from "./toast";

/** Copies a text to the clipboard. */
export function CopyButton({ text, label, className }: { text: string; label?: string; className?: string }) {
  const { t } = useI18n();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = window.setTimeout(() => setDone(false), 1500);
    return () => window.clearTimeout(timer);
  }, [done]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => say(t("copy.failed"), true),
    );
  };
  return (
    <IconButton label={done ? t("copy.done") : (label ?? t("copy.copy"))} onClick={copy} className={className ?? ""}>
      {done ? <Check aria-hidden className="size-3.5 text-good" /> : <Copy aria-hidden className="size-3.5" />}
    </IconButton>
  );
}

/** An id, shortened in the middle where space is short, with a button that copies it whole. */
export function Id({ id, className }: { id: string; className?: string }) {
  return (
    <span className={cx("inline-flex max-w-full items-center gap-0.5", className)}>
      <code className="truncate font-mono text-xs" title={id}>
        {id}
      </code>
      <CopyButton text={id} className="-my-1" />
    </span>
  );
}

/** Lines of code with a button that copies them. */
export function CodeBlock({ code, label, className }: { code: string; label: string; className?: string }) {
  return (
    <div className={cx("relative rounded-lg border border-line bg-sunken", className)}>
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} aria-label={label} role="region" className="max-h-112 overflow-auto p-3 pr-11 font-mono text-xs leading-relaxed">
        <code>{code}</code>
      </pre>
      <CopyButton text={code} className="absolute top-1.5 right-1.5 bg-sunken" />
    </div>
  );
}
