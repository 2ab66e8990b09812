/** A JSON object as it is on the wire. */
export type Json = Record<string, unknown>;

/** The object at a member, or an empty one. */
export function objectAt(json: Json, name: string): Json {
  const value = json[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** The text at a member, or "". */
export function textAt(json: Json, name: string): string {
  const value = json[name];
  return typeof value === "string" ? value : "";
}

/** The number at a member, or 0. */
export function numberAt(json: Json, name: string): number {
  const value = json[name];
  return typeof value === "number" ? value : 0;
}

/** The texts and numbers in the list at a member, as texts. */
export function textsAt(json: Json, name: string): string[] {
  const value = json[name];
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is string | number => typeof one === "string" || typeof one === "number").map(String);
}

/** The objects in the list at a member. */
export function objectsAt(json: Json, name: string): Json[] {
  const value = json[name];
  return Array.isArray(value) ? (value as Json[]) : [];
}

/** The object without some members. */
export function without(json: Json, ...names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !names.includes(name)));
}

/** Returns the object with the member at path changed; undefined removes it. Objects on the way are made, and nothing is changed in place. */
export function put(json: Json, path: readonly string[], value: unknown): Json {
  const [name, ...rest] = path;
  if (name === undefined) return json;
  const next = rest.length > 0 ? put(objectAt(json, name), rest, value) : value;
  if (next === undefined) return without(json, name);
  // The member keeps its place, so that a difference shows only what differs.
  return name in json ? Object.fromEntries(Object.entries(json).map(([key, old]) => [key, key === name ? next : old])) : { ...json, [name]: next };
}
