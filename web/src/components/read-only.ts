import { createContext, use } from "react";

/** True inside a form that shows, and lets nothing be changed. */
export const ReadOnly = createContext(false);

export const useReadOnly = () => use(ReadOnly);
