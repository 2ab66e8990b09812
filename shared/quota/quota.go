// Package quota knows the monthly limits: how many tasks of a model a user may
// have, and how many credits an account may spend. It says which limits a
// request counts against; that they hold is seen to by the write that begins the
// task, because only a condition of the store holds over all instances.
//
// Months are calendar months in UTC. A task counts in the month in which it
// began, whenever it ends. One that fails, expires or is canceled without a charge gives
// its count back in the write that ends it, so exactly once; one that cost less
// than its price gives the difference back. What is counted is what began while
// the limit was set.
package quota

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"easel/shared/catalog"
	"easel/shared/task"
)

// creditsCounter counts an account's credits.
const creditsCounter = "credits"

// tasksCounter counts one user's tasks of a model. The user is only there as a
// hash: names of people do not belong into keys. "" is a user like any other, so
// who names no users has one limit for all of them.
func tasksCounter(model, user string) string {
	sum := sha256.Sum256([]byte(user))
	return "tasks/" + model + "/" + hex.EncodeToString(sum[:16])
}

// MonthOf returns the calendar month of a moment, in UTC, such as "2026-11".
func MonthOf(at time.Time) string { return at.UTC().Format("2006-01") }

// ResetsAt returns when the month of a moment is over: the first of the next, 00:00 UTC.
func ResetsAt(at time.Time) time.Time {
	year, month, _ := at.UTC().Date()
	return time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
}

// ofModel returns the model's own limit for a user; ok is false when it has none.
func ofModel(m catalog.Model, user string, now time.Time) (q task.Quota, ok bool) {
	if m.MonthlyPerUser <= 0 {
		return q, false
	}
	return task.Quota{
		Counter: tasksCounter(m.Name, user), Month: MonthOf(now), Unit: task.QuotaTasks, Limit: int64(m.MonthlyPerUser),
	}, true
}

// ofAccount returns the account's limit of credits; ok is false when it has none.
func ofAccount(monthly int64, now time.Time) (q task.Quota, ok bool) {
	if monthly <= 0 {
		return q, false
	}
	return task.Quota{Counter: creditsCounter, Month: MonthOf(now), Unit: task.QuotaCredits, Limit: monthly}, true
}
