package dynamo

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/fault"
)

// item is one row as DynamoDB knows it.
type item = map[string]types.AttributeValue

// The attributes besides the keys.
const (
	attrDoc     = "doc"     // the whole thing as JSON
	attrPacked  = "docz"    // the same, compressed with gzip
	attrEntry   = "entry"   // a ledger entry as JSON; a name of its own because gsi1 projects it
	attrWrite   = "write"   // the id of the write that stored the item
	attrVersion = "version" // counts the writes
	attrKind    = "kind"
	attrStatus  = "status"
	attrExpires = "expires_ms" // milliseconds since 1970

	attrGranted   = "granted"
	attrAvailable = "available"
	attrReserved  = "reserved"
	attrSpent     = "spent"
)

const (
	packAbove = 8 << 10   // documents above this many bytes are compressed
	maxStored = 380 << 10 // DynamoDB allows 400 KB for an item with its keys
	maxDoc    = 8 << 20   // before compression
)

func text(s string) *types.AttributeValueMemberS { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) *types.AttributeValueMemberN {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// key is the primary key of an item.
func key(pk, sk string) item {
	return item{env.PartitionKey: text(pk), env.SortKey: text(sk)}
}

// textOf returns a string attribute, "" when it is missing.
func textOf(i item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// numberOf returns a number attribute, 0 when it is missing or not an int64.
func numberOf(i item, name string) int64 {
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err == nil {
			return n
		}
	}
	return 0
}

// putDoc stores v in the item as one JSON document, compressed when it is long.
// It returns a TooLarge error when it exceeds what DynamoDB takes.
func putDoc(i item, what string, v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("dynamo: encode %s: %w", what, err)
	}
	if len(doc) <= packAbove {
		i[attrDoc] = text(string(doc))
		return nil
	}
	packed, err := pack(doc)
	if err != nil {
		return fmt.Errorf("dynamo: compress %s: %w", what, err)
	}
	if len(doc) > maxDoc || len(packed) > maxStored {
		return fault.New(fault.TooLarge, "the %s is too large to store: %d KB compressed, at most %d KB are possible; files belong in the asset store",
			what, len(packed)>>10, maxStored>>10)
	}
	i[attrPacked] = &types.AttributeValueMemberB{Value: packed}
	return nil
}

// getDoc reads what putDoc stored.
func getDoc(i item, what string, v any) error {
	doc := []byte(textOf(i, attrDoc))
	if packed, ok := i[attrPacked].(*types.AttributeValueMemberB); ok {
		var err error
		if doc, err = unpack(packed.Value); err != nil {
			return fmt.Errorf("dynamo: decompress %s: %w", what, err)
		}
	}
	if err := json.Unmarshal(doc, v); err != nil {
		return fmt.Errorf("dynamo: decode %s: %w", what, err)
	}
	return nil
}

func pack(doc []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(doc); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxDoc+1))
}

// sortable is a layout whose texts order as their UTC times do.
const sortable = "2006-01-02T15:04:05.000000000Z"

// stamp returns the time as a sortable text.
func stamp(t time.Time) string { return t.UTC().Format(sortable) }

// place returns a sort key by time that the id makes unique.
func place(t time.Time, id string) string { return stamp(t) + "#" + id }

// expiry returns the second after which an item may go, rounded up.
func expiry(t time.Time) *types.AttributeValueMemberN {
	return number(t.Add(time.Second - time.Nanosecond).Unix())
}
