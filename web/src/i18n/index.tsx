import { createContext, use, useMemo, useSyncExternalStore, type ReactNode } from "react";
import { store } from "../services/store";
import { en } from "./en";
import { zh } from "./zh";

/** The languages of the console. */
export type Language = "en" | "zh";

/** The name of a text. */
export type Key = keyof typeof en;

/** Every text, in one language. */
export type Messages = Record<Key, string>;

/** The names between braces in a text, such as "count" in "{count} tasks". */
type Holes<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never;

type Values<K extends Key> =
  Holes<(typeof en)[K]> extends never ? [] : [values: Record<Holes<(typeof en)[K]>, string | number>];

/** The name of a text without holes. */
export type PlainKey = { [K in Key]: Holes<(typeof en)[K]> extends never ? K : never }[Key];

/** Returns a text in the user's language; its holes are named and required by the type. */
export type Translate = <K extends Key>(key: K, ...values: Values<K>) => string;

const messages: Record<Language, Messages> = { en, zh };
const slot = "easel.language";

function preferred(): Language {
  try {
    const kept = localStorage.getItem(slot);
    if (kept === "en" || kept === "zh") return kept;
  } catch {
    // Without storage the browser's language decides each time.
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

const language = store<Language>("en");

/** Changes the language, and remembers it. */
export function setLanguage(next: Language) {
  try {
    localStorage.setItem(slot, next);
  } catch {
    // It lasts until the page is left.
  }
  apply(next);
}

function apply(next: Language) {
  document.documentElement.lang = next === "zh" ? "zh-Hans" : "en";
  language.set(next);
}

/** Sets the language that the user chose before, or that the browser asks for. */
export function startLanguage() {
  apply(preferred());
}

/** Fills the holes of a text. */
export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => (name in values ? String(values[name]) : hole));
}

/** Returns the translator of a language. */
export function translator(of: Language): Translate {
  return (key, ...values) => fill(messages[of][key], values[0]);
}

interface I18n {
  language: Language;
  /** The BCP 47 tag that numbers and dates are written by. */
  locale: string;
  t: Translate;
}

const Context = createContext<I18n>({ language: "en", locale: "en", t: translator("en") });

/** Gives the language to everything below. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const current = useSyncExternalStore(language.subscribe, language.get);
  const value = useMemo(
    () => ({ language: current, locale: current === "zh" ? "zh-CN" : "en-GB", t: translator(current) }),
    [current],
  );
  return <Context value={value}>{children}</Context>;
}

/** The user's language and its texts. */
export const useI18n = () => use(Context);

/** Returns the text of a key that is built at run time, or the fallback when there is none. */
export function lookUp(t: Translate, key: string, fallback: string): string {
  return key in en ? (t as (key: string) => string)(key) : fallback;
}
