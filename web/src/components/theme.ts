import { store } from "../services/store";

export const themes = ["system", "light", "dark"] as const;

/** The user's choice of colours. */
export type Theme = (typeof themes)[number];

const slot = "easel.theme"; // public/theme.js reads it before the first paint
const system = window.matchMedia("(prefers-color-scheme: dark)");

/** The theme that the user chose. */
export const theme = store<Theme>("system");

function paint() {
  const dark = theme.get() === "dark" || (theme.get() === "system" && system.matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

/** Changes the theme, and remembers it. */
export function setTheme(next: Theme) {
  try {
    localStorage.setItem(slot, next);
  } catch {
    // It lasts until the page is left.
  }
  theme.set(next);
}

/** Sets the remembered theme, and follows the system's where none is chosen. */
export function startTheme() {
  try {
    const kept = themes.find((name) => name === localStorage.getItem(slot));
    if (kept) theme.set(kept);
  } catch {
    // The system's theme it is.
  }
  paint();
  theme.subscribe(paint);
  system.addEventListener("change", paint);
}
