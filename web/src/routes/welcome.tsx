import { Link } from "@tanstack/react-router";
import { Mark } from "../components/logo";
import { Card, Page } from "../components/page";
import { useI18n } from "../i18n";
import { FirstSteps, useFirstSteps } from "./first-steps";
import { Snippets } from "./snippets";

/** The first run: from an empty deployment to the first picture. */
export function WelcomePage() {
  const { t } = useI18n();
  const finished = useFirstSteps().every((step) => step.done);
  return (
    <Page title={t("welcome.heading")} description={t("welcome.description")} above={<Mark className="mb-3 size-10" />}>
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <div className="flex flex-col gap-3">
          <FirstSteps />
          {finished && (
            <p className="text-ink-2">
              {t("welcome.finished")}{" "}
              <Link to="/" className="font-medium text-accent-ink underline underline-offset-2">
                {t("nav.overview")}
              </Link>
            </p>
          )}
        </div>
        <Card title={t("welcome.call")} hint={t("welcome.callHint")}>
          <Snippets body={{ model: "auto", prompt: t("welcome.prompt") }} />
        </Card>
      </div>
    </Page>
  );
}
