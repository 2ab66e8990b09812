package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/credits"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
)

// maxAmount keeps every sum of amounts far from overflow.
const maxAmount = math.MaxInt64 / 8

func accountPK(account string) string  { return "ACCT#" + account }
func balanceKey(account string) item   { return key(accountPK(account), "BAL") }
func ledgerOf(account string) string   { return "LEDGER#" + account }
func ledgerKey(e credits.Entry) item   { return key(accountPK(e.Account), "L#"+e.ID) }
func insideAmount(amount int64) bool   { return -maxAmount <= amount && amount <= maxAmount }
func needed(delta int64) (price int64) { return max(0, -delta) }

// accountDoc is what an account's document holds; its balance is in attributes
// of its own, because transactions change it in place.
type accountDoc struct {
	ID           string    `json:"id"`
	Name         string    `json:"name,omitempty"`
	MonthlyQuota int64     `json:"monthly_quota,omitempty"`
	CreatedAt    time.Time `json:"created_at"`
}

// CreateAccount adds an account with no credits. Its balance must be zero:
// credits come from a ledger entry. It returns a Conflict error when there is an
// account with the id.
//
// Access: one conditional PutItem on ACCT#id/BAL; 1 write unit and 1 for each index.
func (s *Store) CreateAccount(ctx context.Context, account credits.Account) error {
	if account.ID == "" {
		return missingID("id")
	}
	if account.Balance != (credits.Balance{}) {
		return fault.Invalid("balance", "must be zero; grant credits to the account instead")
	}
	i := balanceKey(account.ID)
	doc := accountDoc{ID: account.ID, Name: account.Name, MonthlyQuota: account.MonthlyQuota, CreatedAt: account.CreatedAt}
	if err := putDoc(i, "account", doc); err != nil {
		return err
	}
	for _, attribute := range []string{attrGranted, attrAvailable, attrReserved, attrSpent} {
		i[attribute] = number(0)
	}
	id := newWriteID()
	i[attrWrite] = text(id)
	i[env.ListPartitionKey], i[env.ListSortKey] = text("ACCOUNTS"), text(place(account.CreatedAt, account.ID))
	i[env.OpenPartitionKey], i[env.OpenSortKey] = text(accountsByID), text(account.ID)
	refused, err := s.put(ctx, putNew(roleBalance, s.core(), i))
	if err != nil {
		return translate("create account", err)
	}
	if stored, ok := refused[roleBalance]; ok && textOf(stored, attrWrite) != id {
		return fault.New(fault.Conflict, "there is already an account %s", account.ID)
	}
	return nil
}

// Account returns the account with its balance as it is now, or
// journal.ErrNotFound.
//
// Access: one consistent GetItem on ACCT#id/BAL; 1 read unit.
func (s *Store) Account(ctx context.Context, id string) (credits.Account, error) {
	i, err := s.get(ctx, s.core(), balanceKey(id), true)
	if err != nil {
		return credits.Account{}, err
	}
	if i == nil {
		return credits.Account{}, fmt.Errorf("dynamo: account %s: %w", id, journal.ErrNotFound)
	}
	return toAccount(i)
}

func toAccount(i item) (credits.Account, error) {
	var doc accountDoc
	if err := getDoc(i, "account", &doc); err != nil {
		return credits.Account{}, err
	}
	return credits.Account{
		ID: doc.ID, Name: doc.Name, MonthlyQuota: doc.MonthlyQuota, CreatedAt: doc.CreatedAt,
		Balance: credits.Balance{
			Granted: numberOf(i, attrGranted), Available: numberOf(i, attrAvailable),
			Reserved: numberOf(i, attrReserved), Spent: numberOf(i, attrSpent),
		},
	}, nil
}

// Accounts returns a page of all accounts, newest first, and the cursor of the
// next page, "" when there is none. limit is 1 to 100, 0 means 20.
//
// Access: one Query on gsi1 with gsi1pk = ACCOUNTS (0.5 read units per 4 KB),
// then one BatchGetItem of the page (0.5 units each).
func (s *Store) Accounts(ctx context.Context, cursor string, limit int) ([]credits.Account, string, error) {
	rows, next, err := s.list(ctx, list{
		table: s.core(), index: env.ListIndex, partition: env.ListPartitionKey, sort: env.ListSortKey,
		of: "ACCOUNTS", limit: pageSize(limit),
	}, cursor)
	if err != nil {
		return nil, "", err
	}
	items, err := s.fetch(ctx, rows)
	if err != nil {
		return nil, "", err
	}
	accounts := make([]credits.Account, 0, len(items))
	for _, i := range items {
		account, err := toAccount(i)
		if err != nil {
			return nil, "", err
		}
		accounts = append(accounts, account)
	}
	return accounts, next, nil
}

// Post applies an operator's entry to its account's balance and ledger. The same
// entry posted again, at whatever time, changes nothing and is no error; another
// entry under the same id is a Conflict error. It returns journal.ErrNotFound
// for an unknown account and *journal.Insufficient when the account cannot bear it.
//
// Access: one TransactWriteItems on ACCT#account/BAL and ACCT#account/L#entry;
// 2 write units each, and 1 for gsi1.
func (s *Store) Post(ctx context.Context, e credits.Entry) error {
	parts, err := s.entryParts(e)
	if err != nil {
		return err
	}
	refused, err := s.transact(ctx, parts, newWriteID())
	if err != nil {
		return translate("post entry", err)
	}
	if stored, ok := refused[roleLedger]; ok {
		return repeated(e, stored)
	}
	if balance, ok := refused[roleBalance]; ok {
		if len(balance) == 0 {
			return fmt.Errorf("dynamo: account %s: %w", e.Account, journal.ErrNotFound)
		}
		return insufficient(e, balance)
	}
	return nil
}

// repeated returns nil when the stored entry is e but for its time.
func repeated(e credits.Entry, stored item) error {
	before, err := toEntry(stored)
	if err != nil {
		return err
	}
	before.At = e.At
	if before != e {
		return fault.New(fault.Conflict, "there is already another ledger entry %s", e.ID)
	}
	return nil
}

// insufficient says what an account has and what the entry needs.
func insufficient(e credits.Entry, balance item) error {
	if granted := numberOf(balance, attrGranted); e.Delta.Granted > 0 && granted > maxAmount-e.Delta.Granted {
		return fault.New(fault.Conflict, "the account would hold more than %d credits", int64(maxAmount))
	}
	return &journal.Insufficient{
		Account: e.Account, Available: numberOf(balance, attrAvailable), Needed: needed(e.Delta.Available),
	}
}

// entryParts are the balance's change, unless it is zero, and the ledger's line.
func (s *Store) entryParts(e credits.Entry) ([]part, error) {
	if e.ID == "" || e.Account == "" {
		return nil, missingID("entry")
	}
	d := e.Delta
	if !insideAmount(d.Granted) || !insideAmount(d.Available) || !insideAmount(d.Reserved) || !insideAmount(d.Spent) {
		return nil, fault.Invalid("delta", "must not exceed %d credits", int64(maxAmount))
	}
	if !e.Balanced() {
		return nil, fmt.Errorf("dynamo: entry %s: %w: %+v", e.ID, credits.ErrUnbalanced, d)
	}
	line, err := s.ledgerPart(e)
	if err != nil {
		return nil, err
	}
	if d == (credits.Balance{}) {
		return []part{line}, nil
	}
	return []part{s.balancePart(e), line}, nil
}

func (s *Store) ledgerPart(e credits.Entry) (part, error) {
	doc, err := json.Marshal(e)
	if err != nil {
		return part{}, fmt.Errorf("dynamo: encode entry: %w", err)
	}
	i := ledgerKey(e)
	i[attrEntry] = text(string(doc))
	i[env.ListPartitionKey], i[env.ListSortKey] = text(ledgerOf(e.Account)), text(place(e.At, e.ID))
	return putNew(roleLedger, s.core(), i), nil
}

// balancePart adds the entry's parts to the balance, on the condition that the
// account exists and no part becomes negative. Because every balance starts at
// zero and every entry balances, the whole always balances.
func (s *Store) balancePart(e credits.Entry) part {
	used, values := names(env.PartitionKey), item{}
	var sets []string
	conditions := []string{"attribute_exists(#pk)"}
	for _, p := range []struct {
		name  string
		delta int64
	}{
		{attrGranted, e.Delta.Granted},
		{attrAvailable, e.Delta.Available},
		{attrReserved, e.Delta.Reserved},
		{attrSpent, e.Delta.Spent},
	} {
		if p.delta == 0 {
			continue
		}
		used["#"+p.name] = p.name
		values[":"+p.name] = number(p.delta)
		sets = append(sets, "#"+p.name+" = #"+p.name+" + :"+p.name)
		if p.delta < 0 {
			values[":least_"+p.name] = number(-p.delta)
			conditions = append(conditions, "#"+p.name+" >= :least_"+p.name)
		}
	}
	if e.Delta.Granted > 0 {
		values[":most"] = number(maxAmount - e.Delta.Granted)
		conditions = append(conditions, "#granted <= :most")
	}
	return part{role: roleBalance, write: types.TransactWriteItem{Update: &types.Update{
		TableName: s.core(), Key: balanceKey(e.Account),
		UpdateExpression:         aws.String("SET " + strings.Join(sets, ", ")),
		ConditionExpression:      aws.String(strings.Join(conditions, " AND ")),
		ExpressionAttributeNames: used, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}
}

// Ledger returns a page of an account's ledger, newest first, and the cursor of
// the next page, "" when there is none. limit is 1 to 100, 0 means 20. It may lag
// behind a write by about a second. A bad cursor is an InvalidInput error.
//
// Access: one Query on gsi1 with gsi1pk = LEDGER#account and gsi1sk < cursor;
// 0.5 read units per 4 KB, about ten lines.
func (s *Store) Ledger(ctx context.Context, account, cursor string, limit int) ([]credits.Entry, string, error) {
	rows, next, err := s.list(ctx, list{
		table: s.core(), index: env.ListIndex, partition: env.ListPartitionKey, sort: env.ListSortKey,
		of: ledgerOf(account), limit: pageSize(limit),
	}, cursor)
	if err != nil {
		return nil, "", err
	}
	entries := make([]credits.Entry, 0, len(rows))
	for _, row := range rows {
		e, err := toEntry(row)
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, e)
	}
	return entries, next, nil
}

func toEntry(i item) (credits.Entry, error) {
	var e credits.Entry
	if err := json.Unmarshal([]byte(textOf(i, attrEntry)), &e); err != nil {
		return e, fmt.Errorf("dynamo: decode entry: %w", err)
	}
	return e, nil
}
