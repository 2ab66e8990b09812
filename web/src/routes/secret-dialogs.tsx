import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { Button } from "../components/button";
import { CodeBlock } from "../components/copy";
import { Confirm, Modal } from "../components/overlay";
import { Notice } from "../components/states";
import { useI18n } from "../i18n";

/** Shows a secret, once: the server does not tell it again. */
export function SecretOnce({ secret, of, onClose }: { secret: string; of: string; onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Modal
      open
      onClose={onClose}
      title={t("keys.secretTitle")}
      description={of}
      footer={
        <Button look="primary" onClick={onClose}>
          {t("keys.stored")}
        </Button>
      }
    >
      <div className="flex flex-col gap-3">
        <Notice look="warn">{t("keys.secretOnce")}</Notice>
        <CodeBlock code={secret} label={t("keys.secretTitle")} />
      </div>
    </Modal>
  );
}

interface RotateProps {
  /** Whose reports it signs. */
  of: string;
  /** False while the deployment's secret signs. */
  own: boolean;
  run: () => Promise<string>;
  touches: QueryKey;
  onClose: () => void;
}

/** Makes a new secret for webhooks after a question, and shows it once. */
export function RotateWebhookSecret({ of, own, run, touches, onClose }: RotateProps) {
  const { t } = useI18n();
  const client = useQueryClient();
  const rotate = useMutation({ mutationFn: run, onSuccess: () => client.invalidateQueries({ queryKey: touches }) });
  if (rotate.data !== undefined) return <SecretOnce secret={rotate.data} of={of} onClose={onClose} />;
  return (
    <Confirm
      open
      onClose={onClose}
      title={own ? t("hooks.rotate") : t("hooks.first")}
      action={t("hooks.make")}
      busy={rotate.isPending}
      error={rotate.error}
      onConfirm={() => rotate.mutate()}
    >
      {t("hooks.rotateText")}
    </Confirm>
  );
}
