package provider

import "log/slog"

// LogValue is what a log says about a call: where it goes and what for, without
// the key, the addresses that may hold one, and what people wrote.
func (c Call) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("task", c.Task), slog.String("attempt", c.Attempt), slog.String("model", c.Model), slog.Any("request", c.Request),
	)
}
