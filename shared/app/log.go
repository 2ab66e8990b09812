package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/secrets"
)

// Log is the log of a deployed function: JSON lines that carry the ids of what
// they are about, and no secret that the function has learnt.
type Log struct {
	*slog.Logger

	// Redactor learns each secret that the function reads.
	Redactor *secret.Redactor
	out      io.Writer
}

// NewLog returns a log that writes to out. Metrics go to out as well.
func NewLog(out io.Writer) *Log {
	redactor := secret.NewRedactor()
	return &Log{
		Logger:   slog.New(WithIDs(slog.NewJSONHandler(redactor.Writer(out), nil))),
		Redactor: redactor, out: out,
	}
}

// WithIDs returns a handler that adds to each line what its context is about and
// the line does not say itself: request_id of a request; task and attempt of a
// message on the queue.
func WithIDs(next slog.Handler) slog.Handler { return idHandler{next} }

type idHandler struct{ slog.Handler }

// Handle adds the ids and hands the line on.
func (h idHandler) Handle(ctx context.Context, record slog.Record) error {
	known := aboutOf(ctx)
	missing := make([]slog.Attr, 0, len(known)+1)
	if id := httpapi.RequestID(ctx); id != "" {
		known = append(known, slog.String("request_id", id))
	}
	for _, attr := range known {
		said := false
		record.Attrs(func(has slog.Attr) bool {
			said = has.Key == attr.Key
			return !said
		})
		if !said {
			missing = append(missing, attr)
		}
	}
	if len(missing) > 0 {
		record = record.Clone()
		record.AddAttrs(missing...)
	}
	if err := h.Handler.Handle(ctx, record); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

// WithAttrs returns a handler whose lines have the attributes too.
func (h idHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return idHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup returns a handler whose attributes are in the group.
func (h idHandler) WithGroup(name string) slog.Handler { return idHandler{h.Handler.WithGroup(name)} }

// learning is a store of secrets that teaches each of them to the log.
type learning struct {
	secrets.Store

	redactor *secret.Redactor
}

func (l learning) Get(ctx context.Context, name string) (secret.Value, error) {
	value, err := l.Store.Get(ctx, name)
	l.redactor.Add(value)
	return value, err
}

func (l learning) Put(ctx context.Context, name string, value secret.Value) error {
	l.redactor.Add(value)
	return l.Store.Put(ctx, name, value)
}
