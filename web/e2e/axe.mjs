// Accessibility by axe. Its script is evaluated by the browser's own means, so it needs no leave of the page's policy.
import axe from "axe-core";

/** Returns the violations on the page as it stands. */
export async function violations(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => ({ impact: v.impact, rule: v.id, at: v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | "), why: v.nodes[0]?.any[0]?.message ?? "" }));
}
