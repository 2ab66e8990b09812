import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Button } from "../components/button";
import { Field, Form, Input } from "../components/field";
import { Mark } from "../components/logo";
import { describe, Notice } from "../components/states";
import { setLanguage, useI18n } from "../i18n";
import { Problem } from "../services/problem";
import { loginOptionsQuery, redeemCode, whoIs, type LoginOptions } from "../services/session";
import { expired, setToken } from "../services/token";
import { pkcePair, randomText } from "../services/pkce";

const route = getRouteApi("/login");
const pending = "easel.oidc";

/** Takes a key that stands behind # in the address, as `easel serve` prints it, and removes it from there. */
export function takeTokenFromAddress() {
  const key = new URLSearchParams(window.location.hash.slice(1)).get("key");
  if (key === null) return;
  history.replaceState(history.state, "", window.location.pathname + window.location.search);
  setToken(key);
}

interface Pending {
  state: string;
  verifier: string;
  next: string;
}

const here = () => new URL("login", document.baseURI).toString();

/** Leaves for the issuer's page; it sends the browser back to this one with a code. */
async function leaveForIssuer(oidc: NonNullable<LoginOptions["oidc"]>, next: string) {
  const { verifier, challenge } = await pkcePair();
  const state = randomText();
  sessionStorage.setItem(pending, JSON.stringify({ state, verifier, next } satisfies Pending));
  const url = new URL(oidc.authorizationEndpoint);
  const parameters = {
    response_type: "code",
    client_id: oidc.clientId,
    redirect_uri: here(),
    scope: oidc.scope,
    state,
    code_challenge: challenge,
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  window.location.assign(url);
}

function takePending(): Pending | undefined {
  const kept = sessionStorage.getItem(pending);
  sessionStorage.removeItem(pending);
  return kept === null ? undefined : (JSON.parse(kept) as Pending);
}

/** Where one may be sent after the login: only to this console's own paths. */
const safe = (next: string | undefined) => (next?.startsWith("/") && !next.startsWith("//") ? next : "/");

/** Lets an operator in, by a key or through the deployment's issuer. */
export function LoginPage() {
  const { t, language } = useI18n();
  const search = route.useSearch();
  const router = useRouter();
  const options = useQuery(loginOptionsQuery);
  const wasExpired = useSyncExternalStore(expired.subscribe, expired.get);
  const [key, setKey] = useState("");
  const redeemed = useRef(false);

  useEffect(() => {
    document.title = `${t("login.title")} · Easel`;
  }, [t]);

  const enter = useMutation({
    mutationFn: async (token: string) => {
      await whoIs(token);
      return token;
    },
    onSuccess: (token) => {
      setToken(token);
      router.history.push(safe(search.next));
    },
  });

  const redeem = useMutation({
    mutationFn: async ({ code, state }: { code: string; state: string }) => {
      const kept = takePending();
      if (kept?.state !== state) throw new Error(t("login.stateMismatch"));
      const token = await redeemCode(code, kept.verifier, here());
      await whoIs(token); // a person in no operator's group has a good token too
      return { token, next: kept.next };
    },
    onSuccess: ({ token, next }) => {
      setToken(token);
      router.history.replace(safe(next));
    },
  });

  const { mutate: redeemNow } = redeem;
  useEffect(() => {
    if (redeemed.current || !search.code || !search.state) return;
    redeemed.current = true;
    redeemNow({ code: search.code, state: search.state });
  }, [search.code, search.state, redeemNow]);

  const failed = enter.error ?? redeem.error;
  const refused = failed instanceof Problem && (failed.status === 401 || failed.status === 403);
  const oidc = options.data?.oidc;
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-6 px-4 py-10">
      <div className="flex items-center gap-2.5">
        <Mark className="size-9" />
        <span className="text-2xl font-semibold tracking-tight">Easel</span>
      </div>
      <div className="card w-full max-w-sm p-6">
        <h1 className="text-base font-semibold">{t("login.title")}</h1>
        <p className="mt-1 mb-4 text-ink-3">{t("login.hint")}</p>
        {wasExpired && !failed && (
          <Notice look="warn" className="mb-4" role="status">
            {t("login.expired")}
          </Notice>
        )}
        {(failed ?? search.error) && (
          <Notice look="bad" className="mb-4" role="alert">
            {refused ? t(failed.status === 403 ? "login.notOperator" : "login.refused") : failed ? describe(failed, t) : t("login.issuerRefused")}
          </Notice>
        )}
        {oidc && (
          <>
            {oidc.authorizationEndpoint === "" && (
              <Notice look="warn" className="mb-4">
                {t("login.ssoDown")}
              </Notice>
            )}
            <Button look="primary" className="w-full" busy={redeem.isPending} disabled={oidc.authorizationEndpoint === ""} onClick={() => void leaveForIssuer(oidc, safe(search.next))}>
              {t("login.sso")}
            </Button>
            <div className="my-4 flex items-center gap-3 text-xs text-ink-3">
              <span className="h-px flex-1 bg-line" />
              {t("login.or")}
              <span className="h-px flex-1 bg-line" />
            </div>
          </>
        )}
        <Form onSubmit={() => key.trim() !== "" && enter.mutate(key.trim())} className="flex flex-col gap-3">
          <Field label={t("login.key")} hint={options.data?.local ? t("login.localHint") : undefined}>
            {(wiring) => (
              <Input
                {...wiring}
                type="password"
                name="key"
                autoComplete="current-password"
                placeholder="esl_…"
                value={key}
                onChange={(event) => setKey(event.target.value)}
              />
            )}
          </Field>
          <Button type="submit" look={oidc ? "plain" : "primary"} busy={enter.isPending} disabled={key.trim() === ""} className="w-full">
            {t("login.enter")}
          </Button>
        </Form>
      </div>
      <div className="flex items-center gap-3 text-xs text-ink-3">
        {options.data?.version && <span>{/^\d/.test(options.data.version) ? `v${options.data.version}` : options.data.version}</span>}
        <button
          type="button"
          lang={language === "en" ? "zh-Hans" : "en"}
          className="rounded underline underline-offset-2 hover:text-ink"
          onClick={() => setLanguage(language === "en" ? "zh" : "en")}
        >
          {language === "en" ? "中文" : "English"}
        </button>
      </div>
    </main>
  );
}
