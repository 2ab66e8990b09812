import type { Json } from "../services/json";
import type { ModelFacts } from "../services/models";

/** What the parts of a model's form are given. `set` writes a member of the wire form; undefined removes it. */
export interface ModelPart {
  facts: ModelFacts;
  wire: Json;
  set: (path: readonly string[], value: unknown) => void;
  admin: boolean;
}

/** A text, number or switch that is left out of the wire form when it says nothing. */
export const orNone = <T extends string | number | boolean>(value: T) => (value ? value : undefined);
