package lifecycle_test

import (
	"context"
	"fmt"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
)

// job is work that a vendor took: it will be billed.
type job struct {
	id, task, attempt string
	state             provider.State
	class             fault.Class
	files             int
	asked             int
}

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
	v.w.boundary("after submit")
	if class != "" {
		return provider.Answer{}, &fault.Failure{Class: class, Unknown: unknown, RetryAfter: time.Duration(v.w.rnd.IntN(9)) * time.Second}
	}
	if v.name == "sync" {
		j.state = provider.Succeeded
		return answer(j), nil
	}
	return provider.Answer{State: provider.Pending, Job: provider.Job{ID: j.id}}, nil
}

// note records that a submit arrives, and checks that it may.
func (v *vendor) note(c provider.Call) {
	if v.asked == nil {
		v.asked = map[string]int{}
	}
	if v.asked[c.Attempt]++; v.asked[c.Attempt] > 1 {
		v.w.broken = append(v.w.broken, fmt.Sprintf("attempt %s was sent to %s twice", c.Attempt, v.name))
	}
	for _, other := range v.w.vendors {
		for _, j := range other.jobs {
			if j.task == c.Task && j.attempt != c.Attempt && j.state != provider.Failed && !v.w.unusable[c.Task] {
				v.w.broken = append(v.w.broken, fmt.Sprintf("task %s was sent to %s while %s has its job %s in state %s", c.Task, v.name, other.name, j.id, j.state))
			}
		}
	}
}

// mood is how a submit goes: refused with a class, lost on the way with an
// unknown outcome, or taken.
func (v *vendor) mood() (class fault.Class, unknown, arrived bool) {
	switch n := v.w.rnd.IntN(100); {
	case n < 10:
		return fault.ClassRateLimited, false, true
	case n < 18:
		return fault.ClassUnavailable, false, true
	case n < 24:
		return fault.ClassConnect, false, false
	case n < 27:
		return fault.ClassModerated, false, true
	case n < 30:
		return fault.ClassAuth, false, true
	case n < 40:
		return fault.ClassTimeout, true, true // taken, and the answer was lost
	case n < 45:
		return fault.ClassTimeout, true, false // never taken, and nobody can tell
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
			j.state, j.class = provider.Failed, fault.ClassJobFailed
			if v.w.chance(0.2) {
				j.class = fault.ClassModerated
			}
		}
	}
}

func (v *vendor) Poll(_ context.Context, _ provider.Call, want provider.Job) (provider.Answer, error) {
	v.w.boundary("poll")
	j := v.jobs[want.ID]
	if j == nil || v.w.chance(0.1) {
		return provider.Answer{}, &fault.Failure{Class: fault.ClassUnavailable}
	}
	return answer(j), nil
}

func answer(j *job) provider.Answer {
	a := provider.Answer{State: j.state, Job: provider.Job{ID: j.id}, Progress: 0.5}
	switch j.state {
	case provider.Succeeded:
		if j.files == 0 {
			j.files = j.asked
		}
		for range j.files {
			a.Files = append(a.Files, provider.File{Data: []byte("x")})
		}
	case provider.Failed:
		a.Failure = &fault.Failure{Class: j.class}
	default:
	}
	return a
}

func (v *vendor) Cancel(_ context.Context, _ provider.Call, want provider.Job) error {
	v.w.boundary("cancel")
	if j := v.jobs[want.ID]; j != nil && j.state == provider.Running && v.w.chance(0.5) {
		j.state, j.class = provider.Failed, fault.ClassCanceled
	}
	return nil
}

func (v *vendor) Notice(context.Context, provider.Message) (provider.Notice, error) {
	return provider.Notice{}, nil
}

// Find makes the vendor with plain jobs searchable by attempt.
func (v *vendor) Find(_ context.Context, c provider.Call) (provider.Job, bool, error) {
	if v.name != "jobs" || v.w.chance(0.3) {
		return provider.Job{}, false, &fault.Failure{Class: fault.ClassUnavailable}
	}
	for _, id := range v.order {
		if v.jobs[id].attempt == c.Attempt {
			return provider.Job{ID: id}, true, nil
		}
	}
	return provider.Job{}, false, nil
}
