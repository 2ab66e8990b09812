import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft, Pencil, Plus, Scale } from "lucide-react";
import { useState } from "react";
import { onceKey, useAction } from "../components/action";
import { Button, buttonLook } from "../components/button";
import { cx } from "../components/cx";
import { Field, Form, Input, NumberInput } from "../components/field";
import { Filters, FilterSelect } from "../components/filter";
import { useFormat } from "../components/format";
import { Modal } from "../components/overlay";
import { Page } from "../components/page";
import { Empty, ErrorState, Loading } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago } from "../components/time";
import { useUnsaved } from "../components/unsaved";
import { lookUp, useI18n } from "../i18n";
import { accountKeys, accountQuery, accountWire, ledgerQuery, moveCredits, patchAccount, toAccount, type Account, type Entry } from "../services/accounts";
import { AccountPreferences } from "./account-preferences";
import { AccountWebhooks } from "./account-webhooks";
import { BalanceBar } from "./balance-bar";
import { useIsAdmin } from "./session";
import { useEditor } from "./use-editor";

const route = getRouteApi("/app/accounts/$id");
const reasons = ["hold", "settle", "release", "late", "grant", "adjust"] as const;

/** One account: its balance, its quota and every movement of its credits. */
export function AccountPage() {
  const { t } = useI18n();
  const { id } = route.useParams();
  const account = useQuery(accountQuery(id));
  return (
    <Page
      title={id}
      description={account.data?.name}
      above={
        <Link to="/accounts" className="mb-1 inline-flex items-center gap-1 rounded text-xs text-ink-3 hover:text-ink">
          <ArrowLeft aria-hidden className="size-3.5" />
          {t("nav.accounts")}
        </Link>
      }
      actions={account.data && <Actions account={account.data} />}
    >
      {account.isError ? (
        <div className="card">
          <ErrorState error={account.error} retry={() => void account.refetch()} />
        </div>
      ) : account.data === undefined ? (
        <div className="card">
          <Loading />
        </div>
      ) : (
        <>
          <Money account={account.data} />
          <AccountWebhooks account={id} />
        </>
      )}
      <Ledger id={id} />
    </Page>
  );
}

function Actions({ account }: { account: Account }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const [open, setOpen] = useState<"grants" | "adjustments" | "edit" | "preferences">();
  const close = () => setOpen(undefined);
  return (
    <>
      <Link to="/tasks" search={{ account: account.id }} className={buttonLook("ghost")}>
        {t("nav.tasks")}
      </Link>
      <Link to="/keys" search={{ account: account.id }} className={buttonLook("ghost")}>
        {t("nav.keys")}
      </Link>
      <Button look="ghost" onClick={() => setOpen("preferences")}>
        {t("preferences.title")}
      </Button>
      {admin && (
        <>
          <Button icon={<Pencil aria-hidden className="size-3.5" />} onClick={() => setOpen("edit")}>
            {t("action.edit")}
          </Button>
          <Button icon={<Scale aria-hidden className="size-3.5" />} onClick={() => setOpen("adjustments")}>
            {t("account.adjust")}
          </Button>
          <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setOpen("grants")}>
            {t("account.grant")}
          </Button>
        </>
      )}
      {(open === "grants" || open === "adjustments") && <MoveDialog account={account} move={open} onClose={close} />}
      {open === "preferences" && <AccountPreferences account={account.id} onClose={close} />}
      {open === "edit" && <EditDialog account={account} onClose={close} />}
    </>
  );
}

function Money({ account }: { account: Account }) {
  const { t } = useI18n();
  const format = useFormat();
  const { balance } = account;
  const figures = [
    { label: t("balance.available"), value: format.whole(balance.available), dot: "bg-good" },
    { label: t("balance.reserved"), value: format.whole(balance.reserved), dot: "bg-warn" },
    { label: t("balance.spent"), value: format.whole(balance.spent), dot: "bg-ink-3" },
    { label: t("balance.granted"), value: format.whole(balance.granted), dot: "" },
    {
      label: t("accounts.month"),
      value: account.monthlyQuota > 0 ? `${format.whole(account.chargedThisMonth)} / ${format.whole(account.monthlyQuota)}` : format.whole(account.chargedThisMonth),
      dot: "",
    },
  ];
  return (
    <section className="card flex flex-col gap-3 p-4">
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-5">
        {figures.map((figure) => (
          <div key={figure.label}>
            <dt className="flex items-center gap-1.5 text-xs text-ink-3">
              {figure.dot && <span aria-hidden className={cx("size-2 rounded-full", figure.dot)} />}
              {figure.label}
            </dt>
            <dd className="num text-lg font-semibold tracking-tight">{figure.value}</dd>
          </div>
        ))}
      </dl>
      <BalanceBar balance={balance} />
    </section>
  );
}

function Amount({ value }: { value: number }) {
  const format = useFormat();
  if (value === 0) return <span className="text-ink-3">·</span>;
  return <span className={value > 0 ? "text-good-ink" : "text-bad-ink"}>{value > 0 ? `+${format.whole(value)}` : format.whole(value)}</span>;
}

function Ledger({ id }: { id: string }) {
  const { t } = useI18n();
  const { reason } = route.useSearch();
  const navigate = route.useNavigate();
  const ledger = useInfiniteQuery(ledgerQuery(id, reason));
  const columns: Column<Entry>[] = [
    { header: t("audit.when"), cell: (e) => <Ago at={e.at} className="whitespace-nowrap text-ink-3" /> },
    { header: t("ledger.reason"), cell: (e) => <span className="font-medium">{lookUp(t, `ledger.${e.reason}`, e.reason)}</span> },
    {
      header: t("ledger.about"),
      cell: (e) =>
        e.task ? (
          <Link to="/tasks/$id" params={{ id: e.task }} className="font-mono text-xs hover:underline">
            {e.task}
          </Link>
        ) : (
          <span>
            {e.note || "–"} {e.by && <span className="text-xs text-ink-3">({e.by})</span>}
          </span>
        ),
    },
    { header: t("balance.available"), cell: (e) => <Amount value={e.delta.available} />, end: true },
    { header: t("balance.reserved"), cell: (e) => <Amount value={e.delta.reserved} />, end: true },
    { header: t("balance.spent"), cell: (e) => <Amount value={e.delta.spent} />, end: true },
    { header: t("balance.granted"), cell: (e) => <Amount value={e.delta.granted} />, end: true, from: "lg" },
  ];
  const set = (next: string | undefined) => void navigate({ search: { reason: next }, replace: true });
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="font-semibold">{t("account.ledger")}</h2>
        <Filters active={reason !== undefined} onClear={() => set(undefined)}>
          <FilterSelect label={t("ledger.all")} value={reason} onValue={set} options={reasons.map((value) => ({ value, label: t(`ledger.${value}`) }))} />
        </Filters>
      </div>
      <PagedTable label={t("account.ledger")} query={ledger} columns={columns} rowKey={(e) => `${e.id}-${e.at.getTime()}`} empty={<Empty title={t("account.noEntries")} />} />
    </>
  );
}

function MoveDialog({ account, move, onClose }: { account: Account; move: "grants" | "adjustments"; onClose: () => void }) {
  const { t } = useI18n();
  const format = useFormat();
  const [once] = useState(onceKey);
  const [amount, setAmount] = useState(move === "grants" ? 1000 : 0);
  const [note, setNote] = useState("");
  const { leave, release, question } = useUnsaved(note !== "");
  const run = useAction({
    run: () => moveCredits(account.id, move, amount, note.trim(), once),
    touches: [accountKeys.all],
    done: t("account.moved"),
    quiet: true,
    onDone: () => {
      release();
      onClose();
    },
  });
  const title = move === "grants" ? t("account.grant") : t("account.adjust");
  const close = () => leave(onClose);
  return (
    <Modal
      open
      onClose={close}
      title={title}
      description={account.id}
      footer={
        <>
          <Button onClick={close}>{t("action.cancel")}</Button>
          <Button
            look="primary"
            type="submit"
            form="move-form"
            busy={run.isPending}
            disabled={amount === 0 || (move === "adjustments" && note.trim() === "")}
          >
            {title}
          </Button>
        </>
      }
    >
      <Form id="move-form" error={run.error} onSubmit={() => run.mutate()} className="flex flex-col gap-4">
        <Field
          label={t("account.amount")}
          name="amount"
          hint={t("account.after", { credits: format.whole(account.balance.available + amount) })}
        >
          {(wiring) => <NumberInput {...wiring} {...(move === "grants" ? { min: 1 } : {})} value={amount} onValue={setAmount} />}
        </Field>
        <Field label={move === "grants" ? t("account.note") : t("account.reason")} name="note" hint={move === "adjustments" ? t("account.reasonHint") : undefined}>
          {(wiring) => <Input {...wiring} value={note} onChange={(event) => setNote(event.target.value)} />}
        </Field>
      </Form>
      {question}
    </Modal>
  );
}

function EditDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useI18n();
  const editor = useEditor({
    name: `account/${account.id}`,
    start: { name: account.name, monthlyQuota: account.monthlyQuota },
    version: account.version,
    send: (draft, version) => patchAccount(account.id, draft, Number(version)),
    current: (stale) => {
      const now = stale.current(accountWire.transform(toAccount));
      return now && { draft: { name: now.name, monthlyQuota: now.monthlyQuota }, version: now.version };
    },
    wire: (draft) => ({ name: draft.name, monthly_quota: draft.monthlyQuota }),
    touches: [accountKeys.all],
    done: t("account.saved"),
    onSaved: onClose,
  });
  const close = () => editor.leave(onClose);
  return (
    <Modal
      open
      onClose={close}
      title={t("action.edit")}
      description={account.id}
      footer={
        <>
          <Button onClick={close}>{t("action.cancel")}</Button>
          <Button look="primary" type="submit" form="account-edit" busy={editor.busy}>
            {t("action.save")}
          </Button>
        </>
      }
    >
      <Form id="account-edit" error={editor.error} onSubmit={editor.save} className="flex flex-col gap-4">
        <Field label={t("accounts.name")} name="name">
          {(wiring) => <Input {...wiring} value={editor.draft.name} onChange={(event) => editor.set({ name: event.target.value })} />}
        </Field>
        <Field label={t("accounts.quota")} name="monthly_quota" hint={t("configs.zeroUnlimited")}>
          {(wiring) => <NumberInput {...wiring} min={0} value={editor.draft.monthlyQuota} onValue={(monthlyQuota) => editor.set({ monthlyQuota })} />}
        </Field>
      </Form>
      {editor.dialogs}
    </Modal>
  );
}
