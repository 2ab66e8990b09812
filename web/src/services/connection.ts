import { store } from "./store";

/** Whether the server can be reached, as the last call found. */
export const connection = store<"ok" | "lost">("ok");

const everyMs = 3000;
let timer: number | undefined;

/** Tells that a call reached the server. */
export function reached() {
  window.clearInterval(timer);
  timer = undefined;
  connection.set("ok");
}

/** Tells that a call did not reach the server; from then on it is tried until one does. */
export function unreached(ping: () => Promise<unknown>) {
  connection.set("lost");
  timer ??= window.setInterval(() => {
    void ping();
  }, everyMs);
}
