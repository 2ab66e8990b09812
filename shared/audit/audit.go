// Package audit is the trail of what operators did: who changed which object,
// from what to what. A [Change] carries its entry together with the writes it
// speaks of, so that a store makes both or neither.
package audit

import (
	"encoding/json"
	"time"
)

// Entry is one thing that somebody did. It never holds a secret: Before and After
// come from [View].
type Entry struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Actor Actor     `json:"actor"`
	// Action is a noun and a verb, such as config.update.
	Action string `json:"action"`
	Object Object `json:"object"`
	// Before and After are the object as it was and is; nil where there is none.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	// RequestID is the HTTP request that did it.
	RequestID string `json:"request_id,omitempty"`
}

// Actor is who did it.
type Actor struct {
	// Type is key, oidc or system.
	Type string `json:"type"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Role string `json:"role,omitempty"`
}

// Object is what it was done to.
type Object struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Filter narrows the trail; zero values do not. From is inclusive and To
// exclusive. Actor and Object are ids; Action is exact, or a prefix that ends in
// a dot.
type Filter struct {
	From, To              time.Time
	Actor, Action, Object string
}
