import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Ban, Ellipsis, Pencil, Plus, RefreshCw } from "lucide-react";
import { useState } from "react";
import { Badge, StatusBadge } from "../components/badge";
import { Button, IconButton } from "../components/button";
import { Filters, FilterText } from "../components/filter";
import { useFormat } from "../components/format";
import { Menu, MenuItem, MenuLine } from "../components/menu";
import { Page } from "../components/page";
import { Empty } from "../components/states";
import { PagedTable, type Column } from "../components/table";
import { Ago } from "../components/time";
import { lookUp, useI18n } from "../i18n";
import { keyQuery, keysQuery, type ApiKey, type KeySecret } from "../services/keys";
import { KeyEditor, RevokeDialog, RotateDialog } from "./api-key-dialogs";
import { SecretOnce } from "./secret-dialogs";
import { useIsAdmin } from "./session";

const route = getRouteApi("/app/keys");

type Open = { what: "rotate" | "revoke"; key: ApiKey } | { what: "secret"; made: KeySecret };

/** What callers and operators authenticate with. */
export function KeysPage() {
  const { t } = useI18n();
  const format = useFormat();
  const admin = useIsAdmin();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const keys = useInfiniteQuery(keysQuery(search.account));
  const edited = useQuery(keyQuery(search.edit ?? ""));
  const [open, setOpen] = useState<Open>();
  const set = (change: Partial<typeof search>) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const close = () => setOpen(undefined);
  const add = admin && (
    <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => set({ add: true })}>
      {t("keys.add")}
    </Button>
  );
  const columns: Column<ApiKey>[] = [
    {
      header: t("field.name"),
      cell: (key) => (
        <span className="flex flex-col max-sm:items-end">
          <span className="font-medium">{key.name || key.id}</span>
          <code className="font-mono text-xs text-ink-3">{key.mask}</code>
        </span>
      ),
    },
    { header: t("field.status"), cell: (key) => <StatusBadge status={key.status} /> },
    {
      header: t("field.account"),
      cell: (key) => (
        <Link to="/accounts/$id" params={{ id: key.account }} className="hover:underline">
          {key.account}
        </Link>
      ),
    },
    {
      header: t("keys.scopes"),
      cell: (key) => (
        <span className="inline-flex flex-wrap gap-1">
          {key.scopes.map((scope) => (
            <Badge key={scope} tone={scope === "admin" ? "warn" : "idle"}>
              {lookUp(t, `scope.${scope}`, scope)}
            </Badge>
          ))}
        </span>
      ),
    },
    { header: t("field.limits"), cell: (key) => <Limits apiKey={key} />, from: "xl" },
    {
      header: t("keys.expires"),
      cell: (key) =>
        key.previousUntil && key.previousUntil > new Date() ? (
          <Badge tone="info">{t("keys.overlap", { when: format.relative(key.previousUntil) })}</Badge>
        ) : key.expiresAt ? (
          <Ago at={key.expiresAt} />
        ) : (
          <span className="text-ink-3">{t("keys.never")}</span>
        ),
      from: "lg",
    },
    { header: t("field.created"), cell: (key) => <Ago at={key.createdAt} className="whitespace-nowrap text-ink-3" />, from: "xl" },
    {
      header: t("field.actions"),
      quiet: true,
      end: true,
      cell: (key) =>
        admin && key.status !== "revoked" ? (
          <Menu
            trigger={
              <IconButton label={t("keys.actionsOf", { name: key.name || key.id })}>
                <Ellipsis aria-hidden className="size-4" />
              </IconButton>
            }
          >
            <MenuItem icon={<Pencil />} onSelect={() => set({ edit: key.id })}>
              {t("action.edit")}
            </MenuItem>
            <MenuItem icon={<RefreshCw />} onSelect={() => setOpen({ what: "rotate", key })}>
              {t("keys.rotate")}
            </MenuItem>
            <MenuLine />
            <MenuItem danger icon={<Ban />} onSelect={() => setOpen({ what: "revoke", key })}>
              {t("keys.revoke")}
            </MenuItem>
          </Menu>
        ) : null,
    },
  ];
  return (
    <Page title={t("nav.keys")} description={t("keys.description")} actions={add}>
      <Filters active={search.account !== undefined} onClear={() => set({ account: undefined })}>
        <FilterText label={t("field.account")} value={search.account} onValue={(account) => set({ account })} />
      </Filters>
      <PagedTable
        label={t("nav.keys")}
        query={keys}
        columns={columns}
        rowKey={(key) => key.id}
        dim={(key) => key.status !== "active"}
        empty={<Empty title={t("keys.none")} hint={t("keys.noneHint")} action={add} />}
      />
      {search.add && admin && (
        <KeyEditor
          apiKey={undefined}
          account={search.account}
          onClose={() => set({ add: undefined })}
          onMade={(made) => {
            set({ add: undefined });
            setOpen({ what: "secret", made });
          }}
        />
      )}
      {edited.data && admin && (
        <KeyEditor key={edited.data.id} apiKey={edited.data} account={undefined} onClose={() => set({ edit: undefined })} onMade={close} />
      )}
      {open?.what === "rotate" && <RotateDialog apiKey={open.key} onClose={close} onMade={(made) => setOpen({ what: "secret", made })} />}
      {open?.what === "revoke" && <RevokeDialog apiKey={open.key} onClose={close} />}
      {open?.what === "secret" && <SecretOnce secret={open.made.secret} of={open.made.key.name || open.made.key.id} onClose={close} />}
    </Page>
  );
}

function Limits({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useI18n();
  const format = useFormat();
  const parts = [
    apiKey.ratePerMinute > 0 && t("configs.perMinute", { count: format.whole(apiKey.ratePerMinute) }),
    apiKey.userRatePerMinute > 0 && t("keys.perUserMinute", { count: format.whole(apiKey.userRatePerMinute) }),
    apiKey.userConcurrency > 0 && t("keys.perUserAtOnce", { count: format.whole(apiKey.userConcurrency) }),
    apiKey.concurrency > 0 && t("configs.atOnce", { count: format.whole(apiKey.concurrency) }),
    apiKey.allowIps.length > 0 && apiKey.allowIps.join(", "),
  ].filter(Boolean);
  return <span className="text-xs text-ink-2">{parts.length > 0 ? parts.join(" · ") : t("configs.unlimited")}</span>;
}
