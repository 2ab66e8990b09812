import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { StatusBadge } from "../components/badge";
import { Button } from "../components/button";
import { Field, Form, Input } from "../components/field";
import { useFormat } from "../components/format";
import { Json } from "../components/json";
import { Card } from "../components/page";
import { Empty, ErrorState, Loading, Notice as Sentence } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago, At } from "../components/time";
import { useI18n } from "../i18n";
import {
  noticesQuery,
  notificationKeys,
  notificationsQuery,
  notificationsSchema,
  putNotifications,
  rotateNotificationSecret,
  type Notice,
  type Notifications,
} from "../services/notifications";
import { RotateWebhookSecret } from "./secret-dialogs";
import { useIsAdmin } from "./session";
import { useEditor } from "./use-editor";

/** Where the deployment tells its operator what happens to the configs, and what it told. */
export function NotificationsTab() {
  const { t } = useI18n();
  const setting = useQuery(notificationsQuery);
  return (
    <div className="flex flex-col gap-4">
      <Card title={t("notices.title")} hint={t("notices.hint")} className="w-full max-w-4xl">
        {setting.isError && setting.data === undefined ? (
          <ErrorState error={setting.error} retry={() => void setting.refetch()} />
        ) : setting.data === undefined ? (
          <Loading />
        ) : (
          <Endpoint key={setting.data.version} setting={setting.data} />
        )}
      </Card>
      <Notices />
    </div>
  );
}

function Endpoint({ setting }: { setting: Notifications }) {
  const { t } = useI18n();
  const format = useFormat();
  const admin = useIsAdmin();
  const [rotating, setRotating] = useState(false);
  const editor = useEditor({
    name: "notifications",
    start: { url: setting.url },
    version: setting.version,
    send: (draft, version) => putNotifications(draft.url.trim(), Number(version)),
    current: (stale) => {
      const now = stale.current(notificationsSchema);
      return now && { draft: { url: now.url }, version: now.version };
    },
    wire: (draft) => draft,
    touches: [notificationKeys.all],
    done: t("notices.saved"),
    onSaved: () => undefined,
  });
  const overlap = setting.previousUntil && setting.previousUntil > new Date() ? setting.previousUntil : undefined;
  return (
    <Form error={editor.error} onSubmit={editor.save} className="flex flex-col gap-3">
      {setting.disabledAt && <Sentence look="bad">{t("notices.disabled", { when: format.relative(setting.disabledAt) })}</Sentence>}
      <fieldset disabled={!admin}>
        <Field label={t("notices.url")} name="url" hint={t("notices.urlHint")}>
          {(wiring) => (
            <Input {...wiring} type="url" placeholder="https://" value={editor.draft.url} onChange={(event) => editor.set({ url: event.target.value })} className="font-mono text-xs!" />
          )}
        </Field>
      </fieldset>
      <p className="text-xs text-ink-3">
        {t("hooks.secret")}: {setting.ownSecret ? t("hooks.own") : t("hooks.deployments")}
        {overlap && (
          <>
            {" · "}
            {t("hooks.previous")} <At at={overlap} />
          </>
        )}
      </p>
      {admin && (
        <div className="flex flex-wrap items-center justify-between gap-2">
          <Button icon={<RefreshCw aria-hidden className="size-3.5" />} onClick={() => setRotating(true)}>
            {setting.ownSecret ? t("hooks.rotate") : t("hooks.first")}
          </Button>
          <Button type="submit" look="primary" busy={editor.busy} disabled={!editor.dirty && setting.disabledAt === undefined}>
            {t("action.save")}
          </Button>
        </div>
      )}
      {editor.dialogs}
      {rotating && (
        <RotateWebhookSecret
          of={t("notices.title")}
          own={setting.ownSecret}
          run={rotateNotificationSecret}
          touches={notificationKeys.all}
          onClose={() => setRotating(false)}
        />
      )}
    </Form>
  );
}

function Notices() {
  const { t } = useI18n();
  const format = useFormat();
  const notices = useInfiniteQuery(noticesQuery);
  const columns: Column<Notice>[] = [
    { header: t("field.status"), cell: (notice) => <StatusBadge status={notice.state} /> },
    { header: t("delivery.event"), cell: (notice) => <code className="font-mono text-xs whitespace-nowrap">{notice.event}</code> },
    {
      header: t("delivery.answer"),
      cell: (notice) => (notice.status > 0 ? <span className="num whitespace-nowrap">HTTP {notice.status}</span> : <span className="text-ink-3">{notice.error || "–"}</span>),
    },
    { header: t("delivery.tries"), cell: (notice) => format.whole(notice.tries), end: true },
    { header: t("delivery.when"), cell: (notice) => <Ago at={notice.at} className="whitespace-nowrap text-ink-3" />, end: true },
  ];
  return (
    <PagedTable
      label={t("notices.told")}
      query={notices}
      columns={columns}
      rowKey={(notice) => notice.id}
      detail={(notice) => <Json value={notice.data} label={t("notices.told")} />}
      empty={<Empty title={t("notices.none")} hint={t("notices.noneHint")} />}
    />
  );
}
