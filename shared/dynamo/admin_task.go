package dynamo

import (
	"context"
	"slices"
	"strings"
	"time"

	"easel/shared/generation"
	"easel/shared/stats"
	"easel/shared/task"
	"easel/shared/usage"
)

// maxOpen bounds the unfinished tasks that one list reads.
const maxOpen = 500

// OpenTasks returns the tasks that have something due, newest first: all that have
// not ended, and those that ended and are still watched or reported. It reads 500 at
// most, those that are due first, and says whether there are more.
//
// Access: eight Queries as of [Store.Due], then up to five BatchGetItem (0.5
// read units per 4 KB of each task).
func (s *Store) OpenTasks(ctx context.Context) (tasks []task.Task, more bool, err error) {
	ids, err := s.Due(ctx, time.Now().AddDate(1, 0, 0), maxOpen+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(ids) > maxOpen; more {
		ids = ids[:maxOpen]
	}
	tasks, err = s.TasksByID(ctx, ids)
	slices.SortFunc(tasks, newestFirst)
	return tasks, more, err
}

func newestFirst(a, b task.Task) int {
	return strings.Compare(place(b.CreatedAt, b.ID), place(a.CreatedAt, a.ID))
}

// UsageLog returns a page of the usage log that passes the filter, newest first
// by creation, and the cursor of the next page, "" when there is none. limit is 1
// to 100, 0 means 20. A page may hold fewer records than limit, even none, although
// more follow: it looks at 500 records at most.
//
// Access: up to five pages of [Store.Usage].
func (s *Store) UsageLog(ctx context.Context, f stats.UsageFilter, cursor string, limit int) ([]usage.Record, string, error) {
	limit = pageSize(limit)
	window := UsageFilter{Account: f.Account, From: f.From, To: f.To}
	if window.To.IsZero() {
		window.To = time.Now().Add(time.Minute) // clocks differ
	}
	plain := f
	plain.From, plain.To, plain.Account = time.Time{}, time.Time{}, ""
	size := maxPage
	if plain == (stats.UsageFilter{}) {
		size = limit
	}
	var found []usage.Record
	for range maxFilteredRow / maxPage {
		page, next, err := s.Usage(ctx, window, cursor, size)
		if err != nil {
			return nil, "", err
		}
		for n, r := range page {
			if !f.Matches(r) {
				continue
			}
			found = append(found, r)
			if len(found) == limit {
				if n+1 == len(page) {
					return found, next, nil
				}
				return found, sealCursor(place(r.CreatedAt, r.ID)), nil
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	return found, cursor, nil
}

// RecentTasks returns a page of the tasks of all accounts that pass the filter,
// newest first by creation, and the cursor of the next page, "" when there is
// none. limit is 1 to 100, 0 means 20. A page may hold fewer tasks than limit,
// even none, although more follow. Of the unfinished tasks it knows 500.
//
// Access: of one account, as [Store.TasksByAccount]. Of all, [Store.OpenTasks]
// and [Store.UsageLog], which lists what has ended, and one BatchGetItem.
func (s *Store) RecentTasks(ctx context.Context, f stats.TaskFilter, cursor string, limit int) ([]task.Task, string, error) {
	limit = pageSize(limit)
	if f.Account != "" {
		page, next, err := s.TasksByAccount(ctx, f.Account, TaskFilter{Status: f.Status, Kind: f.Kind}, cursor, limit)
		if len(page) > 0 && page[len(page)-1].CreatedAt.Before(f.From) {
			next = "" // all that follow are older still
		}
		return slices.DeleteFunc(page, func(t task.Task) bool { return !f.Matches(t) }), next, err
	}
	last, err := openCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	var open []task.Task
	if f.Status == "" || !f.Status.Terminal() {
		if open, _, err = s.OpenTasks(ctx); err != nil {
			return nil, "", err
		}
		open = slices.DeleteFunc(open, func(t task.Task) bool {
			return t.Status.Terminal() || !f.Matches(t) || last != "" && place(t.CreatedAt, t.ID) >= last
		})
	}
	var ended []task.Task
	next := ""
	if f.Status == "" || f.Status.Terminal() {
		if ended, next, err = s.endedTasks(ctx, f, cursor, limit); err != nil {
			return nil, "", err
		}
	}
	return mergeTasks(open, ended, next, limit)
}

func (s *Store) endedTasks(ctx context.Context, f stats.TaskFilter, cursor string, limit int) ([]task.Task, string, error) {
	records, next, err := s.UsageLog(ctx, stats.UsageFilter{
		From: f.From, To: f.To, Status: f.Status, Kind: f.Kind, Model: f.Model,
	}, cursor, limit)
	if err != nil {
		return nil, "", err
	}
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	tasks, err := s.TasksByID(ctx, ids)
	return tasks, next, err
}

// mergeTasks returns the newest of both lists. Where the ended ones go on, no
// open task that is older than the last place they looked at may come before it.
func mergeTasks(open, ended []task.Task, next string, limit int) ([]task.Task, string, error) {
	seen := map[string]bool{}
	for _, t := range ended {
		seen[t.ID] = true
	}
	floor, err := openCursor(next)
	if err != nil {
		return nil, "", err
	}
	merged := slices.Clone(ended)
	for _, t := range open {
		switch {
		case seen[t.ID]: // it ended between the two reads
		case floor != "" && place(t.CreatedAt, t.ID) < floor: // the next page's
		default:
			merged = append(merged, t)
		}
	}
	slices.SortFunc(merged, newestFirst)
	if len(merged) > limit {
		merged = merged[:limit]
		end := merged[limit-1]
		return merged, sealCursor(place(end.CreatedAt, end.ID)), nil
	}
	return merged, next, nil
}

// MonthCharges returns the credits that each account was charged in the calendar
// month (UTC), as far as its tasks are rolled up; accounts without any are absent.
//
// Access: one BatchGetItem per 33 accounts on ROLL#month#account#id; 0.5 read
// units per account and kind.
func (s *Store) MonthCharges(ctx context.Context, accounts []string, month time.Time) (map[string]int64, error) {
	keys := make([]item, 0, len(accounts)*len(generation.Kinds()))
	for _, account := range accounts {
		keys = append(keys, chargeKeys(account, month)...)
	}
	charged := map[string]int64{}
	for some := range slices.Chunk(keys, maxPage) {
		items, err := s.usageItems(ctx, some, false)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			charged[textOf(i, attrKey)] += numberOf(i, cellCredits)
		}
	}
	return charged, nil
}
