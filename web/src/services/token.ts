import { store } from "./store";

const slot = "easel.token";

function read(): string {
  try {
    return sessionStorage.getItem(slot) ?? "";
  } catch {
    return "";
  }
}

const token = store(read());

/** True after the server refused the token, until the next login. */
export const expired = store(false);

/** The token of this tab's session; "" when nobody is logged in. It lives in memory and in sessionStorage, never longer than the tab. */
export const currentToken = token.get;

/** Calls listener after each login and logout. */
export const onTokenChange = token.subscribe;

/** Starts or, with "", ends the session. */
export function setToken(value: string) {
  try {
    if (value === "") sessionStorage.removeItem(slot);
    else sessionStorage.setItem(slot, value);
  } catch {
    // Without storage the session lasts until the page is left.
  }
  if (value !== "") expired.set(false);
  token.set(value);
}

/** Ends the session because the server no longer accepts its token. */
export function expire() {
  if (token.get() === "") return;
  expired.set(true);
  setToken("");
}
