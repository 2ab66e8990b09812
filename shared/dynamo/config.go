package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/catalog"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/settings"
)

// Configs, models and settings share one partition with the counter of their changes.
const (
	configPK     = "CFG"
	configPrefix = "CONFIG#"
	modelPrefix  = "MODEL#"
	versionSK    = "VERSION"
)

// CatalogVersion counts the changes of configs, models and settings, from 0. A cache reads
// it first and the lists afterwards, never the other way round, so that what it
// holds is never older than the version it remembers.
//
// Access: one eventually consistent GetItem on CFG/VERSION; 0.5 read units.
func (s *Store) CatalogVersion(ctx context.Context) (int64, error) {
	i, err := s.get(ctx, s.core(), key(configPK, versionSK), false)
	return numberOf(i, attrVersion), err
}

// Configs returns every config, in order of id.
//
// Access: one consistent Query on CFG with sk beginning with CONFIG#; 1 read
// unit per 4 KB, about six configs.
func (s *Store) Configs(ctx context.Context) ([]settings.Config, error) {
	return readAll[settings.Config](ctx, s, configPrefix, "config")
}

// Config returns one config as it is now, or journal.ErrNotFound.
//
// Access: one consistent GetItem on CFG/CONFIG#id; 1 read unit.
func (s *Store) Config(ctx context.Context, id string) (settings.Config, error) {
	var c settings.Config
	i, err := s.get(ctx, s.core(), key(configPK, configPrefix+id), true)
	if err != nil {
		return c, err
	}
	if i == nil {
		return c, fmt.Errorf("dynamo: config %s: %w", id, journal.ErrNotFound)
	}
	return c, getDoc(i, "config", &c)
}

// PutConfig stores the config as version expectVersion+1, whatever c.Version
// says, if the stored version is expectVersion; 0 means that there is none yet. Otherwise
// it returns a StaleVersion error that also matches journal.ErrStale.
//
// Access: one TransactWriteItems on CFG/CONFIG#id and CFG/VERSION; 2 write units each.
func (s *Store) PutConfig(ctx context.Context, c settings.Config, expectVersion int64) error {
	if c.ID == "" {
		return missingID("id")
	}
	c.Version = expectVersion + 1
	i, id := key(configPK, configPrefix+c.ID), newWriteID()
	if err := putDoc(i, "config", c); err != nil {
		return err
	}
	i[attrWrite] = text(id)
	refused, err := s.transact(ctx, []part{putVersion(roleRecord, s.core(), i, c.Version), s.bump()}, id)
	if err != nil {
		return translate("write config", err)
	}
	return fenced("config", refused, id)
}

// DeleteConfig removes the config if its stored version is expectVersion.
// Otherwise it returns a StaleVersion error, also when there is none.
//
// Access: one TransactWriteItems on CFG/CONFIG#id and CFG/VERSION; 2 write units each.
func (s *Store) DeleteConfig(ctx context.Context, id string, expectVersion int64) error {
	if id == "" {
		return missingID("id")
	}
	remove := part{role: roleRecord, write: types.TransactWriteItem{Delete: &types.Delete{
		TableName: s.core(), Key: key(configPK, configPrefix+id),
		ConditionExpression:       aws.String("#version = :expect"),
		ExpressionAttributeNames:  names(attrVersion),
		ExpressionAttributeValues: item{":expect": number(expectVersion)},
	}}}
	refused, err := s.transact(ctx, []part{remove, s.bump()}, newWriteID())
	if err != nil {
		return translate("delete config", err)
	}
	return fenced("config", refused, "")
}

// Models returns every model, in order of name.
//
// Access: one consistent Query on CFG with sk beginning with MODEL#; 1 read unit per 4 KB.
func (s *Store) Models(ctx context.Context) ([]catalog.Model, error) {
	return readAll[catalog.Model](ctx, s, modelPrefix, "model")
}

// PutModel stores the model under its name, in the place of what was there.
//
// Access: one TransactWriteItems on CFG/MODEL#name and CFG/VERSION; 2 write units each.
func (s *Store) PutModel(ctx context.Context, m catalog.Model) error {
	if m.Name == "" {
		return missingID("name")
	}
	i := key(configPK, modelPrefix+m.Name)
	if err := putDoc(i, "model", m); err != nil {
		return err
	}
	_, err := s.transact(ctx, []part{putPart(roleRecord, s.core(), i, "", nil, nil), s.bump()}, newWriteID())
	return translate("write model", err)
}

// DeleteModel removes the model; it returns journal.ErrNotFound when there is none.
//
// Access: one TransactWriteItems on CFG/MODEL#name and CFG/VERSION; 2 write units each.
func (s *Store) DeleteModel(ctx context.Context, name string) error {
	if name == "" {
		return missingID("name")
	}
	remove := part{role: roleRecord, write: types.TransactWriteItem{Delete: &types.Delete{
		TableName: s.core(), Key: key(configPK, modelPrefix+name),
		ConditionExpression:      aws.String("attribute_exists(#pk)"),
		ExpressionAttributeNames: names(env.PartitionKey),
	}}}
	refused, err := s.transact(ctx, []part{remove, s.bump()}, newWriteID())
	if err != nil {
		return translate("delete model", err)
	}
	if len(refused) > 0 {
		return fmt.Errorf("dynamo: model %s: %w", name, journal.ErrNotFound)
	}
	return nil
}

// bump counts a change of configs or models.
func (s *Store) bump() part {
	return part{role: roleVersion, write: types.TransactWriteItem{Update: &types.Update{
		TableName: s.core(), Key: key(configPK, versionSK),
		UpdateExpression:          aws.String("ADD #version :one"),
		ExpressionAttributeNames:  names(attrVersion),
		ExpressionAttributeValues: item{":one": number(1)},
	}}}
}

// fenced returns nil when nothing was refused or the stored record is of the
// write itself, else a StaleVersion error.
func fenced(what string, refused map[role]item, id string) error {
	stored, ok := refused[roleRecord]
	if !ok || (id != "" && textOf(stored, attrWrite) == id) {
		return nil
	}
	return fault.New(fault.StaleVersion, "the %s was changed by somebody else; read it again", what).Because(journal.ErrStale)
}

// readAll reads every document under CFG whose sort key begins with the prefix.
// There are tens of them, hundreds at most: an operator wrote each by hand.
func readAll[T any](ctx context.Context, s *Store, prefix, what string) ([]T, error) {
	all := []T{}
	pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
		TableName: s.core(), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :of AND begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  names(env.PartitionKey, env.SortKey),
		ExpressionAttributeValues: item{":of": text(configPK), ":prefix": text(prefix)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, s.call)
		if err != nil {
			return nil, translate("list "+what+"s", err)
		}
		for _, i := range page.Items {
			var v T
			if err := getDoc(i, what, &v); err != nil {
				return nil, err
			}
			all = append(all, v)
		}
	}
	return all, nil
}
