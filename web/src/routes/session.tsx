import { createContext, use } from "react";
import type { Session } from "../services/session";

/** Gives the session to the screens. */
export const SessionContext = createContext<Session | undefined>(undefined);

/** Who is logged in. Only for screens below the app's layout. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === undefined) throw new Error("useSession is used outside the app's layout");
  return session;
}

/** Whether the user may change things. */
export const useIsAdmin = () => useSession().role === "admin";
