package lifecycle_test

import (
	"context"
	"fmt"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/task"
)

// job is work that a vendor took: it will be billed.
type job struct {
	id, task, attempt string
	state             provider.State
	class             fault.Class
	// made is true once the files are, as many as files says of those asked for.
	made         bool
	files, asked int
}

// vendorNames are those of the world's vendors: one that answers at once, one with
// jobs that can be searched for, and one with jobs that reports by webhook.
func vendorNames() []string { return []string{"sync", "jobs", "hooks"} }

// vendor is a provider with a mind of its own. It remembers what it was asked
// and notes every breach of the promise that a submit is never sent twice.
type vendor struct {
	w     *world
	name  string
	jobs  map[string]*job // by id
	order []string
	// asked counts the submits that arrived, by attempt.
	asked map[string]int
}

func (v *vendor) Describe() provider.Description {
	return provider.Description{
		Name: v.name, Kinds: []generation.Kind{generation.Image}, Jobs: v.name != "sync", Webhooks: v.name == "hooks", Cancels: true,
		PollEvery: 2 * time.Second,
	}
}

func (v *vendor) Submit(_ context.Context, c provider.Call) (provider.Answer, error) {
	v.w.boundary("before submit")
	v.note(c)
	class, unknown, arrived := v.mood()
	var j *job
	if arrived && (class == "" || unknown) {
		j = v.take(c)
	}
	if class == fault.ClassModerated && !unknown {
		v.w.refused[c.Task] = true
	}
	v.w.boundary("after submit")
	switch {
	case class != "" && !unknown && v.w.chance(0.2):
		return provider.Answer{State: provider.Failed, Failure: &fault.Failure{Class: class}}, nil
	case class != "":
		return provider.Answer{}, &fault.Failure{Class: class, Unknown: unknown, RetryAfter: time.Duration(v.w.rnd.IntN(9)) * time.Second}
	case j.state == provider.Running && (v.name == "sync" || v.w.chance(0.1)): // a job may be done at once
		j.state = provider.Succeeded
		return v.answer(j), nil
	case v.w.fault(0.1, "vendor: unknown status"):
		return provider.Answer{State: "marinating", Job: provider.Job{ID: j.id}}, nil
	default:
		return provider.Answer{State: provider.Pending, Job: provider.Job{ID: j.id}}, nil
	}
}

// note records that a submit arrives, and checks that it may.
func (v *vendor) note(c provider.Call) {
	breach := func(format string, args ...any) { v.w.broken = append(v.w.broken, fmt.Sprintf(format, args...)) }
	if v.asked == nil {
		v.asked = map[string]int{}
	}
	if v.asked[c.Attempt]++; v.asked[c.Attempt] > 1 {
		breach("attempt %s was sent to %s twice", c.Attempt, v.name)
	}
	if v.w.refused[c.Task] {
		breach("task %s was sent to %s after a vendor had refused its content", c.Task, v.name)
	}
	now := v.w.store1(c.Task)
	if _, ok := now.Attempt(c.Attempt); !ok {
		breach("attempt %s was sent to %s and is not written down", c.Attempt, v.name)
	}
	if i, open := now.Open(); open && now.Attempts[i].ID != c.Attempt {
		breach("attempt %s was sent to %s while %s is open", c.Attempt, v.name, now.Attempts[i].ID)
	}
	for _, other := range v.w.vendors {
		for _, j := range other.jobs {
			if j.task == c.Task && j.attempt != c.Attempt && j.state != provider.Failed && !v.w.unusable[c.Task] {
				breach("task %s was sent to %s while %s has its job %s in state %s", c.Task, v.name, other.name, j.id, j.state)
			}
		}
	}
}

// mood is how a submit goes: refused with a class, lost on the way with an
// unknown outcome, or taken.
func (v *vendor) mood() (class fault.Class, unknown, arrived bool) {
	if v.w.calm {
		return "", false, true
	}
	refusals := [...]fault.Class{
		fault.ClassRateLimited, fault.ClassRateLimited, fault.ClassUnavailable, fault.ClassUnavailable, fault.ClassConnect, fault.ClassConnect,
		fault.ClassAuth, fault.ClassOutOfCredit, fault.ClassModelGone, fault.ClassUnsupported, fault.ClassModerated, fault.ClassInvalidInput,
	}
	switch n := v.w.rnd.IntN(100); {
	case n < 30:
		class = refusals[v.w.rnd.IntN(len(refusals))]
		v.w.tally.faults["vendor: refused as "+string(class)]++
		return class, false, class != fault.ClassConnect
	case n < 40:
		v.w.tally.faults["vendor: taken and the answer lost"]++
		return fault.ClassTimeout, true, true
	case n < 45:
		v.w.tally.faults["vendor: lost on the way and nobody can tell"]++
		return fault.ClassTimeout, true, false
	default:
		return "", false, true
	}
}

func (v *vendor) take(c provider.Call) *job {
	j := &job{
		id: fmt.Sprintf("%s-%d", v.name, len(v.jobs)+1), task: c.Task, attempt: c.Attempt,
		state: provider.Running, asked: c.Request.Count(),
	}
	v.jobs[j.id] = j
	v.order = append(v.order, j.id)
	return j
}

// work lets some of the vendor's jobs end.
func (v *vendor) work() {
	for _, id := range v.order {
		j := v.jobs[id]
		if j.state != provider.Running || v.name == "sync" || !v.w.chance(0.4) {
			continue
		}
		j.state = provider.Succeeded
		if v.w.chance(0.25) {
			v.fail(j, fault.ClassJobFailed)
			if v.w.chance(0.2) {
				v.fail(j, fault.ClassModerated)
				v.w.refused[j.task] = true
			}
		}
	}
}

func (v *vendor) fail(j *job, class fault.Class) {
	v.w.tally.faults["vendor: job ended as "+string(class)]++
	j.state, j.class = provider.Failed, class
}

func (v *vendor) Poll(_ context.Context, _ provider.Call, want provider.Job) (provider.Answer, error) {
	v.w.boundary("before poll")
	classes := [...]fault.Class{fault.ClassUnavailable, fault.ClassRateLimited, fault.ClassAuth, fault.ClassTimeout, fault.ClassConnect}
	j := v.jobs[want.ID]
	if j == nil || v.w.fault(0.1, "vendor: look-up failed") {
		class := classes[v.w.rnd.IntN(len(classes))]
		return provider.Answer{}, &fault.Failure{Class: class, Unknown: class == fault.ClassTimeout}
	}
	a := v.answer(j)
	v.w.boundary("after poll")
	if a.State == provider.Running && v.w.fault(0.05, "vendor: unknown status") {
		a.State = "marinating"
	}
	return a, nil
}

// answer is what the vendor says of a job now.
func (v *vendor) answer(j *job) provider.Answer {
	a := provider.Answer{State: j.state, Job: provider.Job{ID: j.id}, Progress: 0.5}
	switch j.state {
	case provider.Succeeded:
		v.deliver(j)
		for range j.files {
			a.Files = append(a.Files, provider.File{Data: []byte("x")})
		}
	case provider.Failed:
		a.Failure = &fault.Failure{Class: j.class}
	default:
	}
	return a
}

// deliver decides how many of the files the vendor hands out, and notes when.
func (v *vendor) deliver(j *job) {
	v.w.told[j.task] = true
	switch status := v.w.store1(j.task).Status; status {
	case task.Expired, task.Canceled:
		v.w.tally.faults["vendor: success after the task was "+string(status)]++
	default:
	}
	if j.made {
		return
	}
	j.made, j.files = true, j.asked
	if v.w.fault(0.05, "vendor: fewer files than asked for") {
		if j.files--; j.files == 0 {
			v.w.unusable[j.task] = true
		}
	}
}

func (v *vendor) Cancel(_ context.Context, _ provider.Call, want provider.Job) error {
	v.w.boundary("before cancel")
	j := v.jobs[want.ID]
	if j == nil || j.state != provider.Running {
		return nil
	}
	if v.w.fault(0.5, "vendor: cancel ignored") {
		return nil
	}
	v.fail(j, fault.ClassCanceled)
	v.w.boundary("after cancel")
	if v.w.fault(0.1, "vendor: cancel done and the answer lost") {
		return &fault.Failure{Class: fault.ClassTimeout, Unknown: true}
	}
	return nil
}

func (v *vendor) Notice(context.Context, provider.Message) (provider.Notice, error) {
	return provider.Notice{}, nil
}

// Find makes the vendor with plain jobs searchable by attempt.
func (v *vendor) Find(_ context.Context, c provider.Call) (provider.Job, bool, error) {
	v.w.boundary("before find")
	if v.name != "jobs" || v.w.fault(0.3, "vendor: search failed") {
		return provider.Job{}, false, &fault.Failure{Class: fault.ClassUnavailable}
	}
	for _, id := range v.order {
		if v.jobs[id].attempt == c.Attempt {
			return provider.Job{ID: id}, true, nil
		}
	}
	return provider.Job{}, false, nil
}
