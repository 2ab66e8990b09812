import { useBlocker } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Button } from "./button";
import { Modal } from "./overlay";

/** Guards what was typed and not yet saved. */
export interface Unsaved {
  /** Leaves at once, or after a question when something would be lost. */
  leave: (go: () => void) => void;
  /** From now on there is nothing to lose: it was saved, or kept elsewhere. */
  release: () => void;
  /** The question, to be rendered by whoever is left. */
  question: ReactNode;
}

const toLogin = (pathname: string) => pathname === "/login";

/**
 * Asks before unsaved changes are lost: by closing, by going to another address,
 * and by closing the tab. The way to the login is never barred.
 */
export function useUnsaved(dirty: boolean): Unsaved {
  const { t } = useI18n();
  const held = useRef(false);
  const released = useRef(false);
  const [asking, setAsking] = useState<{ go: () => void }>();
  useEffect(() => {
    held.current = dirty;
  }, [dirty]);
  const holds = () => held.current && !released.current;
  const blocker = useBlocker({
    shouldBlockFn: ({ next }) => holds() && !toLogin(next.pathname),
    enableBeforeUnload: holds,
    withResolver: true,
  });
  const release = useCallback(() => {
    released.current = true;
  }, []);
  const leave = (go: () => void) => {
    if (holds()) {
      setAsking({ go });
      return;
    }
    release();
    go();
  };
  const stay = () => {
    setAsking(undefined);
    blocker.reset?.();
  };
  const drop = () => {
    release();
    setAsking(undefined);
    if (asking) asking.go();
    else blocker.proceed?.();
  };
  const question = (asking !== undefined || blocker.status === "blocked") && (
    <Modal
      open
      onClose={stay}
      title={t("unsaved.title")}
      footer={
        <>
          <Button onClick={drop}>{t("unsaved.discard")}</Button>
          <Button look="primary" onClick={stay}>
            {t("unsaved.stay")}
          </Button>
        </>
      }
    >
      <p className="text-ink-2">{t("unsaved.text")}</p>
    </Modal>
  );
  return { leave, release, question };
}
