import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight, CircleCheck, CircleDashed } from "lucide-react";
import { buttonLook } from "../components/button";
import { cx } from "../components/cx";
import { useI18n, type PlainKey } from "../i18n";
import { accountsQuery } from "../services/accounts";
import { configsQuery } from "../services/configs";
import { keysQuery } from "../services/keys";
import { tasksQuery } from "../services/tasks";

interface Step {
  title: PlainKey;
  hint: PlainKey;
  /** Undefined while it is not known. */
  done: boolean | undefined;
  go: { to: "/configs"; search: { add: string } } | { to: "/accounts" | "/keys"; search: { add: boolean } } | { to: "/playground"; search: object };
}

/** What stands between an empty deployment and its first picture, and how far it is. */
export function useFirstSteps(): Step[] {
  const configs = useQuery(configsQuery);
  const accounts = useInfiniteQuery(accountsQuery());
  const keys = useInfiniteQuery(keysQuery());
  const tasks = useInfiniteQuery(tasksQuery({}));
  return [
    {
      title: "welcome.config",
      hint: "welcome.configHint",
      done: configs.data?.some((c) => c.active && (c.keyMask !== "" || c.simulated)),
      go: { to: "/configs", search: { add: "openai" } },
    },
    {
      title: "welcome.account",
      hint: "welcome.accountHint",
      done: accounts.data?.pages.some((page) => page.items.some((a) => a.balance.granted > 0)),
      go: { to: "/accounts", search: { add: true } },
    },
    {
      title: "welcome.key",
      hint: "welcome.keyHint",
      done: keys.data?.pages.some((page) => page.items.some((k) => k.status === "active" && (k.scopes.includes("generate") || k.scopes.includes("act_as")))),
      go: { to: "/keys", search: { add: true } },
    },
    {
      title: "welcome.request",
      hint: "welcome.requestHint",
      done: tasks.data?.pages.some((page) => page.items.length > 0),
      go: { to: "/playground", search: {} },
    },
  ];
}

/** The steps as a list; in its compact form only while one of them is open. */
export function FirstSteps({ compact = false }: { compact?: boolean }) {
  const { t } = useI18n();
  const steps = useFirstSteps();
  const next = steps.findIndex((step) => step.done === false);
  if (compact && (next === -1 || steps.some((step) => step.done === undefined))) return null;
  return (
    <section aria-label={t("welcome.title")} className="card overflow-hidden">
      {compact && (
        <header className="flex items-center justify-between px-4 pt-3 pb-2">
          <h2 className="font-semibold">
            <Link to="/welcome" className="hover:underline">
              {t("welcome.title")}
            </Link>
          </h2>
          <span className="num text-xs text-ink-3">
            {steps.filter((step) => step.done).length} / {steps.length}
          </span>
        </header>
      )}
      <ol className={cx("grid gap-px bg-line", compact ? "border-t border-line sm:grid-cols-2 xl:grid-cols-4" : "grid-cols-1")}>
        {steps.map((step, i) => (
          <li key={step.title} className={cx("flex gap-3 bg-surface p-4", !compact && "items-center")}>
            {step.done ? (
              <CircleCheck aria-label={t("welcome.done")} className="mt-0.5 size-5 shrink-0 text-good" />
            ) : (
              <CircleDashed aria-label={t("welcome.open")} className="mt-0.5 size-5 shrink-0 text-ink-3" />
            )}
            <div className="min-w-0 flex-1">
              <div className={cx("font-medium", step.done && "text-ink-3")}>
                {i + 1}. {t(step.title)}
              </div>
              <p className="text-xs text-ink-3">{t(step.hint)}</p>
            </div>
            {!step.done && (
              <Link to={step.go.to} search={step.go.search} className={cx(buttonLook(i === next ? "primary" : "plain", true), "shrink-0 self-center")}>
                {t("welcome.go")}
                <ArrowRight aria-hidden className="size-3.5" />
              </Link>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
