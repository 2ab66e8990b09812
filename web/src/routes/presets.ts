import type { ConfigDraft, Kind } from "../services/configs";

/** A starting point for a config: fields that fit one service. */
export interface Preset {
  id: string;
  title: string;
  provider: string;
  kind: Kind;
  model: string;
  /** "" is the provider's usual address, as the server knows it. */
  baseUrl: string;
  timeoutSeconds: number;
  data: Record<string, unknown>;
}

const preset = (id: string, title: string, provider: string, kind: Kind, model: string, more: Partial<Preset> = {}): Preset => ({
  id,
  title,
  provider,
  kind,
  model,
  baseUrl: "",
  timeoutSeconds: kind === "video" ? 300 : kind === "image" ? 120 : 60,
  data: {},
  ...more,
});

/** The services that a config can start from. */
export const presets: readonly Preset[] = [
  preset("openai", "OpenAI Images", "openai", "image", "gpt-image-2"),
  preset("openai-text", "OpenAI Chat", "openai", "text", "gpt-5.5"),
  preset("stability", "Stability AI", "stability", "image", "stable-image-core"),
  preset("replicate", "Replicate FLUX", "replicate", "image", "black-forest-labs/flux-dev"),
  preset("replicate-video", "Replicate Video", "replicate", "video", "minimax/video-01"),
  preset("gemini", "Gemini Text", "gemini", "text", "gemini-3.8-flash"),
  preset("gemini-image", "Gemini Image", "gemini", "image", "gemini-nano-banana-2.1"),
  preset("runway", "Runway", "runway", "video", "gen4.5"),
  preset("fal", "Pika on fal", "fal", "video", "fal-ai/pika/v2.2/text-to-video"),
  preset("cloudflare", "Cloudflare AI Gateway", "cloudflare", "image", "", {
    baseUrl: "https://gateway.ai.cloudflare.com/v1/ACCOUNT/GATEWAY",
    data: { upstream: "openai" },
  }),
  preset("custom", "Custom HTTP API", "custom", "image", "", {
    baseUrl: "https://api.example.com",
    data: {
      submit: { method: "POST", path: "/generate", body: { prompt: "{{prompt}}" } },
      result: { url: "images[0].url" },
    },
  }),
];

/** A config's fields as a preset sets them. */
export function draftFrom(chosen: Preset, usualUrl: string, priority: number): ConfigDraft {
  return {
    name: chosen.title,
    kind: chosen.kind,
    provider: chosen.provider,
    priority,
    baseUrl: chosen.baseUrl || usualUrl,
    endpoint: "",
    model: chosen.model,
    maxRetries: 2,
    timeoutSeconds: chosen.timeoutSeconds,
    ratePerMinute: 0,
    concurrency: 0,
    weight: 100,
    active: true,
    default: false,
    data: chosen.data,
  };
}
