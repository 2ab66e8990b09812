import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "../components/button";
import { Field, Form, Input, Select } from "../components/field";
import { FormOrJson } from "../components/form-or-json";
import { Drawer } from "../components/overlay";
import { ErrorState, Loading } from "../components/states";
import { useI18n } from "../i18n";
import { accountKeys } from "../services/accounts";
import { kinds } from "../services/configs";
import { objectAt, put, textAt, type Json } from "../services/json";
import { modelsQuery } from "../services/models";
import { preferencesQuery, preferencesSchema, putPreferences, type Preferences } from "../services/preferences";
import { useIsAdmin } from "./session";
import { useEditor } from "./use-editor";

interface PreferencesProps {
  account: string;
  onClose: () => void;
}

const languages = ["en", "ja", "zh"] as const;

/** What an account's requests mean where they leave something out. */
export function AccountPreferences({ account, onClose }: PreferencesProps) {
  const { t } = useI18n();
  const preferences = useQuery({ ...preferencesQuery(account), refetchOnWindowFocus: false });
  if (preferences.data) return <Editor account={account} start={preferences.data} onClose={onClose} />;
  return (
    <Drawer open onClose={onClose} title={t("preferences.title")} description={account}>
      {preferences.isError ? <ErrorState error={preferences.error} retry={() => void preferences.refetch()} /> : <Loading />}
    </Drawer>
  );
}

function Editor({ account, start, onClose }: PreferencesProps & { start: Preferences }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const models = useQuery(modelsQuery);
  const [valid, setValid] = useState(true);
  const editor = useEditor<Json, Preferences>({
    name: `preferences/${account}`,
    start: start.set,
    version: start.version,
    send: (draft, version) => putPreferences(account, draft, version),
    // The answer to a stale edit does not say which version the saved one is.
    current: (stale) => {
      const now = stale.current(preferencesSchema);
      return now && { draft: now, version: "any" };
    },
    wire: (draft) => draft,
    touches: [accountKeys.one(account)],
    done: t("preferences.saved"),
    onSaved: onClose,
  });
  const close = () => editor.leave(onClose);
  const set = (path: readonly string[], value: string) => editor.update((draft) => put(draft, path, value === "" ? undefined : value));
  const none = { value: "", label: t("preferences.none") };
  return (
    <Drawer
      open
      onClose={close}
      title={t("preferences.title")}
      description={t("preferences.hint")}
      footer={
        <>
          <Button onClick={close}>{admin ? t("action.cancel") : t("action.close")}</Button>
          {admin && (
            <Button look="primary" type="submit" form="preferences-form" busy={editor.busy} disabled={!valid}>
              {t("action.save")}
            </Button>
          )}
        </>
      }
    >
      <Form id="preferences-form" error={editor.error} onSubmit={() => valid && editor.save()}>
        <FormOrJson value={editor.draft} onValue={(next) => editor.update(() => next)} onValid={setValid} shows epoch={editor.epoch} disabled={!admin}>
          {kinds.map((kind) => {
            const chosen = textAt(objectAt(editor.draft, kind), "model");
            const options = (models.data ?? []).filter((model) => model.kind === kind).map((model) => ({ value: model.name, label: model.name }));
            return (
              <Field key={kind} label={t("preferences.model", { kind: t(`kind.${kind}`) })} name={kind}>
                {(wiring) => (
                  <Select
                    {...wiring}
                    value={chosen}
                    onValue={(model) => set([kind, "model"], model)}
                    options={[none, ...options, ...(chosen === "" || options.some((option) => option.value === chosen) ? [] : [{ value: chosen, label: chosen }])]}
                  />
                )}
              </Field>
            );
          })}
          <Field label={t("preferences.callback")} name="callback_url" hint={t("preferences.callbackHint")}>
            {(wiring) => <Input {...wiring} type="url" placeholder="https://" value={textAt(editor.draft, "callback_url")} onChange={(event) => set(["callback_url"], event.target.value.trim())} />}
          </Field>
          <Field label={t("preferences.language")} name="language" hint={t("preferences.languageHint")}>
            {(wiring) => (
              <Select {...wiring} value={textAt(editor.draft, "language")} onValue={(language) => set(["language"], language)} options={[none, ...languages.map((value) => ({ value, label: value }))]} />
            )}
          </Field>
          <p className="text-xs text-ink-3">{t("preferences.rest")}</p>
        </FormOrJson>
      </Form>
      {editor.dialogs}
    </Drawer>
  );
}
