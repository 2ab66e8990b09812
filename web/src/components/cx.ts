/** Joins class names; false and empty ones are left out. */
export const cx = (...names: (string | false | undefined | null)[]) => names.filter(Boolean).join(" ");
