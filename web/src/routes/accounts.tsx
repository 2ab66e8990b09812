import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { onceKey, useAction } from "../components/action";
import { Button } from "../components/button";
import { Field, Form, Input, NumberInput } from "../components/field";
import { Filters, FilterText } from "../components/filter";
import { useFormat } from "../components/format";
import { Modal } from "../components/overlay";
import { Page } from "../components/page";
import { Empty } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago } from "../components/time";
import { useUnsaved } from "../components/unsaved";
import { useI18n } from "../i18n";
import { accountKeys, accountsQuery, createAccount, type Account, type AccountDraft } from "../services/accounts";
import { BalanceBar } from "./balance-bar";
import { useIsAdmin } from "./session";

const route = getRouteApi("/app/accounts");

/** Who pays, and what they have left. */
export function AccountsPage() {
  const { t } = useI18n();
  const format = useFormat();
  const admin = useIsAdmin();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const accounts = useInfiniteQuery(accountsQuery(search.q));
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const add = admin && (
    <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => set({ add: true })}>
      {t("accounts.add")}
    </Button>
  );
  const columns: Column<Account>[] = [
    {
      header: t("field.account"),
      cell: (a) => (
        <span className="flex flex-col max-sm:items-end">
          <Link to="/accounts/$id" params={{ id: a.id }} className="font-medium hover:underline">
            {a.id}
          </Link>
          {a.name && <span className="text-xs text-ink-3">{a.name}</span>}
        </span>
      ),
    },
    { header: t("accounts.use"), cell: (a) => <BalanceBar balance={a.balance} className="h-1.5 w-40 rounded-full" />, from: "lg" },
    { header: t("balance.available"), cell: (a) => <span className="font-medium">{format.whole(a.balance.available)}</span>, end: true },
    { header: t("balance.reserved"), cell: (a) => format.whole(a.balance.reserved), end: true, from: "lg" },
    { header: t("balance.spent"), cell: (a) => format.whole(a.balance.spent), end: true },
    { header: t("balance.granted"), cell: (a) => format.whole(a.balance.granted), end: true, from: "xl" },
    {
      header: t("accounts.month"),
      cell: (a) => (a.monthlyQuota > 0 ? `${format.whole(a.chargedThisMonth)} / ${format.whole(a.monthlyQuota)}` : format.whole(a.chargedThisMonth)),
      end: true,
      from: "lg",
    },
    { header: t("field.created"), cell: (a) => <Ago at={a.createdAt} className="whitespace-nowrap text-ink-3" />, end: true, from: "xl" },
  ];
  return (
    <Page title={t("nav.accounts")} description={t("accounts.description")} actions={add}>
      <Filters active={search.q !== undefined} onClear={() => set({ q: undefined })}>
        <FilterText label={t("accounts.search")} value={search.q} onValue={(q) => set({ q })} />
      </Filters>
      <PagedTable
        label={t("nav.accounts")}
        query={accounts}
        columns={columns}
        rowKey={(a) => a.id}
        empty={<Empty title={search.q ? t("accounts.noneMatch") : t("accounts.none")} hint={search.q ? undefined : t("accounts.noneHint")} action={add} />}
      />
      {search.add && admin && (
        <AddDialog
          onClose={() => set({ add: undefined })}
          onAdded={(account) => void navigate({ to: "/accounts/$id", params: { id: account.id }, search: {} })}
        />
      )}
    </Page>
  );
}

function AddDialog({ onClose, onAdded }: { onClose: () => void; onAdded: (account: Account) => void }) {
  const { t } = useI18n();
  const [once] = useState(onceKey);
  const [draft, setDraft] = useState<AccountDraft>({ id: "", name: "", monthlyQuota: 0, grant: 1000 });
  const set = (change: Partial<AccountDraft>) => setDraft((now) => ({ ...now, ...change }));
  const { leave, release, question } = useUnsaved(draft.id !== "" || draft.name !== "");
  const create = useAction({
    run: () => createAccount({ ...draft, id: draft.id.trim() }, once),
    touches: [accountKeys.all],
    done: t("accounts.added"),
    quiet: true,
    onDone: (account) => {
      release();
      onAdded(account);
    },
  });
  const close = () => leave(onClose);
  return (
    <Modal
      open
      onClose={close}
      title={t("accounts.addTitle")}
      footer={
        <>
          <Button onClick={close}>{t("action.cancel")}</Button>
          <Button look="primary" type="submit" form="account-form" busy={create.isPending} disabled={draft.id.trim() === ""}>
            {t("accounts.add")}
          </Button>
        </>
      }
    >
      <Form id="account-form" error={create.error} onSubmit={() => create.mutate()} className="flex flex-col gap-4">
        <Field label={t("accounts.id")} name="id" hint={t("accounts.idHint")}>
          {(wiring) => <Input {...wiring} value={draft.id} onChange={(event) => set({ id: event.target.value })} />}
        </Field>
        <Field label={t("accounts.name")} name="name">
          {(wiring) => <Input {...wiring} value={draft.name} onChange={(event) => set({ name: event.target.value })} />}
        </Field>
        <div className="grid grid-cols-2 gap-3">
          <Field label={t("accounts.firstGrant")} name="grant">
            {(wiring) => <NumberInput {...wiring} min={0} value={draft.grant} onValue={(grant) => set({ grant })} />}
          </Field>
          <Field label={t("accounts.quota")} name="monthly_quota" hint={t("configs.zeroUnlimited")}>
            {(wiring) => <NumberInput {...wiring} min={0} value={draft.monthlyQuota} onValue={(monthlyQuota) => set({ monthlyQuota })} />}
          </Field>
        </div>
      </Form>
      {question}
    </Modal>
  );
}
