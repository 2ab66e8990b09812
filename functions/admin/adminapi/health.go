package adminapi

import (
	"context"
	"net/http"
	"time"

	"easel/shared/fault"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/stats"
	"easel/shared/task"
)

// Health knows how configs are, over all instances of the gateway.
type Health interface {
	// Health returns the state of each config by its id; those it knows nothing of
	// are absent.
	Health(ctx context.Context, configs []settings.Config) (map[string]ConfigHealth, error)
}

// The states of a config.
const (
	HealthHealthy  = "healthy"
	HealthDegraded = "degraded" // it failed lately
	HealthCooling  = "cooling"  // left alone until ReadyAt
	HealthDown     = "down"     // its breaker is open
	HealthInactive = "inactive" // switched off
	HealthUnknown  = "unknown"  // not called yet
)

// ConfigHealth is how one config is.
type ConfigHealth struct {
	ConfigID string    `json:"config_id"`
	State    string    `json:"state"`
	Since    time.Time `json:"since,omitzero"`
	// Breaker is closed, open or half_open.
	Breaker             string         `json:"breaker"`
	ReadyAt             time.Time      `json:"ready_at,omitzero"`
	ConsecutiveFailures int            `json:"consecutive_failures"`
	LastSuccessAt       time.Time      `json:"last_success_at,omitzero"`
	LastError           *LastError     `json:"last_error,omitempty"`
	Rate                *RateState     `json:"rate,omitempty"`
	Concurrency         *ConcurrentUse `json:"concurrency,omitempty"`
}

// LastError is the latest failed attempt at a config.
type LastError struct {
	Class   fault.Class `json:"class"`
	Message string      `json:"message,omitempty"`
	Detail  string      `json:"detail,omitempty"`
	Status  int         `json:"status,omitempty"`
	At      time.Time   `json:"at,omitzero"`
}

// RateState is how much of a config's rate is used in this minute.
type RateState struct {
	Limit     int       `json:"limit"`
	Used      int       `json:"used"`
	Remaining int       `json:"remaining"`
	ResetsAt  time.Time `json:"resets_at,omitzero"`
}

// ConcurrentUse is how many jobs run at a config.
type ConcurrentUse struct {
	Limit int `json:"limit"`
	InUse int `json:"in_use"`
}

const healthDepth = 24 * time.Hour

func (h *handler) health(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	configs, err := h.Store.Configs(r.Context())
	if err != nil {
		return err
	}
	byOrder(configs)
	known := map[string]ConfigHealth{}
	if h.Health != nil {
		if known, err = h.Health.Health(r.Context(), configs); err != nil {
			return err
		}
	}
	attempts, err := h.lastAttempts(r.Context())
	if err != nil {
		return err
	}
	views := make([]ConfigHealth, len(configs))
	for i, c := range configs {
		state, ok := known[c.ID]
		views[i] = healthOf(c, state, ok, attempts[c.ID])
	}
	return list(w, views)
}

// lastAttempts returns the attempts of the latest 100 records by config, the newest first.
func (h *handler) lastAttempts(ctx context.Context) (map[string][]task.Attempt, error) {
	records, _, err := h.Store.UsageLog(ctx, stats.UsageFilter{From: h.Now().Add(-healthDepth), To: h.Now().Add(time.Minute)}, "", storeLimit)
	if err != nil {
		return nil, err
	}
	attempts := map[string][]task.Attempt{}
	for _, record := range records {
		for i := len(record.Attempts) - 1; i >= 0; i-- {
			a := record.Attempts[i]
			attempts[a.Config] = append(attempts[a.Config], a)
		}
	}
	return attempts, nil
}

// healthOf completes what is known of a config with what its last attempts show.
func healthOf(c settings.Config, state ConfigHealth, known bool, attempts []task.Attempt) ConfigHealth {
	state.ConfigID = c.ID
	redactor := secret.NewRedactor()
	failures, counting := 0, true
	for _, a := range attempts {
		switch {
		case a.Outcome == task.Delivered:
			counting = false
			if state.LastSuccessAt.IsZero() {
				state.LastSuccessAt = a.EndedAt
			}
		case a.Class != "" && a.Class != fault.ClassModerated && a.Class != fault.ClassInvalidInput:
			if counting {
				failures++
			}
			if state.LastError == nil {
				state.LastError = &LastError{Class: a.Class, Message: a.Class.Public(), Detail: redactor.String(a.Detail), Status: a.Status, At: a.EndedAt}
			}
		}
	}
	if state.Breaker == "" {
		state.Breaker = "closed"
	}
	if !known {
		state.ConsecutiveFailures = failures
		state.State = HealthUnknown
		if len(attempts) > 0 {
			state.State = HealthHealthy
		}
		if failures > 0 {
			state.State = HealthDegraded
		}
	}
	if !c.Active {
		state.State = HealthInactive
	}
	return state
}
