import { useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { useAction } from "../components/action";
import { Badge } from "../components/badge";
import { Button } from "../components/button";
import { useFormat } from "../components/format";
import { Card, Facts } from "../components/page";
import { ErrorState, Loading } from "../components/states";
import { Ago, At } from "../components/time";
import { useI18n } from "../i18n";
import { deliveryKeys } from "../services/deliveries";
import { enableEndpoint, rotateWebhookSecret, webhookKeys, webhooksQuery, type Webhooks } from "../services/webhooks";
import { RotateWebhookSecret } from "./secret-dialogs";
import { useIsAdmin } from "./session";

/** An account's webhooks: what signs them, and the endpoints that failed. */
export function AccountWebhooks({ account }: { account: string }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const webhooks = useQuery(webhooksQuery(account));
  const [rotating, setRotating] = useState(false);
  return (
    <Card
      title={t("hooks.title")}
      hint={t("hooks.hint")}
      actions={
        admin &&
        webhooks.data && (
          <Button icon={<RefreshCw aria-hidden className="size-3.5" />} onClick={() => setRotating(true)}>
            {webhooks.data.own ? t("hooks.rotate") : t("hooks.first")}
          </Button>
        )
      }
    >
      {webhooks.isError ? (
        <ErrorState error={webhooks.error} retry={() => void webhooks.refetch()} />
      ) : webhooks.data === undefined ? (
        <Loading />
      ) : (
        <Body webhooks={webhooks.data} />
      )}
      {rotating && webhooks.data && (
        <RotateWebhookSecret
          of={account}
          own={webhooks.data.own}
          run={async () => (await rotateWebhookSecret(account)).secret}
          touches={webhookKeys.all}
          onClose={() => setRotating(false)}
        />
      )}
    </Card>
  );
}

function Body({ webhooks }: { webhooks: Webhooks }) {
  const { t } = useI18n();
  const overlap = webhooks.previousUntil && webhooks.previousUntil > new Date() ? webhooks.previousUntil : undefined;
  return (
    <div className="flex flex-col gap-4">
      <Facts
        items={[
          [t("hooks.secret"), webhooks.own ? t("hooks.own") : t("hooks.deployments")],
          webhooks.own && webhooks.createdAt && [t("field.created"), <Ago key="c" at={webhooks.createdAt} />],
          overlap && [t("hooks.previous"), <At key="p" at={overlap} />],
        ]}
      />
      <div>
        <h3 className="mb-1.5 text-xs font-medium text-ink-2">{t("hooks.endpoints")}</h3>
        {webhooks.endpoints.length === 0 ? (
          <p className="text-ink-3">{t("hooks.allWell")}</p>
        ) : (
          <ul className="divide-y divide-line rounded-lg border border-line">
            {webhooks.endpoints.map((endpoint) => (
              <Endpoint key={endpoint.endpoint} account={webhooks.account} endpoint={endpoint} />
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

function Endpoint({ account, endpoint }: { account: string; endpoint: Webhooks["endpoints"][number] }) {
  const { t } = useI18n();
  const format = useFormat();
  const admin = useIsAdmin();
  const enable = useAction({
    run: () => enableEndpoint(account, endpoint.endpoint),
    touches: [webhookKeys.all, deliveryKeys.all],
    done: t("hooks.enabled"),
  });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
      {endpoint.disabledAt ? <Badge tone="bad">{t("hooks.disabled")}</Badge> : <Badge tone="warn">{t("hooks.failing")}</Badge>}
      <code className="min-w-0 font-mono text-xs break-all">{endpoint.endpoint}</code>
      <span className="text-xs text-ink-3">
        {t("hooks.failedTasks", { count: format.whole(endpoint.failed.length) })}
        {endpoint.disabledAt ? ` · ${format.relative(endpoint.disabledAt)}` : endpoint.lastFailedAt ? ` · ${format.relative(endpoint.lastFailedAt)}` : ""}
      </span>
      {admin && (
        <Button small className="ml-auto" busy={enable.isPending} onClick={() => enable.mutate()}>
          {endpoint.disabledAt ? t("hooks.enable") : t("hooks.forget")}
        </Button>
      )}
    </li>
  );
}
