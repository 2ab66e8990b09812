import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, Zap } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { FaultLabel } from "../components/badge";
import { Button } from "../components/button";
import { Field, Form, Input, Segmented } from "../components/field";
import { useFormat } from "../components/format";
import { Facts } from "../components/page";
import { Modal } from "../components/overlay";
import { describe, Notice } from "../components/states";
import { useI18n } from "../i18n";
import { testConfig, type Config, type TestInput, type TestResult } from "../services/configs";
import { Media } from "./media";

interface PanelProps {
  run: (input: TestInput, signal: AbortSignal) => Promise<TestResult>;
  kind: string;
}

/** Makes a real call with a config and shows what came of it. */
export function TestPanel({ run, kind }: PanelProps) {
  const { t } = useI18n();
  const [mode, setMode] = useState<TestInput["mode"]>("generate");
  const [prompt, setPrompt] = useState(() => (kind === "text" ? t("test.promptText") : t("test.promptPicture")));
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const test = useMutation({
    mutationFn: () => {
      abort.current?.abort();
      abort.current = new AbortController();
      return run(mode === "generate" ? { mode, prompt } : { mode }, abort.current.signal);
    },
  });
  return (
    <div className="flex flex-col gap-4">
      <Form error={test.error} onSubmit={() => test.mutate()} className="flex flex-col gap-3">
        <div className="flex flex-wrap items-end justify-between gap-3">
          <Segmented
            label={t("test.mode")}
            value={mode}
            onValue={setMode}
            options={[
              { value: "generate", label: t("test.generate") },
              { value: "probe", label: t("test.probe") },
            ]}
          />
          <Button type="submit" look="primary" busy={test.isPending} icon={<Zap aria-hidden className="size-3.5" />}>
            {t("test.run")}
          </Button>
        </div>
        <p className="text-xs text-ink-3">{mode === "generate" ? t("test.generateHint") : t("test.probeHint")}</p>
        {mode === "generate" && (
          <Field label={t("field.prompt")} name="prompt">
            {(wiring) => <Input {...wiring} value={prompt} onChange={(event) => setPrompt(event.target.value)} />}
          </Field>
        )}
      </Form>
      <div role="status" aria-live="polite">
        {test.isPending && <p className="text-ink-3">{t("test.running")}</p>}
        {test.data && <Result result={test.data} />}
      </div>
    </div>
  );
}

function Result({ result }: { result: TestResult }) {
  const { t } = useI18n();
  const format = useFormat();
  return (
    <div className="flex flex-col gap-3 rounded-lg border border-line p-3" data-testid="test-result">
      <div className="flex items-center gap-2 font-medium">
        {result.ok ? <CircleCheck aria-hidden className="size-5 text-good" /> : <CircleX aria-hidden className="size-5 text-bad" />}
        {result.ok ? t("test.passed") : t("test.failed")}
        <span className="num ml-auto text-xs text-ink-3">{format.duration(result.latencyMs)}</span>
      </div>
      {result.outputs.map((output) => (
        <Media key={output.url} url={output.url} contentType={output.contentType} alt={t("test.output")} className="max-h-80 rounded-lg" />
      ))}
      {result.text && <p className="rounded-md bg-sunken p-2 whitespace-pre-wrap">{result.text}</p>}
      <Facts
        items={[
          result.status > 0 && [t("test.status"), <span key="s" className="num">HTTP {result.status}</span>],
          result.class !== "" && [t("field.class"), <FaultLabel key="c" code={result.class} />],
          result.message !== "" && [t("field.message"), result.message],
          result.detail !== "" && [t("field.detail"), <span key="d" className="font-mono text-xs">{result.detail}</span>],
          result.model !== "" && [t("field.model"), result.model],
          result.costMicroUsd > 0 && [t("stat.cost"), format.usd(result.costMicroUsd)],
          result.requestId !== "" && [t("field.providerRequest"), <code key="r" className="font-mono text-xs">{result.requestId}</code>],
          result.models.length > 0 && [t("test.models"), result.models.slice(0, 12).join(", ") + (result.models.length > 12 ? " …" : "")],
        ]}
      />
    </div>
  );
}

/** Tests a stored config. */
export function TestDialog({ config, onClose }: { config: Config; onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Modal open onClose={onClose} title={t("test.title", { name: config.name })} description={t("test.hint")}>
      <TestPanel kind={config.kind} run={(input, signal) => testConfig(config.id, input, signal)} />
    </Modal>
  );
}

/** Says why a test cannot be run yet. */
export function TestBlocked({ error }: { error: Error }) {
  const { t } = useI18n();
  return <Notice look="bad">{describe(error, t)}</Notice>;
}
