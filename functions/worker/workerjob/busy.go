package workerjob

import (
	"slices"
	"sync"

	"easel/shared/task"
)

// busy is what a process works on now. While a result is copied its task stays
// due, so that another process would find it if this one died; the messages that a
// sweep sends meanwhile would copy it again.
type busy struct {
	mu    sync.Mutex
	tasks map[string]int
}

// begin notes the tasks of a message and returns the message with those that are
// to be worked on, none if all of them are being worked on already; end must be
// called when they were. Only look-ups are left out: any other message says
// something new.
func (b *busy) begin(m task.Message) (left task.Message, ok bool, end func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := m.Tasks
	if len(ids) == 0 {
		ids = []string{m.Task}
	}
	if m.LooksOnly() {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return b.tasks[id] > 0 })
	}
	if len(ids) == 0 {
		return m, false, func() {}
	}
	if b.tasks == nil {
		b.tasks = map[string]int{}
	}
	for _, id := range ids {
		b.tasks[id]++
	}
	m.Task = ids[0]
	if len(m.Tasks) > 0 {
		m.Tasks = ids
	}
	return m, true, func() { b.end(ids) }
}

func (b *busy) end(ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if b.tasks[id]--; b.tasks[id] == 0 {
			delete(b.tasks, id)
		}
	}
}
