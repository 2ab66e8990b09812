import type { Kind } from "../services/configs";
import type { GenerateBody } from "../services/generate";
import type { Model } from "../services/models";

/** What the playground's form holds. Numbers are 0 and texts "" where nothing was given. */
export interface PlaygroundForm {
  prompt: string;
  negativePrompt: string;
  system: string;
  n: number;
  size: string;
  aspectRatio: string;
  quality: string;
  duration: number;
  seed: string;
  image: string;
  maxTokens: number;
  options: Record<string, unknown>;
}

export const emptyForm: PlaygroundForm = {
  prompt: "",
  negativePrompt: "",
  system: "",
  n: 1,
  size: "",
  aspectRatio: "",
  quality: "",
  duration: 0,
  seed: "",
  image: "",
  maxTokens: 0,
  options: {},
};

/** The request that a form stands for: only what was given, by its names on the wire. */
export function bodyOf(kind: Kind, model: string, form: PlaygroundForm): GenerateBody {
  const picture = {
    negative_prompt: form.negativePrompt.trim(),
    n: kind === "image" && form.n > 1 ? form.n : undefined,
    size: form.size,
    aspect_ratio: form.size === "" ? form.aspectRatio : "",
    quality: form.quality,
    duration: kind === "video" && form.duration > 0 ? form.duration : undefined,
    seed: form.seed === "" ? undefined : Number(form.seed),
    image: form.image.trim(),
  };
  const text = { system: form.system.trim(), max_tokens: form.maxTokens > 0 ? form.maxTokens : undefined };
  const members = {
    model,
    prompt: form.prompt.trim(),
    ...(kind === "text" ? text : picture),
    options: Object.keys(form.options).length > 0 ? form.options : undefined,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== ""));
}

/** The choices that a model's limits name, such as its sizes. */
export function choices(model: Model | undefined, limit: "sizes" | "aspect_ratios" | "durations"): string[] {
  const listed = model?.limits[limit];
  return Array.isArray(listed) ? listed.map(String) : [];
}
