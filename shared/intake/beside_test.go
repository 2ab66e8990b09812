package intake_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"easel/shared/fault"
	"easel/shared/intake"
	"easel/shared/preference"
)

// preferred is an account that prefers a callback URL.
type preferred string

func (p preferred) Preferences(context.Context, string) (preference.Set, error) {
	return preference.Set{CallbackURL: string(p)}, nil
}

func TestWhatComesBesideRequestsIsChecked(t *testing.T) {
	t.Parallel()
	desk := &intake.Desk{Preferences: preferred("https://preferred.example"), CheckURL: func(raw string) error {
		if strings.Contains(raw, "bad") {
			return errors.New("is not reachable")
		}
		return nil
	}}
	for name, c := range map[string]struct {
		ticket intake.Ticket
		want   string
		wrong  []string
	}{
		"nothing":                {ticket: intake.Ticket{}, want: "https://preferred.example"},
		"no callback":            {ticket: intake.Ticket{Blank: []string{"callback_url"}}},
		"a callback":             {ticket: intake.Ticket{CallbackURL: "https://good.example"}, want: "https://good.example"},
		"a callback that is not": {ticket: intake.Ticket{CallbackURL: "https://bad.example"}, wrong: []string{"callback_url"}},
		"two wrong fields": {
			ticket: intake.Ticket{CallbackURL: "ftp://x", Metadata: map[string]string{"a": strings.Repeat("x", 600)}},
			wrong:  []string{"metadata.a", "callback_url"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := desk.CheckBeside(t.Context(), c.ticket)
			if len(c.wrong) == 0 {
				if err != nil || got.CallbackURL != c.want {
					t.Errorf("got %q, %v", got.CallbackURL, err)
				}
				return
			}
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Code != fault.InvalidInput || len(e.Fields) != len(c.wrong) {
				t.Fatalf("got %v", err)
			}
			for n, field := range e.Fields {
				if field.Name != c.wrong[n] {
					t.Errorf("wrong is %s, want %s", field.Name, c.wrong[n])
				}
			}
		})
	}
}
