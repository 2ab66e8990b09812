import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { onceKey, useAction } from "../components/action";
import { Button } from "../components/button";
import { Checkbox, Field, FieldProblem, Form, Input, ListArea, NumberInput, Select, SwitchRow } from "../components/field";
import { Group } from "../components/group";
import { Confirm, Drawer, Modal } from "../components/overlay";
import { useI18n, type PlainKey } from "../i18n";
import { accountsQuery } from "../services/accounts";
import {
  createKey,
  fromKeyDraft,
  keyDraftOf,
  keyKeys,
  keySchema,
  moderations,
  newKey,
  patchKey,
  revokeKey,
  rotateKey,
  scopes,
  type ApiKey,
  type KeyDraft,
  type KeySecret,
} from "../services/keys";
import { useEditor, type Editor } from "./use-editor";

interface EditorProps {
  /** The key to edit; undefined to make one. */
  apiKey: ApiKey | undefined;
  account: string | undefined;
  onClose: () => void;
  onMade: (made: KeySecret) => void;
}

/** A date as the browser's control for local times wants it. */
function localTime(text: string): string {
  const at = new Date(text);
  if (text === "" || Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Makes a key, or changes what it may do. */
export function KeyEditor({ apiKey, account, onClose, onMade }: EditorProps) {
  const { t } = useI18n();
  const accounts = useInfiniteQuery(accountsQuery());
  const known = accounts.data?.pages.flatMap((page) => page.items.map((a) => a.id)) ?? [];
  const [once] = useState(onceKey);
  const editor = useEditor<KeyDraft, KeySecret | undefined>({
    name: `key/${apiKey?.id ?? ""}`,
    start: apiKey ? keyDraftOf(apiKey) : newKey(account ?? ""),
    version: apiKey?.version ?? "new",
    send: async (draft, version) => {
      if (apiKey === undefined || typeof version !== "number") return createKey(draft, once);
      await patchKey(apiKey.id, draft, version);
      return undefined;
    },
    current: (stale) => {
      const now = stale.current(keySchema);
      return now && { draft: keyDraftOf(now), version: now.version };
    },
    wire: fromKeyDraft,
    touches: [keyKeys.all],
    ...(apiKey ? { done: t("keys.saved") } : {}),
    onSaved: (made) => (made ? onMade(made) : onClose()),
  });
  const { draft, set } = editor;
  const close = () => editor.leave(onClose);
  const toggle = (scope: string, on: boolean) => set({ scopes: on ? [...draft.scopes, scope] : draft.scopes.filter((s) => s !== scope) });
  return (
    <Drawer
      open
      onClose={close}
      title={apiKey ? apiKey.name || apiKey.id : t("keys.addTitle")}
      description={apiKey ? apiKey.mask : t("keys.addHint")}
      footer={
        <>
          <Button onClick={close}>{t("action.cancel")}</Button>
          <Button look="primary" type="submit" form="api-key-form" busy={editor.busy}>
            {apiKey ? t("action.save") : t("keys.add")}
          </Button>
        </>
      }
    >
      <Form id="api-key-form" error={editor.error} onSubmit={editor.save} className="flex flex-col gap-5">
        <div className="flex flex-col gap-4">
          <Field label={t("field.name")} name="name">
            {(wiring) => <Input {...wiring} value={draft.name} onChange={(event) => set({ name: event.target.value })} />}
          </Field>
          <Field label={t("field.account")} name="account" hint={t("keys.accountHint")}>
            {(wiring) => (
              <>
                <Input {...wiring} list="accounts" disabled={apiKey !== undefined} value={draft.account} onChange={(event) => set({ account: event.target.value.trim() })} />
                <datalist id="accounts">
                  {known.map((id) => (
                    <option key={id} value={id} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
          <fieldset>
            <legend className="mb-1 text-xs font-medium text-ink-2">{t("keys.scopes")}</legend>
            {scopes.map((scope) => (
              <Checkbox
                key={scope}
                label={t(`scope.${scope}`)}
                hint={t(`scope.${scope}Hint`)}
                checked={draft.scopes.includes(scope)}
                onChange={(on) => toggle(scope, on)}
              />
            ))}
            <FieldProblem name="scopes" />
          </fieldset>
        </div>
        <KeyLimits editor={editor} />
        <KeyRules editor={editor} />
      </Form>
      {editor.dialogs}
    </Drawer>
  );
}

/** How much a key may ask, in all and for each of its users. */
function KeyLimits({ editor: { draft, set } }: { editor: Editor<KeyDraft> }) {
  const { t } = useI18n();
  const number = (label: PlainKey, name: string, value: number, onValue: (value: number) => void) => (
    <Field label={t(label)} name={name} hint={t("configs.zeroUnlimited")}>
      {(wiring) => <NumberInput {...wiring} min={0} max={1_000_000} value={value} onValue={onValue} />}
    </Field>
  );
  return (
    <Group title={t("field.limits")}>
      <div className="grid grid-cols-2 gap-3">
        {number("field.rate", "rate_per_minute", draft.ratePerMinute, (ratePerMinute) => set({ ratePerMinute }))}
        {number("field.concurrency", "concurrency", draft.concurrency, (concurrency) => set({ concurrency }))}
        {number("keys.userRate", "user_rate_per_minute", draft.userRatePerMinute, (userRatePerMinute) => set({ userRatePerMinute }))}
        {number("keys.userConcurrency", "user_concurrency", draft.userConcurrency, (userConcurrency) => set({ userConcurrency }))}
      </div>
    </Group>
  );
}

/** What a key is held to: the content filter, addresses and its end. */
function KeyRules({ editor: { draft, set } }: { editor: Editor<KeyDraft> }) {
  const { t } = useI18n();
  return (
    <Group title={t("keys.rules")}>
      <Field label={t("keys.cache")} name="cache_ttl_seconds" hint={t("keys.cacheHint")}>
        {(wiring) => <NumberInput {...wiring} min={0} max={2_592_000} value={draft.cacheTtlSeconds} onValue={(cacheTtlSeconds) => set({ cacheTtlSeconds })} />}
      </Field>
      {draft.cacheTtlSeconds > 0 && (
        <SwitchRow label={t("keys.cacheUnseeded")} hint={t("keys.cacheUnseededHint")} checked={draft.cacheUnseeded} onChange={(cacheUnseeded) => set({ cacheUnseeded })} />
      )}
      <Field label={t("keys.moderation")} name="moderation" hint={t("keys.moderationHint")}>
        {(wiring) => (
          <Select
            {...wiring}
            value={draft.moderation}
            onValue={(moderation) => set({ moderation })}
            options={moderations.map((value) => ({ value, label: t(`moderation.${value}`) }))}
          />
        )}
      </Field>
      <Field label={t("keys.allowIps")} name="allow_ips" hint={t("keys.allowIpsHint")}>
        {(wiring) => <ListArea {...wiring} rows={2} placeholder="203.0.113.0/24" value={draft.allowIps} onValue={(allowIps) => set({ allowIps })} className="font-mono text-xs!" />}
      </Field>
      <Field label={t("keys.expires")} name="expires_at" hint={t("keys.expiresHint")}>
        {(wiring) => (
          <Input
            {...wiring}
            type="datetime-local"
            value={localTime(draft.expiresAt)}
            onChange={(event) => set({ expiresAt: event.target.value === "" ? "" : new Date(event.target.value).toISOString() })}
          />
        )}
      </Field>
    </Group>
  );
}

const overlaps = [0, 3600, 86_400, 604_800, 2_592_000] as const;

/** Gives a key a new secret; the old one works on for a while. */
export function RotateDialog({ apiKey, onClose, onMade }: { apiKey: ApiKey; onClose: () => void; onMade: (made: KeySecret) => void }) {
  const { t } = useI18n();
  const [overlap, setOverlap] = useState("86400");
  const rotate = useAction({
    run: () => rotateKey(apiKey.id, Number(overlap), onceKey()),
    touches: [keyKeys.all],
    quiet: true,
    onDone: onMade,
  });
  const label = (seconds: number) =>
    seconds === 0 ? t("keys.overlapNone") : seconds < 86_400 ? t("keys.hours", { count: seconds / 3600 }) : t("keys.days", { count: seconds / 86_400 });
  return (
    <Modal
      open
      onClose={onClose}
      title={t("keys.rotate")}
      description={apiKey.name || apiKey.id}
      footer={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button look="primary" type="submit" form="rotate-form" busy={rotate.isPending}>
            {t("keys.rotate")}
          </Button>
        </>
      }
    >
      <Form id="rotate-form" error={rotate.error} onSubmit={() => rotate.mutate()}>
        <Field label={t("keys.overlapField")} name="overlap_seconds" hint={t("keys.overlapHint")}>
          {(wiring) => (
            <Select {...wiring} value={overlap} onValue={setOverlap} options={overlaps.map((seconds) => ({ value: String(seconds), label: label(seconds) }))} />
          )}
        </Field>
      </Form>
    </Modal>
  );
}

/** Ends a key at once. */
export function RevokeDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const { t } = useI18n();
  const revoke = useAction({ run: () => revokeKey(apiKey.id), touches: [keyKeys.all], done: t("keys.revoked"), quiet: true, onDone: onClose });
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("keys.revokeTitle", { name: apiKey.name || apiKey.id })}
      action={t("keys.revoke")}
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
    >
      <p>{t("keys.revokeText")}</p>
    </Confirm>
  );
}
