import { lazy, Suspense, type FunctionComponent } from "react";
import { Loading } from "../components/states";
import { connection } from "../services/connection";
import { ping } from "../services/http";

const reloaded = "easel.reloaded";

/** Waits until the server can be reached again. */
const recovery = () =>
  new Promise<void>((resolve) => {
    const stop = connection.subscribe(() => {
      if (connection.get() !== "ok") return;
      stop();
      resolve();
    });
  });

/**
 * Loads a part of the console. While the server cannot be reached it waits and
 * tries again; a part that is gone, because a newer console was deployed, makes
 * the page load again, once.
 */
async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const part = await load();
      sessionStorage.removeItem(reloaded);
      return part;
    } catch (error) {
      if (await ping()) {
        if (sessionStorage.getItem(reloaded) !== null) throw error;
        sessionStorage.setItem(reloaded, "1");
        window.location.reload();
      }
      await recovery();
    }
  }
}

/** A screen that is loaded when it is first shown. */
export function lazyScreen<N extends string>(load: () => Promise<Record<N, FunctionComponent>>, name: N): FunctionComponent {
  const Screen = lazy(async () => {
    const part = await patiently(load);
    return { default: part[name] as FunctionComponent };
  });
  return function LazyScreen() {
    return (
      <Suspense fallback={<Loading rows={6} />}>
        <Screen />
      </Suspense>
    );
  };
}
