package dynamo

import (
	"context"

	"easel/shared/settings"
)

// Settings share the partition and the counter of configs and models.
const settingPrefix = "SETTING#"

// Setting returns the deployment's setting of that name as it is now; one that
// nobody wrote has version 0.
//
// Access: one consistent GetItem on CFG/SETTING#name; 1 read unit per 4 KB.
func (s *Store) Setting(ctx context.Context, name string) (settings.Setting, error) {
	set := settings.Setting{Name: name}
	i, err := s.get(ctx, s.core(), key(configPK, settingPrefix+name), true)
	if err != nil || i == nil {
		return set, err
	}
	return set, getDoc(i, "setting", &set)
}
