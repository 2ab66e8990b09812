import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import { useEffect, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Button, IconButton } from "./button";
import { cx } from "./cx";
import { Input } from "./field";
import { describe, Notice } from "./states";

/** Keeps the page behind an overlay from scrolling. */
function useLock() {
  useEffect(() => {
    const root = document.documentElement;
    const depth = Number(root.dataset["locked"] ?? 0) + 1;
    root.dataset["locked"] = String(depth);
    return () => {
      const left = Number(root.dataset["locked"] ?? 1) - 1;
      if (left > 0) root.dataset["locked"] = String(left);
      else delete root.dataset["locked"];
    };
  }, []);
}

function Veil() {
  useLock();
  return <div className="fixed inset-0 z-50 animate-fade bg-veil" />;
}

/** Focuses the first control of an overlay's form, else the overlay itself, and not the button that closes it. */
function focusFirst(event: Event) {
  event.preventDefault();
  const { currentTarget: content } = event;
  if (!(content instanceof HTMLElement)) return;
  (content.querySelector<HTMLElement>("form :is(input, select, textarea):enabled") ?? content).focus();
}

interface OverlayProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
}

function Head({ title, description }: { title: ReactNode; description?: ReactNode }) {
  const { t } = useI18n();
  return (
    <header className="flex items-start justify-between gap-3 border-b border-line px-5 py-3.5">
      <div className="min-w-0">
        <Dialog.Title className="truncate text-base font-semibold">{title}</Dialog.Title>
        {description && <Dialog.Description className="mt-0.5 text-xs text-ink-3">{description}</Dialog.Description>}
      </div>
      <Dialog.Close asChild>
        <IconButton label={t("action.close")} className="-mr-1.5">
          <X aria-hidden className="size-4" />
        </IconButton>
      </Dialog.Close>
    </header>
  );
}

/** A panel from the right edge, for editing one thing; the whole screen on a phone. */
export function Drawer({ open, onClose, title, description, children, footer, wide = false }: OverlayProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Veil />
        <Dialog.Content
          onOpenAutoFocus={focusFirst}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cx(
            "fixed inset-y-0 right-0 z-50 flex w-full animate-drawer flex-col border-l border-line bg-surface shadow-pop focus:outline-none",
            wide ? "sm:max-w-3xl" : "sm:max-w-xl",
          )}
        >
          <Head title={title} description={description} />
          <div className="flex-1 overflow-y-auto overscroll-contain px-5 py-4">{children}</div>
          {footer && <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line bg-sunken px-5 py-3">{footer}</footer>}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** A box in the middle, for a question or a short form. */
export function Modal({ open, onClose, title, description, children, footer, wide = false }: OverlayProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Veil />
        <Dialog.Content
          onOpenAutoFocus={focusFirst}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cx(
            "fixed inset-x-3 top-[8dvh] z-50 mx-auto flex max-h-[84dvh] animate-pop flex-col overflow-hidden rounded-xl border border-line bg-surface shadow-pop focus:outline-none",
            wide ? "max-w-3xl" : "max-w-lg",
          )}
        >
          <Head title={title} description={description} />
          <div className="overflow-y-auto overscroll-contain px-5 py-4">{children}</div>
          {footer && <footer className="flex flex-wrap justify-end gap-2 border-t border-line bg-sunken px-5 py-3">{footer}</footer>}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  action: string;
  busy: boolean;
  error: Error | null;
  onConfirm: () => void;
  /** A word to type before the button works, for what cannot be undone. */
  word?: string;
}

/** Asks before something that cannot be undone. */
export function Confirm({ open, onClose, title, children, action, busy, error, onConfirm, word }: ConfirmProps) {
  const { t } = useI18n();
  const [typed, setTyped] = useState("");
  return (
    <Modal
      open={open}
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button look="danger" busy={busy} disabled={word !== undefined && typed !== word} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <div className="text-ink-2">{children}</div>
        {word !== undefined && (
          <label className="flex flex-col gap-1 text-xs text-ink-2">
            {t("confirm.type", { word })}
            <Input value={typed} onChange={(event) => setTyped(event.target.value)} />
          </label>
        )}
        {error && (
          <Notice look="bad" role="alert">
            {describe(error, t)}
          </Notice>
        )}
      </div>
    </Modal>
  );
}
