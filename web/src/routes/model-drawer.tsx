import { useState } from "react";
import { useAction } from "../components/action";
import { Button } from "../components/button";
import { Form } from "../components/field";
import { FormOrJson } from "../components/form-or-json";
import { put, textAt, type Json } from "../services/json";
import { Drawer } from "../components/overlay";
import { useI18n } from "../i18n";
import { deleteModel, factsOf, modelKeys, modelSchema, putModel, type Model } from "../services/models";
import type { Problem } from "../services/problem";
import { ModelForm } from "./model-form";
import { useIsAdmin } from "./session";
import { useEditor } from "./use-editor";

const blank: Json = {
  name: "",
  kind: "image",
  upstreams: [{ provider: "openai", model: "" }],
  price: { known: true, credits: 10, unit: "image" },
  limits: {},
};

function current(stale: Problem) {
  const model = stale.current(modelSchema);
  return model && { draft: model.wire, version: model.version };
}

/** Adds a model, or changes what it costs, accepts, and who serves it. */
export function ModelDrawer({ model, onClose }: { model: Model | undefined; onClose: () => void }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const [valid, setValid] = useState(true);
  const editor = useEditor<Json, Model>({
    name: `model/${model?.name ?? ""}`,
    start: model?.wire ?? blank,
    version: model === undefined ? "new" : model.version,
    send: (draft, version) => putModel(textAt(draft, "name"), draft, version),
    current,
    wire: (draft) => draft,
    touches: [modelKeys.all],
    done: t("models.saved"),
    onSaved: onClose,
  });
  const remove = useAction({
    run: (of: Model) => deleteModel(of.name, of.version),
    touches: [modelKeys.all],
    done: model?.source === "edited" ? t("models.reset") : t("models.deleted"),
    onDone: () => editor.leave(onClose),
  });
  const facts = factsOf(editor.draft);
  const set = (path: readonly string[], value: unknown) => editor.update((draft) => put(draft, path, value));
  const close = () => editor.leave(onClose);
  const sendable = valid && facts !== undefined && facts.name !== "";
  return (
    <Drawer
      open
      wide
      onClose={close}
      title={model ? model.name : t("models.addTitle")}
      description={model?.source === "builtin" ? t("models.builtinHint") : undefined}
      footer={
        <>
          {admin && model && model.source !== "builtin" && (
            <Button look="danger" className="mr-auto" busy={remove.isPending} onClick={() => remove.mutate(model)}>
              {model.source === "edited" ? t("models.toBuiltin") : t("action.delete")}
            </Button>
          )}
          <Button onClick={close}>{admin ? t("action.cancel") : t("action.close")}</Button>
          {admin && (
            <Button look="primary" type="submit" form="model-form" busy={editor.busy} disabled={!sendable}>
              {t("action.save")}
            </Button>
          )}
        </>
      }
    >
      <Form id="model-form" error={editor.error} onSubmit={() => sendable && editor.save()}>
        <FormOrJson
          value={editor.draft}
          onValue={(next) => editor.update(() => next)}
          onValid={setValid}
          shows={facts !== undefined}
          epoch={editor.epoch}
          disabled={!admin}
        >
          {facts && <ModelForm key={editor.epoch} facts={facts} wire={editor.draft} set={set} isNew={model === undefined} admin={admin} />}
        </FormOrJson>
      </Form>
      {editor.dialogs}
    </Drawer>
  );
}
