package dynamo

import (
	"context"

	"easel/shared/endpoint"
)

func endpointKey(account string) item { return key("HOOK#"+account, "HOOK") }

// Endpoints returns what is known of the account's endpoints, as it is now; a
// book of version 0 when nothing was written.
//
// Access: one consistent GetItem on HOOK#account; 1 read unit per 4 KB.
func (s *Store) Endpoints(ctx context.Context, account string) (endpoint.Book, error) {
	b := endpoint.Book{Account: account}
	i, err := s.get(ctx, s.core(), endpointKey(account), true)
	if err != nil || i == nil {
		return b, err
	}
	return b, getDoc(i, "endpoints", &b)
}

// PutEndpoints stores the book as version expect+1, whatever b.Version says, if
// the stored version is expect; 0 means that there is none yet. Otherwise it
// returns a StaleVersion error that also matches journal.ErrStale.
//
// Access: one conditional PutItem on HOOK#account; 1 write unit per KB.
func (s *Store) PutEndpoints(ctx context.Context, b endpoint.Book, expect int64) error {
	if b.Account == "" {
		return missingID("account")
	}
	b.Version = expect + 1
	i, id := endpointKey(b.Account), newWriteID()
	if err := putDoc(i, "endpoints", b); err != nil {
		return err
	}
	i[attrWrite] = text(id)
	refused, err := s.put(ctx, putVersion(roleRecord, s.core(), i, b.Version))
	if err != nil {
		return translate("write endpoints", err)
	}
	return fenced("account's endpoints", refused, id)
}
