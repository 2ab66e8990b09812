// Package chaos holds tests that attack a whole gateway from outside: many
// callers at once, forged and repeated webhooks, providers that misbehave and
// leak. It has no code of its own. The random histories of the engine are in
// shared/lifecycle.
package chaos
