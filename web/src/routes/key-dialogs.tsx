import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useAction } from "../components/action";
import { Button } from "../components/button";
import { CodeBlock } from "../components/copy";
import { Field, Form, Input } from "../components/field";
import { Modal } from "../components/overlay";
import { Notice } from "../components/states";
import { useI18n } from "../i18n";
import { configKeys, deleteKey, putKey, revealKey, type Config } from "../services/configs";

/** Replaces or removes the key of a config. The stored one is never shown. */
export function KeyDialog({ config, onClose }: { config: Config; onClose: () => void }) {
  const { t } = useI18n();
  const [key, setKey] = useState("");
  const save = useAction({
    run: () => putKey(config.id, key.trim()),
    touches: [configKeys.all],
    done: t("configs.keyReplaced"),
    quiet: true,
    onDone: onClose,
  });
  const remove = useAction({ run: () => deleteKey(config.id), touches: [configKeys.all], done: t("configs.keyRemoved"), onDone: onClose });
  return (
    <Modal
      open
      onClose={onClose}
      title={t("configs.replaceKey")}
      description={config.name}
      footer={
        <>
          {config.keyMask !== "" && (
            <Button look="danger" className="mr-auto" busy={remove.isPending} onClick={() => remove.mutate()}>
              {t("configs.removeKey")}
            </Button>
          )}
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button look="primary" type="submit" form="key-form" busy={save.isPending} disabled={key.trim() === ""}>
            {t("action.save")}
          </Button>
        </>
      }
    >
      <Form id="key-form" error={save.error} onSubmit={() => save.mutate()}>
        <Field label={t("field.newKey")} name="key" hint={config.keyMask ? t("configs.keyNow", { mask: config.keyMask }) : t("configs.keyHint")}>
          {(wiring) => <Input {...wiring} type="password" autoComplete="new-password" value={key} onChange={(event) => setKey(event.target.value)} />}
        </Field>
      </Form>
    </Modal>
  );
}

/** Shows a stored key, where the deployment allows it. The server writes down who looked. */
export function RevealDialog({ config, onClose }: { config: Config; onClose: () => void }) {
  const { t } = useI18n();
  const reveal = useMutation({ mutationFn: () => revealKey(config.id) });
  return (
    <Modal
      open
      onClose={onClose}
      title={t("configs.reveal")}
      description={config.name}
      footer={
        reveal.data === undefined && (
          <>
            <Button onClick={onClose}>{t("action.cancel")}</Button>
            <Button look="primary" busy={reveal.isPending} onClick={() => reveal.mutate()}>
              {t("configs.revealNow")}
            </Button>
          </>
        )
      }
    >
      {reveal.error ? (
        <Notice look="bad" role="alert">
          {reveal.error.message}
        </Notice>
      ) : reveal.data === undefined ? (
        <Notice look="warn">{t("configs.revealText")}</Notice>
      ) : (
        <CodeBlock code={reveal.data} label={t("field.key")} />
      )}
    </Modal>
  );
}
