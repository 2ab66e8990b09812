import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { ArrowLeft, Ban, RotateCcw } from "lucide-react";
import { useEffect } from "react";
import { onceKey, useAction } from "../components/action";
import { Badge, FaultLabel, KindLabel, StatusBadge } from "../components/badge";
import { Button } from "../components/button";
import { Id } from "../components/copy";
import { useFormat } from "../components/format";
import { Json } from "../components/json";
import { Card, Facts, Page } from "../components/page";
import { ErrorState, Loading, Notice } from "../components/states";
import { Ago, At } from "../components/time";
import { lookUp, useI18n } from "../i18n";
import { followTask } from "../services/events";
import { cancelTask, isTerminal, retryTask, taskKeys, taskQuery, type TaskDetail } from "../services/tasks";
import { DeliveryFacts } from "./delivery-facts";
import { Media } from "./media";
import { useIsAdmin } from "./session";
import { Timeline } from "./timeline";

const route = getRouteApi("/app/tasks/$id");

/** Everything about one task: what came out, its attempts, its money and its reports. */
export function TaskPage() {
  const { t } = useI18n();
  const { id } = route.useParams();
  const client = useQueryClient();
  const task = useQuery({ ...taskQuery(id), refetchInterval: ({ state }) => (state.data && !isTerminal(state.data.status) ? 2000 : false) });
  const running = task.data !== undefined && !isTerminal(task.data.status);
  useEffect(() => {
    if (!running) return;
    const abort = new AbortController();
    const again = () => void client.invalidateQueries({ queryKey: taskKeys.one(id) });
    // A token that may not read the stream leaves the page to its polling.
    followTask(id, again, abort.signal).catch(() => undefined);
    return () => abort.abort();
  }, [id, running, client]);
  const back = (
    <Link to="/tasks" className="mb-1 inline-flex items-center gap-1 rounded text-xs text-ink-3 hover:text-ink">
      <ArrowLeft aria-hidden className="size-3.5" />
      {t("nav.tasks")}
    </Link>
  );
  if (task.isPending || task.isError) {
    return (
      <Page title={t("task.title")} above={back}>
        <div className="card">{task.isError ? <ErrorState error={task.error} retry={() => void task.refetch()} /> : <Loading rows={8} />}</div>
      </Page>
    );
  }
  return <Shown task={task.data} back={back} />;
}

function Shown({ task, back }: { task: TaskDetail; back: React.ReactNode }) {
  const { t } = useI18n();
  const format = useFormat();
  const prompt = task.prompt || t("task.title");
  return (
    <Page
      title={prompt.length > 90 ? `${prompt.slice(0, 90)}…` : prompt}
      above={back}
      badge={
        <>
          <StatusBadge status={task.status} />
          {task.loss && <Badge tone="warn">{t("task.loss")}</Badge>}
        </>
      }
      description={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <KindLabel kind={task.kind} />
          <span>{task.model}</span>
          <Ago at={task.createdAt} />
          {task.responseTimeMs > 0 && <span className="num">{format.duration(task.responseTimeMs)}</span>}
          <Id id={task.id} />
        </span>
      }
      actions={<Actions task={task} />}
    >
      {task.error && (
        <Notice look="bad">
          <FaultLabel code={task.error.code} className="font-medium" />
          <p className="break-words">{task.error.message}</p>
        </Notice>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="flex min-w-0 flex-col gap-4">
          <Outputs task={task} />
          <Card title={t("task.timeline")}>
            <Timeline task={task} />
          </Card>
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <Money task={task} />
          <Card title={t("task.webhook")}>
            {task.callbackUrl === "" ? <p className="text-ink-3">{t("task.noWebhook")}</p> : <DeliveryFacts url={task.callbackUrl} delivery={task.delivery} />}
          </Card>
          <About task={task} />
          <Card title={t("task.request")} hint={t("task.requestHint")}>
            <Json value={task.request} label={t("task.request")} />
          </Card>
        </div>
      </div>
    </Page>
  );
}

function Actions({ task }: { task: TaskDetail }) {
  const { t } = useI18n();
  const admin = useIsAdmin();
  const navigate = useNavigate();
  const cancel = useAction({ run: () => cancelTask(task.id), touches: [taskKeys.all], done: t("task.canceled") });
  const retry = useAction({
    run: () => retryTask(task.id, onceKey()),
    touches: [taskKeys.all],
    done: t("task.retried"),
    onDone: (next) => void navigate({ to: "/tasks/$id", params: { id: next.id } }),
  });
  if (!admin) return null;
  return (
    <>
      {!isTerminal(task.status) && (
        <Button look="danger" busy={cancel.isPending} icon={<Ban aria-hidden className="size-3.5" />} onClick={() => cancel.mutate()}>
          {t("task.cancel")}
        </Button>
      )}
      {isTerminal(task.status) && task.status !== "succeeded" && (
        <Button busy={retry.isPending} icon={<RotateCcw aria-hidden className="size-3.5" />} onClick={() => retry.mutate()}>
          {t("task.retry")}
        </Button>
      )}
    </>
  );
}

function Outputs({ task }: { task: TaskDetail }) {
  const { t } = useI18n();
  const format = useFormat();
  if (task.text) {
    return (
      <Card title={t("task.result")}>
        <div className="leading-relaxed whitespace-pre-wrap">{task.text}</div>
      </Card>
    );
  }
  if (task.outputs.length === 0) return null;
  return (
    <Card title={t("task.result")}>
      <ul className={task.outputs.length > 1 ? "grid gap-3 sm:grid-cols-2" : ""}>
        {task.outputs.map((output, i) => (
          <li key={output.sha256 || output.url}>
            <a href={output.url} target="_blank" rel="noreferrer" className="block">
              <Media
                url={output.url}
                contentType={output.contentType}
                alt={t("media.alt", { prompt: task.prompt, no: i + 1 })}
                className="max-h-[28rem] w-full rounded-lg border border-line"
              />
            </a>
            <p className="num mt-1.5 flex flex-wrap gap-x-3 text-xs text-ink-3">
              <span>{output.contentType}</span>
              {output.width > 0 && (
                <span>
                  {output.width} × {output.height}
                </span>
              )}
              {output.durationSeconds > 0 && <span>{output.durationSeconds.toFixed(1)} s</span>}
              <span>{format.bytes(output.bytes)}</span>
              {output.sha256 && (
                <span className="font-mono" title={output.sha256}>
                  sha256 {output.sha256.slice(0, 12)}…
                </span>
              )}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Money({ task }: { task: TaskDetail }) {
  const { t } = useI18n();
  const format = useFormat();
  return (
    <Card title={t("task.money")}>
      <Facts
        items={[
          [t("task.price"), <span key="p" className="num">{format.whole(task.price)}</span>],
          ...task.priceLines.map(
            (line, i) =>
              [
                <span key={i} className="pl-3 text-xs">
                  {line.what}
                </span>,
                <span key={i} className="num text-xs text-ink-3">
                  {format.whole(line.quantity)} × {format.whole(line.credits)}
                </span>,
              ] as const,
          ),
          [t("balance.reserved"), <span key="r" className="num">{format.whole(task.reserved)}</span>],
          [t("task.charged"), <span key="c" className="num font-semibold">{format.whole(task.charged)}</span>],
          [t("stat.cost"), <span key="u" className="num">{format.usd(task.usage.costMicroUsd)}</span>],
          [
            t("field.account"),
            <Link key="a" to="/accounts/$id" params={{ id: task.account }} className="font-medium hover:underline">
              {task.account}
            </Link>,
          ],
        ]}
      />
      {task.ledger.length > 0 && (
        <table className="mt-3 w-full border-t border-line text-xs">
          <caption className="sr-only">{t("account.ledger")}</caption>
          <thead className="text-left text-ink-3">
            <tr>
              <th className="py-1.5 font-medium">{t("ledger.reason")}</th>
              <th className="py-1.5 text-right font-medium">{t("balance.available")}</th>
              <th className="py-1.5 text-right font-medium">{t("balance.reserved")}</th>
              <th className="py-1.5 text-right font-medium">{t("balance.spent")}</th>
            </tr>
          </thead>
          <tbody>
            {task.ledger.map((entry) => (
              <tr key={entry.id} className="border-t border-line">
                <td className="py-1.5" title={format.dateTime(entry.at)}>
                  {lookUp(t, `ledger.${entry.reason}`, entry.reason)}
                </td>
                {[entry.delta.available, entry.delta.reserved, entry.delta.spent].map((amount, i) => (
                  <td key={i} className="py-1.5 text-right">
                    {amount > 0 ? `+${format.whole(amount)}` : amount === 0 ? "·" : format.whole(amount)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function About({ task }: { task: TaskDetail }) {
  const { t } = useI18n();
  return (
    <Card title={t("task.about")}>
      <Facts
        items={[
          [t("field.created"), <At key="c" at={task.createdAt} />],
          task.startedAt && [t("field.started"), <At key="s" at={task.startedAt} />],
          task.finishedAt && [t("field.finished"), <At key="f" at={task.finishedAt} />],
          task.expiresAt && [t("task.deadline"), <At key="d" at={task.expiresAt} />],
          task.lateUntil && [t("task.lateUntil"), <At key="l" at={task.lateUntil} />],
          task.keyId !== "" && [t("field.apiKey"), <Id key="k" id={task.keyId} />],
          task.user !== "" && [t("field.user"), task.user],
          task.requestId !== "" && [t("field.requestId"), <Id key="r" id={task.requestId} />],
          task.retryOf !== "" && [
            t("task.retryOf"),
            <Link key="o" to="/tasks/$id" params={{ id: task.retryOf }} className="font-mono text-xs hover:underline">
              {task.retryOf}
            </Link>,
          ],
          Object.keys(task.metadata).length > 0 && [t("field.metadata"), <code key="m" className="font-mono text-xs">{JSON.stringify(task.metadata)}</code>],
        ]}
      />
    </Card>
  );
}
