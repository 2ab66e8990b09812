import { Button } from "../components/button";
import { Diff } from "../components/diff";
import { Modal } from "../components/overlay";
import { useI18n } from "../i18n";

interface ConflictProps {
  /** The object as the server has it now, and as it is in the form; by their names on the wire. */
  theirs: Record<string, unknown>;
  mine: Record<string, unknown>;
  busy: boolean;
  onKeepMine: () => void;
  onTakeTheirs: () => void;
  onClose: () => void;
}

/** Shows both versions when somebody else saved first. */
export function Conflict({ theirs, mine, busy, onKeepMine, onTakeTheirs, onClose }: ConflictProps) {
  const { t } = useI18n();
  return (
    <Modal
      open
      wide
      onClose={onClose}
      title={t("conflict.title")}
      description={t("conflict.hint")}
      footer={
        <>
          <Button onClick={onTakeTheirs}>{t("conflict.theirs")}</Button>
          <Button look="primary" busy={busy} onClick={onKeepMine}>
            {t("conflict.mine")}
          </Button>
        </>
      }
    >
      <Diff before={theirs} after={mine} titles={[t("conflict.saved"), t("conflict.yours")]} />
    </Modal>
  );
}
