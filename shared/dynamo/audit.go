package dynamo

import (
	"context"
	"slices"
	"strings"
	"time"

	"easel/shared/audit"
	"easel/shared/env"
)

const (
	attrActor  = "actor"
	attrObject = "object"
	// auditRows bounds the rows that one page of the trail reads per month.
	auditRows = 500
	// auditDepth is how far back the trail is read when nobody says.
	auditDepth = 400 * day
)

func auditMonth(at time.Time) string { return "AUDIT#" + at.UTC().Format("2006-01") }

// auditPart appends an entry to the trail. An entry of the same time and id is
// replaced, which only the writer of the first can do.
func (s *Store) auditPart(e audit.Entry) (part, error) {
	if e.ID == "" || e.At.IsZero() {
		return part{}, missingID("entry")
	}
	i := key(auditMonth(e.At), place(e.At, e.ID))
	if err := putDoc(i, "audit entry", e); err != nil {
		return part{}, err
	}
	i[attrActor], i[attrObject] = text(e.Actor.ID), text(e.Object.ID)
	return putPart(roleAudit, s.core(), i, "", nil, nil), nil
}

// Note writes an entry of the trail by itself, for acts that are no writes of
// this store. Writing it again with the same ID and At replaces it, so that what
// was meant can be completed by what came of it.
//
// Access: one PutItem on AUDIT#month; 1 write unit per KB.
func (s *Store) Note(ctx context.Context, e audit.Entry) error {
	p, err := s.auditPart(e)
	if err != nil {
		return err
	}
	_, err = s.put(ctx, p)
	return translate("write audit entry", err)
}

// Audit returns a page of the trail, newest first, and the cursor of the next
// page, "" when there is none. limit is 1 to 100, 0 means 20. A page may hold fewer
// entries than limit, even none, although more follow: it looks at 500 entries at
// most. A zero To is now, a zero From 400 days before To.
//
// Access: per month of the window, from the newest until the page is full, one
// Query on AUDIT#month; 0.5 read units per 4 KB.
func (s *Store) Audit(ctx context.Context, f audit.Filter, cursor string, limit int) ([]audit.Entry, string, error) {
	limit = pageSize(limit)
	if f.To.IsZero() {
		f.To = time.Now().Add(time.Minute) // clocks differ
	}
	if f.From.IsZero() {
		f.From = f.To.Add(-auditDepth)
	}
	last, err := openCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	month := firstOfMonth(f.To)
	if last != "" {
		at, err := time.Parse(sortable, last[:len(sortable)])
		if err != nil {
			return nil, "", badCursor()
		}
		month = firstOfMonth(earlier(f.To, at))
	}
	var entries []audit.Entry
	first := firstOfMonth(f.From)
	for ; !month.Before(first); month = month.AddDate(0, -1, 0) {
		more, next, err := s.auditOf(ctx, month, f, cursor, limit-len(entries))
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, more...)
		if next != "" {
			return entries, next, nil
		}
		if len(entries) == limit && month.After(first) {
			end := entries[limit-1]
			return entries, sealCursor(place(end.At, end.ID)), nil
		}
	}
	return entries, "", nil
}

// auditOf reads at most limit entries of one month; next is "" when it has no more.
func (s *Store) auditOf(ctx context.Context, month time.Time, f audit.Filter, cursor string, limit int) ([]audit.Entry, string, error) {
	page := list{
		table: s.core(), partition: env.PartitionKey, sort: env.SortKey, of: auditMonth(month),
		limit: auditRows, from: stamp(f.From), to: stamp(f.To),
	}
	page.filter(attrActor, f.Actor)
	page.filter(attrObject, f.Object)
	rows, next, err := s.list(ctx, page, cursor)
	if err != nil {
		return nil, "", err
	}
	var entries []audit.Entry
	for n, row := range rows {
		var e audit.Entry
		if err := getDoc(row, "audit entry", &e); err != nil {
			return nil, "", err
		}
		if !actionMatches(f.Action, e.Action) {
			continue
		}
		entries = append(entries, e)
		if len(entries) == limit && (n+1 < len(rows) || next != "") {
			return entries, sealCursor(textOf(row, env.SortKey)), nil
		}
	}
	return entries, next, nil
}

func actionMatches(want, have string) bool {
	return want == "" || want == have || strings.HasSuffix(want, ".") && strings.HasPrefix(have, want)
}

// firstRefused returns the lowest of the roles that were refused, so that one
// answer is given however many conditions did not hold.
func firstRefused(refused map[role]item) (role, bool) {
	roles := make([]role, 0, len(refused))
	for r := range refused {
		roles = append(roles, r)
	}
	if len(roles) == 0 {
		return 0, false
	}
	return slices.Min(roles), true
}
