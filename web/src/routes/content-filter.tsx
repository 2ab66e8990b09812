import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAction } from "../components/action";
import { Button } from "../components/button";
import { Form } from "../components/field";
import { JsonEditor } from "../components/json";
import { Card } from "../components/page";
import { ErrorState, Loading } from "../components/states";
import { useI18n } from "../i18n";
import { moderationKeys, moderationQuery, putModeration, type ContentFilter } from "../services/moderation";
import { useIsAdmin } from "./session";

/** What prompts are checked for before any provider sees them. */
export function ContentFilterCard() {
  const { t } = useI18n();
  const filter = useQuery(moderationQuery);
  return (
    <Card title={t("filter.title")} hint={t("filter.hint")}>
      {filter.isError ? (
        <ErrorState error={filter.error} retry={() => void filter.refetch()} />
      ) : filter.data === undefined ? (
        <Loading />
      ) : (
        <Editor key={filter.data.version} start={filter.data} />
      )}
    </Card>
  );
}

function Editor({ start }: { start: ContentFilter }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const [filter, setFilter] = useState(start.filter);
  const [valid, setValid] = useState(true);
  const save = useAction({
    run: () => putModeration({ filter, version: start.version }),
    touches: [moderationKeys.all],
    done: t("filter.saved"),
    quiet: true,
  });
  return (
    <Form error={save.error} onSubmit={() => valid && save.mutate()}>
      <fieldset disabled={!admin} className="flex flex-col gap-3">
        <JsonEditor label={t("filter.rules")} hint={t("filter.rulesHint")} value={filter} onValue={setFilter} onValid={setValid} rows={16} />
        {admin && (
          <Button type="submit" look="primary" className="self-end" busy={save.isPending} disabled={!valid}>
            {t("action.save")}
          </Button>
        )}
      </fieldset>
    </Form>
  );
}
