package env

// MetricNamespace is the CloudWatch namespace of the gateway's own metrics.
const MetricNamespace = "Easel"

// The units of metrics, spelled as CloudWatch spells them.
const (
	Count        = "Count"
	Milliseconds = "Milliseconds"
	NoUnit       = "None"
)

// The dimensions of metrics. Every metric has [DimensionStage] first, so that two
// stages in one account stay apart.
const (
	DimensionStage     = "stage"
	DimensionFunction  = "function"
	DimensionOperation = "operation"
	DimensionKind      = "kind"
	DimensionProvider  = "provider"
	DimensionClass     = "class"
	DimensionOutcome   = "outcome"
	DimensionBreaker   = "breaker"
)

// The values of [DimensionOutcome].
const (
	// Of requests: answered below 400, below 500, and the rest.
	OutcomeOK          = "ok"
	OutcomeClientError = "client_error"
	OutcomeServerError = "server_error"
	// Of tasks, besides the ways they end without fault of ours.
	OutcomeSucceeded = "succeeded"
	OutcomeFailed    = "failed"
	OutcomeCanceled  = "canceled"
	OutcomeExpired   = "expired"
	// OutcomeRefused is a task that its caller's own input ended: moderated or invalid.
	OutcomeRefused = "refused"
	// Of webhooks from providers: the first good one for an attempt; one that told
	// nothing new; one that was forged, stale or unreadable; and one that had not come
	// two minutes after a poll brought the result of an attempt that was promised it.
	OutcomeReceived  = "received"
	OutcomeDuplicate = "duplicate"
	OutcomeRejected  = "rejected"
	OutcomeMissed    = "missed"
)

// The values of [DimensionOperation].
const (
	// OperationSubmit is accepting a task without waiting for it, OperationWait is a
	// request that waits for its task, OperationText is a text answer up to its
	// first byte, and OperationRead is everything that only reads.
	OperationSubmit = "submit"
	OperationWait   = "wait"
	OperationText   = "text"
	OperationRead   = "read"
)

// The names of the metrics; [Metrics] has their units and dimensions.
const (
	// MetricRequests counts answered HTTP requests.
	MetricRequests = "requests"
	// MetricLatency is the time to the answer; of a stream, to its first byte.
	MetricLatency = "latency"
	// MetricTasks counts tasks that ended.
	MetricTasks = "tasks"
	// MetricTaskDuration is the time from a task's acceptance to its end.
	MetricTaskDuration = "task_duration"
	// MetricAttempts counts calls of providers that ended, by their class; the class
	// of a good one is [ClassNone].
	MetricAttempts = "attempts"
	// MetricProviderFaults counts the attempts that failed by the provider's own
	// fault or ours, so not by a refused prompt or bad input.
	MetricProviderFaults = "provider_faults"
	// MetricFailovers counts tasks that went on to another config.
	MetricFailovers = "failovers"
	// MetricCredits sums the credits that were charged.
	MetricCredits = "credits"
	// MetricProviderCost sums what attempts cost us, in micro-USD.
	MetricProviderCost = "provider_cost"
	// MetricWebhookReceipts counts webhooks from providers.
	MetricWebhookReceipts = "webhook_receipts"
	// MetricWebhookLag is the time from a job's end to its webhook's receipt, where the
	// provider says when that was; else from the moment at which it says that it sent
	// the webhook, in whole seconds.
	MetricWebhookLag = "webhook_lag"
	// MetricQueueAge is how long a message waited before the worker had it, of those
	// that were sent without a delay.
	MetricQueueAge = "queue_age"
	// MetricBreakerState is 0 for a closed breaker, 1 for a half-open one, 2 for an open one.
	MetricBreakerState = "breaker_state"
	// MetricBreakerChanges counts what operators are told of breakers, once over all
	// functions: closed, open, held and half_open.
	MetricBreakerChanges = "breaker_changes"
	// MetricBreakersHeld is how many active configs are held at a tick: left alone
	// until an operator mends something, or a probe finds that it was mended.
	MetricBreakersHeld = "breakers_held"
	// MetricConfigFaults counts answers that need an operator: a key that was
	// refused, a provider's account without credit, a model that is gone.
	MetricConfigFaults = "config_faults"
	// MetricTicks counts finished runs of the worker's schedule.
	MetricTicks = "ticks"
	// MetricOverdue is how many tasks a tick found more than two minutes past their
	// deadline and still open, of the twenty that have been due the longest.
	MetricOverdue = "overdue_tasks"
	// MetricCreditDrift is how many credits are in the wrong place in the books of the
	// accounts that a check looked at, twenty every ten minutes. It is 0 unless
	// something is badly wrong.
	MetricCreditDrift = "credit_drift"
	// MetricLosses counts work that providers did, or are taken to have done, and that
	// nobody paid for; MetricLossCost sums what it cost us, in micro-USD, by what the
	// provider said or else by the price book.
	MetricLosses   = "losses"
	MetricLossCost = "loss_cost"
	// MetricModelFindings is how many models the daily check found that their vendors
	// do not list any more, or have announced to end.
	MetricModelFindings = "model_findings"
)

// ClassNone is the value of [DimensionClass] for an attempt without fault.
const ClassNone = "none"

// Metric is the definition of one metric as plain data. The functions publish
// by it and the stack's alarms and dashboard read by it, so that an alarm cannot
// watch something that nobody publishes.
type Metric struct {
	Name string
	// Unit is CloudWatch's word for what is measured.
	Unit string
	// Dimensions are the sets of names, besides [DimensionStage], under which each
	// value is published; an empty set is the stage alone.
	Dimensions [][]string
}

// Metrics returns the definition of every metric. Each combination of values is
// billed as a metric of its own, so no dimension may hold an id.
func Metrics() []Metric {
	total := []string{}
	only := func(names ...string) [][]string { return [][]string{names} }
	return []Metric{
		{MetricRequests, Count, only(DimensionFunction, DimensionOutcome)},
		{MetricLatency, Milliseconds, only(DimensionOperation)},
		{MetricTasks, Count, only(DimensionOutcome)},
		{MetricTaskDuration, Milliseconds, only(DimensionKind)},
		{MetricAttempts, Count, [][]string{total, {DimensionProvider, DimensionClass}}},
		{MetricProviderFaults, Count, [][]string{total}},
		{MetricFailovers, Count, [][]string{total}},
		{MetricCredits, Count, only(DimensionKind)},
		{MetricProviderCost, NoUnit, only(DimensionProvider)},
		{MetricWebhookReceipts, Count, only(DimensionOutcome)},
		{MetricWebhookLag, Milliseconds, only(DimensionProvider)},
		{MetricQueueAge, Milliseconds, [][]string{total}},
		{MetricBreakerState, NoUnit, [][]string{total, {DimensionProvider}}},
		{MetricBreakerChanges, Count, only(DimensionProvider, DimensionBreaker)},
		{MetricBreakersHeld, Count, [][]string{total}},
		{MetricConfigFaults, Count, [][]string{total}},
		{MetricTicks, Count, [][]string{total}},
		{MetricOverdue, Count, [][]string{total}},
		{MetricCreditDrift, NoUnit, [][]string{total}},
		{MetricLosses, Count, [][]string{total}},
		{MetricLossCost, NoUnit, [][]string{total}},
		{MetricModelFindings, Count, [][]string{total}},
	}
}
