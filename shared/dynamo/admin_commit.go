package dynamo

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/audit"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
)

// The roles of a commit's parts. Every record has one of its own, counted from
// roleCommit.
const (
	roleAudit  role = 100
	roleCommit role = 1000
)

// Commit makes all writes of an operator's change together with its entry in the
// trail, or nothing. It returns a StaleVersion error, which also matches
// journal.ErrStale, when one of the versions is not the stored one; Conflict when
// an account exists; for a posting what [Store.Post] returns, and nil without a
// second entry when the posting is a repeat.
//
// Access: one TransactWriteItems of 1 item per write, the audit entry, the
// catalog's counter where configs, models or settings change, and 2 items for a posting; 2
// write units per KB each.
func (s *Store) Commit(ctx context.Context, c audit.Change) error {
	if c.Writes() > audit.MaxWrites {
		return fault.New(fault.InvalidInput, "one change may write %d objects at most, this one has %d", audit.MaxWrites, c.Writes())
	}
	id := newWriteID()
	parts, err := s.commitParts(c, id)
	if err != nil {
		return err
	}
	refused, err := s.transact(ctx, parts, id)
	if err != nil {
		return translate("commit "+c.Entry.Action, err)
	}
	return s.commitRefusal(c, id, refused)
}

func (s *Store) commitRefusal(c audit.Change, id string, refused map[role]item) error {
	first, any := firstRefused(refused)
	if !any {
		return nil
	}
	for _, stored := range refused {
		if textOf(stored, attrWrite) == id {
			return nil // ours: the answer to the first try was lost
		}
	}
	if c.Post != nil {
		if stored, ok := refused[roleLedger]; ok {
			return repeated(*c.Post, stored)
		}
		if balance, ok := refused[roleBalance]; ok && len(balance) == 0 {
			return fmt.Errorf("dynamo: account %s: %w", c.Post.Account, journal.ErrNotFound)
		} else if ok {
			return insufficient(*c.Post, balance)
		}
	}
	if accounts := int(first-roleCommit) - len(c.Configs) - len(c.Models) - len(c.Keys); accounts >= 0 && accounts < len(c.Accounts) && c.Accounts[accounts].Expect == 0 {
		return fault.New(fault.Conflict, "there is already an account %s", c.Accounts[accounts].Account.ID)
	}
	return fault.New(fault.StaleVersion, "it was changed by somebody else; read it again").Because(journal.ErrStale)
}

func (s *Store) commitParts(c audit.Change, id string) ([]part, error) {
	var parts []part
	var failed error
	add := func(p part, err error) {
		p.role = roleCommit + role(len(parts))
		parts = append(parts, p)
		failed = cmp.Or(failed, err)
	}
	for _, w := range c.Configs {
		add(s.configWrite(w, id))
	}
	for _, w := range c.Models {
		add(s.modelWrite(w, id))
	}
	for _, w := range c.Keys {
		add(s.keyWrite(w, id))
	}
	for _, w := range c.Accounts {
		add(s.accountWrite(w, id))
	}
	for _, w := range c.Settings {
		add(s.settingWrite(w, id))
	}
	for _, w := range c.Preferences {
		add(s.preferencePart(w.Account, w.Set, w.Expect, id))
	}
	if failed != nil {
		return nil, failed
	}
	if len(c.Configs)+len(c.Models)+len(c.Settings) > 0 {
		parts = append(parts, s.bump())
	}
	if c.Post != nil {
		money, err := s.entryParts(*c.Post)
		if err != nil {
			return nil, err
		}
		parts = append(parts, money...)
	}
	entry, err := s.auditPart(c.Entry)
	return append(parts, entry), err
}

func (s *Store) configWrite(w audit.ConfigWrite, id string) (part, error) {
	if w.Config.ID == "" {
		return part{}, missingID("id")
	}
	at := key(configPK, configPrefix+w.Config.ID)
	if w.Delete {
		return s.remove(at, w.Expect), nil
	}
	w.Config.Version = w.Expect + 1
	if err := putDoc(at, "config", w.Config); err != nil {
		return part{}, err
	}
	at[attrWrite] = text(id)
	return putVersion(roleCommit, s.core(), at, w.Config.Version), nil
}

func (s *Store) modelWrite(w audit.ModelWrite, id string) (part, error) {
	if w.Model.Name == "" {
		return part{}, missingID("name")
	}
	at := key(configPK, modelPrefix+w.Model.Name)
	if w.Delete {
		return s.remove(at, w.Expect), nil
	}
	if err := putDoc(at, "model", w.Model); err != nil {
		return part{}, err
	}
	at[attrWrite], at[attrVersion] = text(id), number(w.Expect+1)
	if w.Expect == 0 {
		return putNew(roleCommit, s.core(), at), nil
	}
	condition, used, values := ifVersion(w.Expect)
	return putPart(roleCommit, s.core(), at, condition, used, values), nil
}

func (s *Store) keyWrite(w audit.KeyWrite, id string) (part, error) {
	if w.Key.ID == "" {
		return part{}, missingID("id")
	}
	w.Key.Version = w.Expect + 1
	i := apiKeyKey(w.Key.ID)
	if err := putDoc(i, "key", w.Key); err != nil {
		return part{}, err
	}
	at := text(place(w.Key.CreatedAt, w.Key.ID))
	i[attrWrite] = text(id)
	i[env.ListPartitionKey], i[env.ListSortKey] = text(keysOf(w.Key.Account)), at
	i[env.OpenPartitionKey], i[env.OpenSortKey] = text(allKeys), at
	return putVersion(roleCommit, s.core(), i, w.Key.Version), nil
}

func (s *Store) settingWrite(w audit.SettingWrite, id string) (part, error) {
	if w.Setting.Name == "" {
		return part{}, missingID("name")
	}
	w.Setting.Version = w.Expect + 1
	i := key(configPK, settingPrefix+w.Setting.Name)
	if err := putDoc(i, "setting", w.Setting); err != nil {
		return part{}, err
	}
	i[attrWrite] = text(id)
	return putVersion(roleCommit, s.core(), i, w.Setting.Version), nil
}

// accountWrite leaves the balance alone: a new account has none, and a change of
// an old one touches its document and version only.
func (s *Store) accountWrite(w audit.AccountWrite, id string) (part, error) {
	a := w.Account
	if a.ID == "" {
		return part{}, missingID("id")
	}
	i := balanceKey(a.ID)
	doc := accountDoc{ID: a.ID, Name: a.Name, MonthlyQuota: a.MonthlyQuota, CreatedAt: a.CreatedAt}
	if err := putDoc(i, "account", doc); err != nil {
		return part{}, err
	}
	if w.Expect == 0 {
		for _, attribute := range []string{attrGranted, attrAvailable, attrReserved, attrSpent} {
			i[attribute] = number(0)
		}
		i[attrWrite] = text(id)
		i[env.ListPartitionKey], i[env.ListSortKey] = text("ACCOUNTS"), text(place(a.CreatedAt, a.ID))
		i[env.OpenPartitionKey], i[env.OpenSortKey] = text(accountsByID), text(a.ID)
		return putVersion(roleCommit, s.core(), i, 1), nil
	}
	condition, used, values := ifVersion(w.Expect)
	used["#doc"], used["#write"] = attrDoc, attrWrite
	values[":doc"], values[":write"], values[":next"] = i[attrDoc], text(id), number(w.Expect+1)
	return part{role: roleCommit, write: types.TransactWriteItem{Update: &types.Update{
		TableName: s.core(), Key: balanceKey(a.ID),
		UpdateExpression:         aws.String("SET #doc = :doc, #write = :write, #version = :next"),
		ConditionExpression:      aws.String("attribute_exists(#pk) AND (" + condition + ")"),
		ExpressionAttributeNames: used, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}, nil
}

// remove deletes the item of a version.
func (s *Store) remove(at item, expect int64) part {
	condition, used, values := ifVersion(expect)
	return part{role: roleCommit, write: types.TransactWriteItem{Delete: &types.Delete{
		TableName: s.core(), Key: at,
		ConditionExpression:      aws.String("attribute_exists(#pk) AND (" + condition + ")"),
		ExpressionAttributeNames: used, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}
}

// ifVersion is the condition that the stored version is expect. What was written
// without a version counts as version 1.
func ifVersion(expect int64) (condition string, used map[string]string, values item) {
	condition = "#version = :expect AND attribute_exists(#pk)"
	if expect == 1 {
		condition = "(#version = :expect OR attribute_not_exists(#version)) AND attribute_exists(#pk)"
	}
	return condition, names(attrVersion, env.PartitionKey), item{":expect": number(expect)}
}

// versionOf returns an item's version; what was written without one has 1.
func versionOf(i item) int64 { return max(1, numberOf(i, attrVersion)) }
