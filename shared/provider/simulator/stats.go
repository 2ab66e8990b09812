package simulator

import (
	"slices"
	"sync"
	"time"
)

// maxSubmits bounds the submits remembered per vendor; the oldest are dropped.
const maxSubmits = 5000

// Submit is one accepted create: work that a real vendor would have billed.
type Submit struct {
	At       time.Time `json:"at"`
	Provider string    `json:"provider"`
	Model    string    `json:"model"`
	Prompt   string    `json:"prompt"`
	ID       string    `json:"id"`      // the job's or answer's id at the vendor
	Webhook  string    `json:"webhook"` // the callback address the caller gave, if any
	Fault    FaultName `json:"fault"`   // the fault that spoiled this call, if any
}

// Counts are the totals of one vendor since New.
type Counts struct {
	Calls             int64 `json:"calls"`              // every request
	Submits           int64 `json:"submits"`            // creates accepted
	Refusals          int64 `json:"refusals"`           // calls answered with an error
	WebhooksSent      int64 `json:"webhooks_sent"`      // deliveries tried
	WebhooksDelivered int64 `json:"webhooks_delivered"` // deliveries answered with 2xx
	WebhooksLost      int64 `json:"webhooks_lost"`      // withheld by a fault, or given up
}

// Stats is what one vendor did so far.
type Stats struct {
	Counts

	// Recent holds the latest accepted creates, oldest first, at most 5000.
	Recent []Submit
}

type vendorStats struct {
	counts  Counts
	submits []Submit
}

type statBook struct {
	mu      sync.Mutex
	vendors map[string]*vendorStats
}

func newStatBook() *statBook {
	b := &statBook{vendors: map[string]*vendorStats{}}
	for _, v := range Providers() {
		b.vendors[v] = &vendorStats{}
	}
	return b
}

// add changes the counts of a vendor under the lock.
func (b *statBook) add(vendor string, change func(*Counts)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.vendors[vendor]; v != nil {
		change(&v.counts)
	}
}

func (b *statBook) submitted(sub Submit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.vendors[sub.Provider]
	if v == nil {
		return
	}
	v.counts.Submits++
	if len(v.submits) == maxSubmits {
		v.submits = slices.Delete(v.submits, 0, maxSubmits/10)
	}
	v.submits = append(v.submits, sub)
}

func (b *statBook) read(vendor string) Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.vendors[vendor]
	if v == nil {
		return Stats{}
	}
	return Stats{Counts: v.counts, Recent: slices.Clone(v.submits)}
}
