package generation

import "log/slog"

// LogValue is what a log says about a request: what kind of thing was asked for,
// and of what people wrote or sent only how long it is.
func (r Request) LogValue() slog.Value {
	said := 0
	for _, m := range r.Messages {
		said += len(m.Content)
	}
	return slog.GroupValue(
		slog.String("kind", string(r.Kind)), slog.String("model", r.Model),
		slog.Int("prompt_bytes", len(r.Prompt)), slog.Int("negative_prompt_bytes", len(r.NegativePrompt)),
		slog.Int("system_bytes", len(r.System)), slog.Int("messages", len(r.Messages)), slog.Int("message_bytes", said),
		slog.Int("image_bytes", len(r.Image)), slog.Int("mask_bytes", len(r.Mask)), slog.Int("loras", len(r.Loras)),
		slog.Int("options", len(r.Options)), slog.Int("n", r.Count()), slog.String("size", r.Size),
		slog.String("aspect_ratio", r.AspectRatio), slog.Int("duration", r.Duration),
	)
}

// LogValue is what a log says about a message: whose it is and how long.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("role", m.Role), slog.Int("content_bytes", len(m.Content)))
}
