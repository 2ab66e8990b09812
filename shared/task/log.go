package task

import "log/slog"

// LogValue is what a log says about a task: which it is and how far. What was
// asked for and what came of it is its caller's.
func (t Task) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", t.ID), slog.String("account", t.Account), slog.String("kind", string(t.Kind)),
		slog.String("model", t.Model), slog.String("status", string(t.Status)), slog.Int("attempts", len(t.Attempts)),
		slog.Int("outputs", len(t.Outputs)), slog.Int64("version", t.Version), slog.Any("request", t.Request),
	)
}
