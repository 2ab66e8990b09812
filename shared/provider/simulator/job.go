package simulator

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxJobs bounds the jobs remembered over all vendors; the oldest are dropped.
const maxJobs = 20000

// Job endings.
const (
	endSuccess   = "success"
	endFailure   = "failure"
	endModerated = "moderated"
)

// phase is where a job stands.
type phase int

const (
	phaseQueued phase = iota
	phaseRunning
	phaseSucceeded
	phaseFailed
	phaseCanceled
	phaseAborted // canceled before it started
)

func (p phase) terminal() bool { return p >= phaseSucceeded }

// job is one piece of asynchronous work at a vendor. Its course is fixed when
// it is made: only a cancel or a delete changes it, under the store's lock.
type job struct {
	ID       string    `json:"id"`
	Vendor   string    `json:"vendor"`
	API      string    `json:"api"` // which of the vendor's APIs made it
	Model    string    `json:"model"`
	Version  string    `json:"version,omitempty"`
	Prompt   string    `json:"prompt"`
	Input    inputs    `json:"input"`
	Base     string    `json:"base"` // public URL of the simulator at creation
	Created  time.Time `json:"created"`
	Start    time.Time `json:"start"` // when it leaves the queue
	Finish   time.Time `json:"finish"`
	Deadline time.Time `json:"deadline,omitzero"`
	Canceled time.Time `json:"canceled,omitzero"`
	Deleted  bool      `json:"deleted,omitempty"`
	End      string    `json:"end"`
	Works    []work    `json:"works"`
	Lifetime int64     `json:"lifetime"` // seconds the outputs live after Finish; 0 is forever

	Webhook  string   `json:"webhook,omitempty"`
	Events   []string `json:"events,omitempty"`
	Copies   int      `json:"copies"`   // how often each webhook is sent: 0, 1 or 3
	Notified bool     `json:"notified"` // the last webhook was delivered or given up

	Cost float64 `json:"cost"` // in the vendor's unit

	changed chan struct{} // closed by cancel
}

// at returns where the job stands at the moment now.
func (j *job) at(now time.Time) phase {
	if !j.Canceled.IsZero() {
		if j.Canceled.Before(j.Start) {
			return phaseAborted
		}
		return phaseCanceled
	}
	if !j.Deadline.IsZero() && j.Deadline.Before(j.Finish) && !now.Before(j.Deadline) {
		if j.Deadline.Before(j.Start) {
			return phaseAborted
		}
		return phaseCanceled
	}
	switch {
	case now.Before(j.Start):
		return phaseQueued
	case now.Before(j.Finish):
		return phaseRunning
	case j.End == endSuccess:
		return phaseSucceeded
	default:
		return phaseFailed
	}
}

// ended is when the job reached its last phase, or will.
func (j *job) ended() time.Time {
	if !j.Canceled.IsZero() {
		return j.Canceled
	}
	if !j.Deadline.IsZero() && j.Deadline.Before(j.Finish) {
		return j.Deadline
	}
	return j.Finish
}

// progress is the part of the work that is done, 0 to 1.
func (j *job) progress(now time.Time) float64 {
	whole := j.Finish.Sub(j.Start)
	if whole <= 0 || !now.Before(j.Finish) {
		return 1
	}
	return max(0, min(0.99, float64(now.Sub(j.Start))/float64(whole)))
}

// expired reports whether the outputs have been removed.
func (j *job) expired(now time.Time) bool {
	return j.Lifetime > 0 && !now.Before(j.ended().Add(time.Duration(j.Lifetime)*time.Second))
}

// plan fixes the course of a new job by the call's fault and the latency.
func (c *call) plan(j *job, e effort) {
	took := c.srv.latency(e)
	j.End, j.Copies = endSuccess, 1
	switch c.fault.Fault {
	case LateSuccess:
		took = c.fault.delay(10 * time.Minute)
	case JobFails:
		j.End = endFailure
	case Moderated:
		j.End = endModerated
	case LostWebhook:
		j.Copies = 0
	case DuplicateWebhook:
		j.Copies = 3
	case RateLimited, Unavailable, Auth, OutOfCredit, ServerError, Hang, ResetAfterAccept, Truncated, SlowBody:
		// Not about the job: the call itself is spoiled.
	}
	if refusable(j.Prompt) {
		j.End = endModerated
	}
	j.Vendor = c.vendor.name
	j.Base = c.srv.publicURL(c.r)
	j.Created = c.srv.opts.Now().UTC()
	j.Start = j.Created.Add(min(took/5, 2*time.Second))
	j.Finish = j.Created.Add(took)
}

// refusable reports whether a vendor's input filter refuses the prompt.
func refusable(prompt string) bool { return strings.Contains(strings.ToLower(prompt), "nsfw") }

// newID returns 26 random letters and digits, as Replicate's ids look.
func newID() string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(randomBytes(16)))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, by its contract
	return b
}

// jobStore remembers jobs, in memory and, when it has a folder, in a file of
// one JSON object per line whose last line for an id counts.
type jobStore struct {
	mu     sync.Mutex
	byID   map[string]*job
	order  []string
	file   *os.File
	logger *slog.Logger
}

func newJobStore(dir string, logger *slog.Logger) *jobStore {
	st := &jobStore{byID: map[string]*job{}, logger: logger}
	if dir == "" {
		return st
	}
	if err := st.open(filepath.Join(dir, "simulator-jobs.jsonl")); err != nil {
		logger.Warn("simulated jobs are kept in memory only", "error", err)
	}
	return st
}

func (st *jobStore) open(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := st.load(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return st.rewrite(path)
}

// rewrite leaves one line for each job in the file, and keeps it open for more.
func (st *jobStore) rewrite(path string) error {
	var lines bytes.Buffer
	for _, id := range st.order {
		line, err := json.Marshal(st.byID[id])
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(path+".new", lines.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return err
	}
	st.file = file
	return nil
}

func (st *jobStore) load(path string) error {
	file, err := os.Open(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxBody)
	for lines.Scan() {
		j := &job{changed: make(chan struct{})}
		if json.Unmarshal(lines.Bytes(), j) != nil || j.ID == "" {
			continue // the last line may be cut by a crash
		}
		st.remember(j)
	}
	return lines.Err()
}

// remember adds the job or replaces the one with its id. The lock is held.
func (st *jobStore) remember(j *job) {
	if _, known := st.byID[j.ID]; !known {
		st.order = append(st.order, j.ID)
	}
	st.byID[j.ID] = j
	if len(st.order) > maxJobs {
		for _, id := range st.order[:maxJobs/10] {
			delete(st.byID, id)
		}
		st.order = slices.Delete(st.order, 0, maxJobs/10)
	}
}

// save writes the job to the file. The lock is held.
func (st *jobStore) save(j *job) {
	if st.file == nil {
		return
	}
	line, err := json.Marshal(j)
	if err == nil {
		_, err = st.file.Write(append(line, '\n'))
	}
	if err != nil {
		st.logger.Warn("simulated job not saved", "job", j.ID, "error", err)
	}
}

func (st *jobStore) put(j *job) {
	st.mu.Lock()
	defer st.mu.Unlock()
	j.changed = make(chan struct{})
	st.remember(j)
	st.save(j)
}

// get returns a copy of the vendor's job.
func (st *jobStore) get(vendor, id string) (job, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	j := st.byID[id]
	if j == nil || j.Vendor != vendor || j.Deleted {
		return job{}, false
	}
	return *j, true
}

// list returns copies of the vendor's jobs, newest first.
func (st *jobStore) list(vendor string) []job {
	st.mu.Lock()
	defer st.mu.Unlock()
	var found []job
	for _, id := range slices.Backward(st.order) {
		if j := st.byID[id]; j.Vendor == vendor && !j.Deleted {
			found = append(found, *j)
		}
	}
	return found
}

// change alters the job under the lock and wakes whoever waits for it.
func (st *jobStore) change(id string, alter func(*job)) {
	st.mu.Lock()
	defer st.mu.Unlock()
	j := st.byID[id]
	if j == nil {
		return
	}
	was := j.Canceled.IsZero()
	alter(j)
	if was && !j.Canceled.IsZero() {
		close(j.changed)
	}
	st.save(j)
}

// cancel ends the job unless it has ended already.
func (st *jobStore) cancel(id string, now time.Time) {
	st.change(id, func(j *job) {
		if !j.at(now).terminal() {
			j.Canceled = now.UTC()
		}
	})
}

// pending returns copies of the jobs whose last webhook is not out yet.
func (st *jobStore) pending() []job {
	st.mu.Lock()
	defer st.mu.Unlock()
	var found []job
	for _, id := range st.order {
		if j := st.byID[id]; j.Webhook != "" && !j.Notified {
			found = append(found, *j)
		}
	}
	return found
}

func (st *jobStore) close() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.file != nil {
		_ = st.file.Close()
		st.file = nil
	}
}
