import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useCallback, useDeferredValue, useEffect, useState } from "react";
import { KindLabel } from "../components/badge";
import { Button } from "../components/button";
import { Field, Form, Input, NumberInput, Segmented, Select, TextArea } from "../components/field";
import { useFormat } from "../components/format";
import { JsonEditor } from "../components/json";
import { Card, Page } from "../components/page";
import { Notice } from "../components/states";
import { useI18n } from "../i18n";
import { kinds, type Kind } from "../services/configs";
import { quoteQuery } from "../services/generate";
import { modelsQuery, type Model } from "../services/models";
import { FaultPanel } from "./fault-panel";
import { bodyOf, choices, emptyForm, type PlaygroundForm } from "./playground-form";
import { RoutePreview } from "./route-preview";
import { RunView } from "./run-view";
import { useSession } from "./session";
import { Snippets } from "./snippets";
import { useRun } from "./use-run";

const route = getRouteApi("/app/playground");
const usual: Record<Kind, string> = { image: "auto", video: "auto-video", text: "auto-text" };

/** Tries a generation as a caller would, and shows the attempts as they happen. */
export function PlaygroundPage() {
  const { t } = useI18n();
  const session = useSession();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const kind = search.kind ?? "image";
  const modelName = search.model ?? usual[kind];
  const models = useQuery(modelsQuery);
  const model = models.data?.find((m) => m.name === modelName);
  const [form, setForm] = useState<PlaygroundForm>({ ...emptyForm, prompt: t("playground.prompt") });
  const [valid, setValid] = useState(true);
  const onTask = useCallback((task: string) => void navigate({ search: (now) => ({ ...now, task }), replace: true }), [navigate]);
  const { run, picture, text, watch } = useRun(onTask);
  const [first] = useState(search.task);
  useEffect(() => {
    if (first) void watch(first);
  }, [first, watch]);

  const body = bodyOf(kind, modelName, form);
  const priced = useDeferredValue(body);
  const quote = useQuery(quoteQuery({ ...priced, kind }, session.canGenerate));
  const busy = run.state === "running";
  const start = () => void (kind === "text" ? text(body) : picture(body));
  const set = (change: Partial<PlaygroundForm>) => setForm((now) => ({ ...now, ...change }));

  return (
    <Page title={t("nav.playground")} description={t("playground.description")}>
      {!session.canGenerate && <Notice look="warn">{t("playground.noKey")}</Notice>}
      <div className="grid items-start gap-4 lg:grid-cols-[360px_minmax(0,1fr)]">
        <div className="flex flex-col gap-4">
          <Card>
            <Form onSubmit={() => !busy && valid && form.prompt.trim() !== "" && start()} error={run.task === undefined ? run.error : null} className="flex flex-col gap-4">
              <Segmented
                label={t("field.kind")}
                value={kind}
                onValue={(next) => void navigate({ search: { kind: next }, replace: true })}
                options={kinds.map((value) => ({ value, label: <KindLabel kind={value} /> }))}
              />
              <Field label={t("field.model")} name="model" hint={model?.notice}>
                {(wiring) => (
                  <Select
                    {...wiring}
                    value={modelName}
                    onValue={(next) => void navigate({ search: (now) => ({ ...now, kind, model: next }), replace: true })}
                    options={modelOptions(models.data, kind, modelName)}
                  />
                )}
              </Field>
              <Field label={t("field.prompt")} name="prompt">
                {(wiring) => (
                  <TextArea
                    {...wiring}
                    rows={4}
                    spellCheck
                    value={form.prompt}
                    onChange={(event) => set({ prompt: event.target.value })}
                    onKeyDown={(event) => {
                      if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit();
                    }}
                  />
                )}
              </Field>
              {kind === "text" ? <TextFields form={form} set={set} /> : <PictureFields kind={kind} model={model} form={form} set={set} />}
              <details className="group">
                <summary className="rounded text-xs font-medium text-ink-2">{t("playground.more")}</summary>
                <div className="flex flex-col gap-4 pt-3">
                  {kind !== "text" && <MoreFields form={form} set={set} />}
                  <JsonEditor
                    label={t("playground.options")}
                    name="options"
                    hint={t("playground.optionsHint")}
                    value={form.options}
                    onValue={(options) => set({ options })}
                    onValid={setValid}
                    rows={4}
                  />
                </div>
              </details>
              <div className="flex items-center justify-between gap-3">
                <Price credits={quote.data?.credits} problem={quote.error} />
                <Button
                  type="submit"
                  look="primary"
                  busy={busy}
                  disabled={!session.canGenerate || !valid || form.prompt.trim() === ""}
                  icon={<Play aria-hidden className="size-3.5" />}
                >
                  {t("playground.run")}
                </Button>
              </div>
            </Form>
          </Card>
          {session.canSimulate && <FaultPanel />}
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <RunView run={run} kind={kind} />
          {session.role === "admin" && run.state === "idle" && <RoutePreview kind={kind} model={modelName} />}
          <Card title={t("playground.code")} hint={t("playground.codeHint")}>
            <Snippets path={kind === "text" ? "api/prompt" : "api/generate"} body={body} />
          </Card>
        </div>
      </div>
    </Page>
  );
}

function modelOptions(models: readonly Model[] | undefined, kind: Kind, chosen: string) {
  const options = (models ?? [])
    .filter((model) => model.kind === kind && !model.hidden)
    .map((model) => ({ value: model.name, label: model.title ? `${model.name} · ${model.title}` : model.name }));
  return options.some((option) => option.value === chosen) ? options : [{ value: chosen, label: chosen }, ...options];
}

function Price({ credits, problem }: { credits: number | undefined; problem: Error | null }) {
  const { t } = useI18n();
  const format = useFormat();
  if (problem) return <span className="min-w-0 text-xs break-words text-ink-3">{problem.message}</span>;
  if (credits === undefined) return <span />;
  return <span className="num text-ink-2">{t("playground.costs", { credits: format.whole(credits) })}</span>;
}

interface FieldsProps {
  form: PlaygroundForm;
  set: (change: Partial<PlaygroundForm>) => void;
}

function PictureFields({ kind, model, form, set }: FieldsProps & { kind: Kind; model: Model | undefined }) {
  const { t } = useI18n();
  const any = { value: "", label: t("playground.any") };
  const sizes = choices(model, "sizes");
  const ratios = choices(model, "aspect_ratios");
  const durations = choices(model, "durations");
  const most = Number(model?.limits["max_n"] ?? 1);
  const listed = (values: string[]) => [any, ...values.map((value) => ({ value, label: value }))];
  return (
    <div className="grid grid-cols-2 gap-3">
      <Field label={t("playground.size")} name="size">
        {(wiring) =>
          sizes.length > 0 ? (
            <Select {...wiring} value={form.size} onValue={(size) => set({ size })} options={listed(sizes)} />
          ) : (
            <Input {...wiring} placeholder="1024x1024" value={form.size} onChange={(event) => set({ size: event.target.value.trim() })} />
          )
        }
      </Field>
      <Field label={t("playground.ratio")} name="aspect_ratio">
        {(wiring) => (
          <Select
            {...wiring}
            value={form.aspectRatio}
            onValue={(aspectRatio) => set({ aspectRatio })}
            options={listed(ratios.length > 0 ? ratios : ["1:1", "16:9", "9:16", "4:3", "3:4"])}
          />
        )}
      </Field>
      {kind === "image" && (
        <Field label={t("playground.n")} name="n">
          {(wiring) => <NumberInput {...wiring} min={1} max={Math.max(most, 1)} value={form.n} onValue={(n) => set({ n })} />}
        </Field>
      )}
      {kind === "video" && (
        <Field label={t("playground.duration")} name="duration">
          {(wiring) =>
            durations.length > 0 ? (
              <Select {...wiring} value={form.duration === 0 ? "" : String(form.duration)} onValue={(value) => set({ duration: Number(value) })} options={listed(durations)} />
            ) : (
              <NumberInput {...wiring} min={0} value={form.duration} onValue={(duration) => set({ duration })} />
            )
          }
        </Field>
      )}
      <Field label={t("playground.quality")} name="quality">
        {(wiring) => <Select {...wiring} value={form.quality} onValue={(quality) => set({ quality })} options={listed(["low", "medium", "high"])} />}
      </Field>
    </div>
  );
}

function MoreFields({ form, set }: FieldsProps) {
  const { t } = useI18n();
  return (
    <>
      <Field label={t("playground.negative")} name="negative_prompt">
        {(wiring) => <Input {...wiring} value={form.negativePrompt} onChange={(event) => set({ negativePrompt: event.target.value })} />}
      </Field>
      <Field label={t("playground.image")} name="image" hint={t("playground.imageHint")}>
        {(wiring) => <Input {...wiring} type="url" placeholder="https://" value={form.image} onChange={(event) => set({ image: event.target.value })} />}
      </Field>
      <Field label={t("playground.seed")} name="seed">
        {(wiring) => <Input {...wiring} inputMode="numeric" value={form.seed} onChange={(event) => set({ seed: event.target.value.replace(/\D/g, "").slice(0, 10) })} />}
      </Field>
    </>
  );
}

function TextFields({ form, set }: FieldsProps) {
  const { t } = useI18n();
  return (
    <>
      <Field label={t("playground.system")} name="system">
        {(wiring) => <TextArea {...wiring} rows={2} value={form.system} onChange={(event) => set({ system: event.target.value })} />}
      </Field>
      <Field label={t("playground.maxTokens")} name="max_tokens" hint={t("playground.zeroUsual")}>
        {(wiring) => <NumberInput {...wiring} min={0} value={form.maxTokens} onValue={(maxTokens) => set({ maxTokens })} />}
      </Field>
    </>
  );
}
