import { useMutation } from "@tanstack/react-query";
import { Download, FileUp } from "lucide-react";
import { useRef, useState } from "react";
import { useAction } from "../components/action";
import { Badge, type Tone } from "../components/badge";
import { Button } from "../components/button";
import { Diff } from "../components/diff";
import { download } from "../components/download";
import { Checkbox } from "../components/field";
import { Card } from "../components/page";
import { Empty, Notice, describe } from "../components/states";
import { lookUp, useI18n } from "../i18n";
import { configKeys } from "../services/configs";
import { modelKeys } from "../services/models";
import { moderationKeys } from "../services/moderation";
import { Problem } from "../services/problem";
import { documentSchema, exportDocument, importDocument, type ExportDocument, type ImportPlan } from "../services/transfer";
import { useIsAdmin } from "./session";

/** Takes the configuration out as a file, and in again after a look at what would change. */
export function Transfer() {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const save = useAction({
    run: exportDocument,
    touches: [],
    onDone: (document) => download(`easel-config-${new Date().toISOString().slice(0, 10)}.json`, JSON.stringify(document, null, 2), "application/json"),
  });
  return (
    <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_minmax(0,2fr)]">
      <Card title={t("transfer.export")} hint={t("transfer.exportHint")}>
        <Button busy={save.isPending} icon={<Download aria-hidden className="size-3.5" />} onClick={() => save.mutate()}>
          {t("transfer.download")}
        </Button>
      </Card>
      {admin && <Import />}
    </div>
  );
}

function Import() {
  const { t } = useI18n();
  const file = useRef<HTMLInputElement>(null);
  const [document, setDocument] = useState<ExportDocument>();
  const [prune, setPrune] = useState(false);

  const plan = useMutation({
    mutationFn: (input: { document: ExportDocument; prune: boolean }) => importDocument(input.document, input.prune, true),
  });
  const read = useMutation({
    mutationFn: async (chosen: File) => {
      try {
        return documentSchema.parse(JSON.parse(await chosen.text()));
      } catch (cause) {
        throw new Error(t("transfer.notExport"), { cause });
      }
    },
    onMutate: () => {
      plan.reset();
      setDocument(undefined);
    },
    onSuccess: (next) => {
      setDocument(next);
      plan.mutate({ document: next, prune });
    },
  });
  const apply = useAction({
    run: (input: { document: ExportDocument; prune: boolean }) => importDocument(input.document, input.prune, false),
    touches: [configKeys.all, modelKeys.all, moderationKeys.all],
    done: t("transfer.applied"),
    onDone: () => {
      setDocument(undefined);
      plan.reset();
    },
  });
  const error = read.error ?? plan.error;
  const changes = plan.data?.changes.filter((change) => change.action !== "unchanged") ?? [];
  return (
    <Card
      title={t("transfer.import")}
      hint={t("transfer.importHint")}
      actions={
        <>
          <input
            ref={file}
            type="file"
            accept="application/json,.json"
            className="sr-only"
            aria-label={t("transfer.choose")}
            tabIndex={-1}
            onChange={(event) => {
              const chosen = event.target.files?.[0];
              event.target.value = "";
              if (chosen) read.mutate(chosen);
            }}
          />
          <Button icon={<FileUp aria-hidden className="size-3.5" />} busy={read.isPending || plan.isPending} onClick={() => file.current?.click()}>
            {t("transfer.choose")}
          </Button>
        </>
      }
    >
      {error && (
        <Notice look="bad" role="alert" className="mb-3">
          <p>{describe(error, t)}</p>
          {error instanceof Problem && (
            <ul className="mt-1 list-disc pl-4">
              {error.fields.map((field) => (
                <li key={field.name}>
                  <code className="font-mono text-xs">{field.name}</code> {field.message}
                </li>
              ))}
            </ul>
          )}
        </Notice>
      )}
      {document === undefined ? (
        !error && <Empty title={t("transfer.noFile")} icon={<FileUp aria-hidden className="size-6" strokeWidth={1.5} />} />
      ) : (
        <div className="flex flex-col gap-3">
          <Checkbox
            label={t("transfer.prune")}
            hint={t("transfer.pruneHint")}
            checked={prune}
            onChange={(next) => {
              setPrune(next);
              plan.mutate({ document, prune: next });
            }}
          />
          {plan.data && (
            <>
              <Plan plan={plan.data} />
              <div className="flex justify-end gap-2">
                <Button onClick={() => setDocument(undefined)}>{t("action.cancel")}</Button>
                <Button look="primary" busy={apply.isPending} disabled={changes.length === 0} onClick={() => apply.mutate({ document, prune })}>
                  {t("transfer.apply", { count: changes.length })}
                </Button>
              </div>
            </>
          )}
        </div>
      )}
    </Card>
  );
}

const tones: Record<string, Tone> = { create: "good", update: "info", delete: "bad" };

function Plan({ plan }: { plan: ImportPlan }) {
  const { t } = useI18n();
  const changes = plan.changes.filter((change) => change.action !== "unchanged");
  const same = plan.changes.length - changes.length;
  return (
    <div className="flex flex-col gap-3" data-testid="import-plan">
      {plan.warnings.map((warning) => (
        <Notice key={warning.name} look="warn">
          <code className="font-mono text-xs">{warning.name}</code> {warning.message}
        </Notice>
      ))}
      {changes.length === 0 && <p className="text-ink-3">{t("transfer.nothing")}</p>}
      <ul className="flex flex-col gap-2">
        {changes.map((change) => (
          <li key={`${change.type}-${change.id}-${change.name}`} className="rounded-lg border border-line p-3">
            <div className="mb-2 flex items-center gap-2">
              <Badge tone={tones[change.action] ?? "idle"}>{lookUp(t, `transfer.${change.action}`, change.action)}</Badge>
              <span className="text-xs text-ink-3">{lookUp(t, `transfer.type.${change.type}`, change.type)}</span>
              <span className="font-medium">{change.type === "setting" ? lookUp(t, `transfer.setting.${change.id}`, change.id) : change.name || change.id}</span>
            </div>
            <Diff before={change.before} after={change.after} />
          </li>
        ))}
      </ul>
      {same > 0 && <p className="text-xs text-ink-3">{t("transfer.same", { count: same })}</p>}
    </div>
  );
}
