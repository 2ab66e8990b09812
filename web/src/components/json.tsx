import { useState } from "react";
import { useI18n } from "../i18n";
import { Button } from "./button";
import { CodeBlock } from "./copy";
import { Field, TextArea } from "./field";

/** Reads a text as a JSON object; otherwise says what is wrong and on which line. */
export function parseObject(text: string): { value: Record<string, unknown> } | { line: number | undefined; message: string } {
  if (text.trim() === "") return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { value: value as Record<string, unknown> };
    return { line: 1, message: "object" };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { line: lineOf(message, text), message };
  }
}

function lineOf(message: string, text: string): number | undefined {
  const line = /line (\d+)/.exec(message)?.[1];
  if (line) return Number(line);
  const position = /position (\d+)/.exec(message)?.[1];
  return position ? text.slice(0, Number(position)).split("\n").length : undefined;
}

const pretty = (value: unknown) => JSON.stringify(value, null, 2);

interface JsonEditorProps {
  label: string;
  name?: string;
  hint?: string;
  value: Record<string, unknown>;
  onValue: (value: Record<string, unknown>) => void;
  /** Tells whether the text is a JSON object, so that a form can refuse to be sent. */
  onValid: (valid: boolean) => void;
  rows?: number;
}

/** Edits a JSON object as text; only a text that can be read becomes the value. */
export function JsonEditor({ label, name, hint, value, onValue, onValid, rows = 8 }: JsonEditorProps) {
  const { t } = useI18n();
  const [text, setText] = useState(() => (Object.keys(value).length === 0 ? "{}" : pretty(value)));
  const read = parseObject(text);
  const wrong =
    "value" in read
      ? undefined
      : read.message === "object"
        ? t("json.object")
        : read.line
          ? t("json.line", { line: read.line, message: read.message })
          : read.message;
  const change = (next: string) => {
    setText(next);
    const result = parseObject(next);
    onValid("value" in result);
    if ("value" in result) onValue(result.value);
  };
  return (
    <Field label={label} {...(name ? { name } : {})} hint={hint} problem={wrong}>
      {(wiring) => (
        <div className="flex flex-col items-end gap-1">
          <TextArea
            {...wiring}
            rows={rows}
            spellCheck={false}
            value={text}
            onChange={(event) => change(event.target.value)}
            className="font-mono text-xs! leading-relaxed"
          />
          <Button small look="ghost" disabled={!("value" in read)} onClick={() => "value" in read && setText(pretty(read.value))}>
            {t("json.format")}
          </Button>
        </div>
      )}
    </Field>
  );
}

/** Shows a value as JSON. */
export function Json({ value, label }: { value: unknown; label: string }) {
  return <CodeBlock code={pretty(value)} label={label} />;
}
