package audit

import (
	"easel/shared/apikey"
	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/preference"
	"easel/shared/settings"
)

// MaxWrites is how many writes one change may hold.
const MaxWrites = 90

// Change is one operator's change: its writes and its entry in the trail, applied
// together or not at all. Every write names the version that it replaces; 0 means
// that there is nothing yet.
type Change struct {
	Entry    Entry
	Configs  []ConfigWrite
	Models   []ModelWrite
	Keys     []KeyWrite
	Accounts []AccountWrite
	Settings []SettingWrite
	// Preferences are what accounts prefer.
	Preferences []PreferenceWrite
	// Post, if set, moves an account's credits.
	Post *credits.Entry
}

// Writes counts the writes besides the entry.
func (c Change) Writes() int {
	return len(c.Configs) + len(c.Models) + len(c.Keys) + len(c.Accounts) + len(c.Settings) + len(c.Preferences)
}

// ConfigWrite puts or deletes a config. The stored version becomes Expect+1.
type ConfigWrite struct {
	Config settings.Config
	Expect int64
	Delete bool
}

// ModelWrite puts or deletes an operator's model. The stored version becomes Expect+1.
type ModelWrite struct {
	Model  catalog.Model
	Expect int64
	Delete bool
}

// KeyWrite puts an API key. The stored version becomes Expect+1.
type KeyWrite struct {
	Key    apikey.Key
	Expect int64
}

// AccountWrite creates an account without credits, or changes its name and
// quota. The stored version becomes Expect+1. It never changes the balance.
type AccountWrite struct {
	Account credits.Account
	Expect  int64
}

// SettingWrite puts a setting of the deployment. The stored version becomes Expect+1.
type SettingWrite struct {
	Setting settings.Setting
	Expect  int64
}

// PreferenceWrite puts what an account prefers. The stored version becomes Expect+1.
type PreferenceWrite struct {
	Account string
	Set     preference.Set
	Expect  int64
}

// Model is an operator's model as it is stored, with the number of its writes.
type Model struct {
	catalog.Model
	Version int64
}

// Account is an account as it is stored, with the number of the operator's
// changes. Movements of credits do not count.
type Account struct {
	credits.Account
	Version int64
}
