// Package notice tells the operator's own endpoint what happens to the deployment,
// such as that a config is left alone. A notice is signed, sent and tried again
// like the report of a task's end.
package notice

import (
	"encoding/json"
	"net/url"
	"time"

	"easel/shared/fault"
	"easel/shared/task"
)

// Setting is the name under which a deployment keeps its [Config].
const Setting = "notifications"

// Operator stands for the operator among the accounts whose endpoints and secrets
// [endpoint.Registry] knows. No account can have this id.
const Operator = "*operator"

// Config says where notices go. The zero value is nowhere.
type Config struct {
	// URL is the operator's endpoint; "" is none.
	URL string `json:"url"`
}

// Validate returns one InvalidInput error that names what is wrong.
func (c Config) Validate() error {
	var f fault.Fields
	u, err := url.Parse(c.URL)
	f.Check(c.URL == "" || err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"), "url", "must be an absolute URL, or empty")
	return f.Err()
}

// Notice is one thing to be told, and how far that is.
type Notice struct {
	ID string `json:"id"`
	// Type is a noun and what became of it, such as breaker.held.
	Type string          `json:"type"`
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
	// Delivery is how far it is; its NextAt is when it is due.
	Delivery task.Delivery `json:"delivery"`
	// Version counts the writes, from 1.
	Version int64 `json:"version"`
}

// State is pending, delivered or failed.
func (n Notice) State() string {
	switch {
	case !n.Delivery.DoneAt.IsZero():
		return "delivered"
	case n.Delivery.NextAt.IsZero():
		return "failed"
	default:
		return "pending"
	}
}

// body is what the endpoint gets.
type body struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}
