import type { Version } from "./http";

// What was being edited when a login expired, kept until its editor opens again. It lives as long as the tab.

const prefix = "easel.draft.";
const slot = (name: string) => prefix + name;

/** What is kept of an editor. */
export interface Kept<D> {
  draft: D;
  version: Version;
}

/** Keeps a draft under the name of what is edited. */
export function keepDraft<D>(name: string, kept: Kept<D>) {
  try {
    sessionStorage.setItem(slot(name), JSON.stringify(kept));
  } catch {
    // Without storage the draft is lost, as the session is.
  }
}

/** The draft that was kept, if any. It stays until it is dropped. */
export function keptDraft<D>(name: string): Kept<D> | undefined {
  try {
    const text = sessionStorage.getItem(slot(name));
    return text === null ? undefined : (JSON.parse(text) as Kept<D>);
  } catch {
    return undefined;
  }
}

/** Forgets a draft. */
export function dropDraft(name: string) {
  try {
    sessionStorage.removeItem(slot(name));
  } catch {
    // There is nothing to forget.
  }
}

/** Forgets every draft, when somebody logs out on purpose. */
export function dropDrafts() {
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(prefix)) sessionStorage.removeItem(name);
  } catch {
    // There is nothing to forget.
  }
}
