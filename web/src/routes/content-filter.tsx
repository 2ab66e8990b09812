import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "../components/button";
import { Form } from "../components/field";
import { FormOrJson } from "../components/form-or-json";
import { put, type Json } from "../services/json";
import { Card } from "../components/page";
import { ErrorState, Loading } from "../components/states";
import { useI18n } from "../i18n";
import { filterOf, moderationKeys, moderationQuery, moderationSchema, putModeration, type ContentFilter } from "../services/moderation";
import { FilterForm } from "./content-filter-form";
import { useIsAdmin } from "./session";
import { useEditor } from "./use-editor";

/** What prompts are checked for before any provider sees them. */
export function ContentFilterCard() {
  const { t } = useI18n();
  const filter = useQuery(moderationQuery);
  return (
    <Card title={t("filter.title")} hint={t("filter.hint")} className="w-full max-w-4xl">
      {filter.isError && filter.data === undefined ? (
        <ErrorState error={filter.error} retry={() => void filter.refetch()} />
      ) : filter.data === undefined ? (
        <Loading />
      ) : (
        <FilterEditor start={filter.data} />
      )}
    </Card>
  );
}

function FilterEditor({ start }: { start: ContentFilter }) {
  const [saves, setSaves] = useState(0);
  const [now, setNow] = useState(start);
  return (
    <FilterFields
      key={saves}
      start={now}
      onSaved={(saved) => {
        setNow(saved);
        setSaves((n) => n + 1);
      }}
    />
  );
}

function FilterFields({ start, onSaved }: { start: ContentFilter; onSaved: (saved: ContentFilter) => void }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const [valid, setValid] = useState(true);
  const editor = useEditor<Json, ContentFilter>({
    name: "content-filter",
    start: start.filter,
    version: start.version,
    send: (filter, version) => putModeration({ filter, version: Number(version) }),
    current: (stale) => {
      const now = stale.current(moderationSchema);
      return now && { draft: now.filter, version: now.version };
    },
    wire: (draft) => draft,
    touches: [moderationKeys.all],
    done: t("filter.saved"),
    onSaved,
  });
  const facts = filterOf(editor.draft);
  return (
    <Form error={editor.error} onSubmit={() => valid && editor.save()}>
      <FormOrJson
        value={editor.draft}
        onValue={(next) => editor.update(() => next)}
        onValid={setValid}
        shows={facts !== undefined}
        epoch={editor.epoch}
        disabled={!admin}
      >
        {facts && (
          <FilterForm key={editor.epoch} facts={facts} wire={editor.draft} set={(path, value) => editor.update((draft) => put(draft, path, value))} admin={admin} />
        )}
      </FormOrJson>
      {admin && (
        <div className="mt-4 flex items-center justify-end gap-3">
          {editor.dirty && <span className="text-xs text-ink-3">{t("unsaved.here")}</span>}
          <Button type="submit" look="primary" busy={editor.busy} disabled={!valid || !editor.dirty}>
            {t("action.save")}
          </Button>
        </div>
      )}
      {editor.dialogs}
    </Form>
  );
}
