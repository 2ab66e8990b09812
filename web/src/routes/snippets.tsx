import { useState } from "react";
import { CodeBlock } from "../components/copy";
import { Segmented } from "../components/field";
import { useI18n } from "../i18n";
import { address } from "../services/http";
import { snippet, snippetLanguages, type CallPath, type SnippetLanguage } from "../services/snippets";

const names: Record<SnippetLanguage, string> = { curl: "curl", javascript: "JavaScript", python: "Python", go: "Go" };

/** A call to the gateway as programs make it, in four languages. */
export function Snippets({ path = "api/generate", body }: { path?: CallPath; body: Record<string, unknown> }) {
  const { t } = useI18n();
  const [language, setLanguage] = useState<SnippetLanguage>("curl");
  return (
    <div className="flex min-w-0 flex-col items-start gap-2">
      <Segmented
        label={t("snippet.language")}
        value={language}
        onValue={setLanguage}
        options={snippetLanguages.map((value) => ({ value, label: names[value] }))}
      />
      <CodeBlock code={snippet(language, address(""), path, body)} label={names[language]} className="w-full" />
    </div>
  );
}
