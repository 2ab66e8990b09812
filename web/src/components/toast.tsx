import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { useI18n } from "../i18n";
import { store } from "../services/store";
import { IconButton } from "./button";
import { cx } from "./cx";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

const toasts = store<Toast[]>([]);
let last = 0;

const drop = (id: number) => toasts.set(toasts.get().filter((toast) => toast.id !== id));

/** Says a short sentence at the edge of the screen. */
export function say(text: string, bad = false) {
  last++;
  toasts.set([...toasts.get().slice(-3), { id: last, text, bad }]);
}

function Line({ toast }: { toast: Toast }) {
  const { t } = useI18n();
  useEffect(() => {
    const timer = window.setTimeout(() => drop(toast.id), toast.bad ? 10_000 : 4000);
    return () => window.clearTimeout(timer);
  }, [toast]);
  const Icon = toast.bad ? CircleAlert : CircleCheck;
  return (
    <li className="flex animate-pop items-start gap-2 rounded-lg border border-line bg-surface py-2 pr-1.5 pl-3 shadow-pop">
      <Icon aria-hidden className={cx("mt-1 size-4 shrink-0", toast.bad ? "text-bad" : "text-good")} />
      <span className="mt-1 min-w-0 flex-1 break-words">{toast.text}</span>
      <IconButton label={t("action.dismiss")} onClick={() => drop(toast.id)}>
        <X aria-hidden className="size-3.5" />
      </IconButton>
    </li>
  );
}

/** The place where sentences appear. */
export function Toasts() {
  const shown = useSyncExternalStore(toasts.subscribe, toasts.get);
  return (
    <ul aria-live="polite" className="fixed right-3 bottom-3 z-60 flex w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2">
      {shown.map((toast) => (
        <Line key={toast.id} toast={toast} />
      ))}
    </ul>
  );
}
