package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/health"
	"easel/shared/journal"
	"easel/shared/notice"
)

var _ notice.Store = (*Store)(nil)

// Notices are NOTICES/id; their ids are in order of time. Those with something due
// have a second item, NOTICES#due/id, so that finding them costs the same however
// many there were.
const (
	noticePartition = "NOTICES"
	noticesDue      = "NOTICES#due"
	noticeTTL       = 30 * day
	roleNotice      = role(3000)
)

// noticeOf is the notice of an event.
func noticeOf(e health.Event) notice.Notice {
	n := notice.Notice{ID: e.ID, Type: e.Type(), At: e.At.UTC(), Data: e.Data()}
	n.Delivery.NextAt = n.At
	return n
}

// noticeParts write the notice as the version after its own, if that is the next
// one, and what says when it is due.
func (s *Store) noticeParts(n notice.Notice, write string) ([]part, error) {
	if n.ID == "" {
		return nil, missingID("id")
	}
	n.Version++
	i := key(noticePartition, n.ID)
	if err := putDoc(i, "notice", n); err != nil {
		return nil, err
	}
	i[attrWrite], i[env.TTLAttribute] = text(write), expiry(n.At.Add(noticeTTL))
	record := putVersion(roleNotice, s.volatile(), i, n.Version)
	if n.Delivery.NextAt.IsZero() {
		return []part{record, {role: roleNotice + 1, write: types.TransactWriteItem{
			Delete: &types.Delete{TableName: s.volatile(), Key: key(noticesDue, n.ID)},
		}}}, nil
	}
	due := key(noticesDue, n.ID)
	due[attrNext], due[env.TTLAttribute] = number(n.Delivery.NextAt.UnixMilli()), expiry(n.At.Add(noticeTTL))
	return []part{record, putPart(roleNotice+1, s.volatile(), due, "", nil, nil)}, nil
}

// Notice returns the notice with the id, or journal.ErrNotFound.
//
// Access: one consistent GetItem on NOTICES/id; 1 read unit.
func (s *Store) Notice(ctx context.Context, id string) (notice.Notice, error) {
	var n notice.Notice
	i, err := s.get(ctx, s.volatile(), key(noticePartition, id), true)
	if err != nil {
		return n, err
	}
	if i == nil {
		return n, fmt.Errorf("dynamo: notice %s: %w", id, journal.ErrNotFound)
	}
	return n, getDoc(i, "notice", &n)
}

// SaveNotice stores the notice as version n.Version+1 if the stored version is
// n.Version; 0 means that there is none yet. Otherwise it returns a StaleVersion
// error that also matches journal.ErrStale.
//
// Access: one TransactWriteItems on NOTICES/id and NOTICES#due/id; 2 write units each.
func (s *Store) SaveNotice(ctx context.Context, n notice.Notice) error {
	write := newWriteID()
	parts, err := s.noticeParts(n, write)
	if err != nil {
		return err
	}
	refused, err := s.transact(ctx, parts, write)
	if err != nil {
		return translate("write notice", err)
	}
	if stored, ok := refused[roleNotice]; ok {
		return fenced("notice", map[role]item{roleRecord: stored}, write)
	}
	return nil
}

// DueNotices returns the ids of notices whose NextAt is not after now, at most
// limit of them.
//
// Access: one Query on NOTICES#due; 0.5 read units, and as many more for each 50
// notices that are not delivered yet.
func (s *Store) DueNotices(ctx context.Context, now time.Time, limit int) ([]string, error) {
	out, err := s.db.Query(ctx, &dynamodb.QueryInput{
		TableName:                 s.volatile(),
		KeyConditionExpression:    aws.String("#pk = :pk"),
		FilterExpression:          aws.String("#next_ms <= :now"),
		ExpressionAttributeNames:  names(env.PartitionKey, attrNext),
		ExpressionAttributeValues: item{":pk": text(noticesDue), ":now": number(now.UnixMilli())},
	}, s.call)
	if err != nil {
		return nil, translate("list due notices", err)
	}
	ids := make([]string, 0, min(limit, len(out.Items)))
	for _, i := range out.Items[:min(limit, len(out.Items))] {
		ids = append(ids, textOf(i, env.SortKey))
	}
	return ids, nil
}

// Notices returns a page of the notices of the last thirty days, newest first, and
// the cursor of the next page, "" when there is none: the id of its last notice.
// limit is 1 to 100, 0 means 20.
//
// Access: one Query on NOTICES; 0.5 read units per 4 KB, about six notices.
func (s *Store) Notices(ctx context.Context, cursor string, limit int) ([]notice.Notice, string, error) {
	limit = pageSize(limit)
	in := &dynamodb.QueryInput{
		TableName:                 s.volatile(),
		KeyConditionExpression:    aws.String("#pk = :pk"),
		ExpressionAttributeNames:  names(env.PartitionKey),
		ExpressionAttributeValues: item{":pk": text(noticePartition)},
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(int32(limit)), //nolint:gosec // at most 100
	}
	if cursor != "" {
		in.KeyConditionExpression = aws.String("#pk = :pk AND #sk < :last")
		in.ExpressionAttributeNames["#sk"], in.ExpressionAttributeValues[":last"] = env.SortKey, text(cursor)
	}
	out, err := s.db.Query(ctx, in, s.call)
	if err != nil {
		return nil, "", translate("list notices", err)
	}
	notices := make([]notice.Notice, len(out.Items))
	for n, i := range out.Items {
		if err := getDoc(i, "notice", &notices[n]); err != nil {
			return nil, "", err
		}
	}
	if len(out.LastEvaluatedKey) == 0 || len(notices) == 0 {
		return notices, "", nil
	}
	return notices, notices[len(notices)-1].ID, nil
}
