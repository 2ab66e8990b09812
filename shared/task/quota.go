package task

// Quota is a monthly limit that a task counts against, frozen when it began.
type Quota struct {
	// Counter names what is counted among the account's counters of Month, a
	// calendar month (UTC) such as "2026-11".
	Counter string `json:"counter"`
	Month   string `json:"month"`
	// Unit says whether the task counts as itself or by its credits.
	Unit QuotaUnit `json:"unit"`
	// Limit is the most that the counter may reach by a new task.
	Limit int64 `json:"limit"`
	// Held is how much of the limit the task takes up now.
	Held int64 `json:"held"`
}

// QuotaUnit is what a monthly limit counts.
type QuotaUnit string

// The units of monthly limits.
const (
	QuotaTasks   QuotaUnit = "tasks"   // each task is 1
	QuotaCredits QuotaUnit = "credits" // the price while it is open, then what was charged
)

// Takes returns how much of a monthly limit the task takes up in the state that
// it is in. An open task takes all that it may come to. Ended, it takes what it
// was charged and, where tasks are counted, 1 if it succeeded or was charged:
// one that failed, expired or was canceled for nothing takes up nothing.
func (t *Task) Takes(u QuotaUnit) int64 {
	if u == QuotaCredits {
		if t.Status.Terminal() {
			return t.Charged
		}
		return t.Price
	}
	if t.Status.Terminal() && t.Status != Succeeded && t.Charged == 0 {
		return 0
	}
	return 1
}
