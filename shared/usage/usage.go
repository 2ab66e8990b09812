// Package usage is the record of what was done: one per ended task, from which
// the operator's statistics are made.
package usage

import (
	"time"

	"easel/shared/generation"
	"easel/shared/task"
)

// Record is one ended task as the usage log keeps it. It holds no prompt and no
// secret. Its ID is the task's, so a repeat is the same record.
type Record struct {
	ID        string           `json:"id"`
	Account   string           `json:"account"`
	KeyID     string           `json:"key_id,omitempty"`
	User      string           `json:"user,omitempty"`
	Kind      generation.Kind  `json:"kind"`
	Model     string           `json:"model"`
	Config    string           `json:"config,omitempty"`
	Provider  string           `json:"provider,omitempty"`
	Status    task.Status      `json:"status"`
	ErrorCode string           `json:"error_code,omitempty"`
	Credits   int64            `json:"credits"`
	Usage     generation.Usage `json:"usage"`
	LatencyMS int64            `json:"latency_ms"`
	Attempts  []task.Attempt   `json:"attempts,omitempty"`
	Loss      bool             `json:"loss,omitempty"`
	// Cached is true for a task that was answered from the cache.
	Cached     bool      `json:"cached,omitempty"`
	RequestID  string    `json:"request_id,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	FinishedAt time.Time `json:"finished_at"`
}

// Of returns the record of an ended task. The config and provider are those of
// the attempt that delivered, else of the last one; the usage is the sum over
// all attempts, because each of them may have cost money.
func Of(t task.Task) Record {
	r := Record{
		ID: t.ID, Account: t.Account, KeyID: t.KeyID, User: t.User, Kind: t.Kind, Model: t.Model,
		Status: t.Status, Credits: t.Charged, LatencyMS: t.FinishedAt.Sub(t.CreatedAt).Milliseconds(),
		Attempts: t.Attempts, Loss: t.Loss, Cached: t.Caching.From != "", RequestID: t.RequestID,
		CreatedAt: t.CreatedAt, FinishedAt: t.FinishedAt,
	}
	if t.Error != nil {
		r.ErrorCode = string(t.Error.Code)
	}
	for _, a := range t.Attempts {
		if r.Config == "" || a.Outcome == task.Delivered || !delivered(t) {
			r.Config, r.Provider = a.Config, a.Provider
		}
		r.Usage = Sum(r.Usage, a.Usage)
	}
	return r
}

// Sum adds two usages member by member.
func Sum(a, b generation.Usage) generation.Usage {
	return generation.Usage{
		Images: a.Images + b.Images, Seconds: a.Seconds + b.Seconds,
		InputTokens: a.InputTokens + b.InputTokens, OutputTokens: a.OutputTokens + b.OutputTokens,
		CostMicroUSD: a.CostMicroUSD + b.CostMicroUSD,
	}
}

func delivered(t task.Task) bool {
	for _, a := range t.Attempts {
		if a.Outcome == task.Delivered {
			return true
		}
	}
	return false
}
