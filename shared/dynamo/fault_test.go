package dynamo_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/apikey"
	"easel/shared/credits"
	"easel/shared/dynamo"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/settings"
	"easel/shared/task"
)

// wire stands between the SDK and the engine and spoils the first few requests
// of one operation.
type wire struct {
	operation string
	times     int
	// body is the error that is answered in the engine's stead; when it is empty
	// the engine does the work and its answer is lost.
	body string
	// spoiled, if set, is called with each request that is spoiled.
	spoiled func()

	mu   sync.Mutex
	seen int
}

func (w *wire) use(o *dynamodb.Options) { o.HTTPClient = w }

// Do implements the SDK's HTTP client.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+w.operation) || !w.spoils() {
		return http.DefaultClient.Do(r)
	}
	if w.spoiled != nil {
		w.spoiled()
	}
	if w.body == "" {
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(w.body)),
	}, nil
}

// spoils counts a request and reports whether it is one of the first.
func (w *wire) spoils() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen++
	return w.seen <= w.times
}

const (
	conflict = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled",` +
		`"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"busy"},{"Code":"None"}]}`
	// mixed says that the balance is too low while nobody knows yet about the rest.
	mixed = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled",` +
		`"CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed","Message":"no"},{"Code":"None"}]}`
	slowDown     = `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`
	itemConflict = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"busy"}`
)

func TestLostAnswersAreRecognised(t *testing.T) {
	t.Parallel()
	for operation, write := range map[string]func(ctx context.Context, s *dynamo.Store) error{
		"PutItem": func(ctx context.Context, s *dynamo.Store) error {
			return s.Apply(ctx, journal.Change{Task: newTask("task_1")})
		},
		"TransactWriteItems": func(ctx context.Context, s *dynamo.Store) error {
			return s.Apply(ctx, hold(newTask("task_1")))
		},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w := &wire{operation: operation}
			store := newStore(t, dynamo.Options{}, w.use)
			fund(t, store, 100)
			w.seen, w.times = 0, 2
			must(t, write(t.Context(), store))
			if w.seen != 3 {
				t.Errorf("%d requests were sent, want 3", w.seen)
			}
			if got, err := store.Task(t.Context(), "task_1"); err != nil || got.Version != 1 {
				t.Errorf("got task %+v, %v", got, err)
			}
			if err := write(t.Context(), store); !errors.Is(err, journal.ErrStale) {
				t.Errorf("a second write of the version: got %v, want ErrStale", err)
			}
			account, err := store.Account(t.Context(), "acct_1")
			must(t, err)
			if b := account.Balance; b.Check() != nil || b.Available+b.Reserved != 100 || b.Reserved > 10 {
				t.Errorf("the credits moved twice: %+v", b)
			}
		})
	}
}

func TestLostAnswersOfRecordsAreRecognised(t *testing.T) {
	t.Parallel()
	put := &wire{operation: "PutItem", times: 1}
	store := newStore(t, dynamo.Options{}, put.use)
	must(t, store.CreateAccount(t.Context(), credits.Account{ID: "acct_1", CreatedAt: epoch()}))
	put.seen = 0
	must(t, store.PutKey(t.Context(), apikey.Key{ID: "k", Account: "acct_1", CreatedAt: epoch()}, 0))

	transact := &wire{operation: "TransactWriteItems", times: 1}
	store = newStore(t, dynamo.Options{}, transact.use)
	must(t, store.PutConfig(t.Context(), settings.Config{ID: "cfg_1"}, 0))
	if version, err := store.CatalogVersion(t.Context()); err != nil || version != 1 {
		t.Errorf("got catalog version %d, %v, want 1", version, err)
	}
}

func TestConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"conflict": conflict, "conflict beside a refusal": mixed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{operation: "TransactWriteItems", body: body}
			store := newStore(t, dynamo.Options{}, w.use)
			fund(t, store, 100)
			w.seen, w.times = 0, 3
			must(t, store.Apply(t.Context(), hold(newTask("task_1"))))
			if w.seen != 4 {
				t.Errorf("%d requests were sent, want 4", w.seen)
			}
		})
	}
	t.Run("of single writes", func(t *testing.T) {
		t.Parallel()
		w := &wire{operation: "PutItem", times: 3, body: itemConflict}
		must(t, newStore(t, dynamo.Options{}, w.use).Apply(t.Context(), journal.Change{Task: newTask("task_1")}))
	})
}

func TestConflictsEnd(t *testing.T) {
	t.Parallel()
	w := &wire{operation: "TransactWriteItems", times: 1000, body: mixed}
	store := newStore(t, dynamo.Options{Tries: 3}, w.use)
	err := store.Apply(t.Context(), hold(newTask("task_1")))
	wantCode(t, err, fault.Unavailable)
	if w.seen != 3 {
		t.Errorf("%d requests were sent, want 3", w.seen)
	}
	if errors.Is(err, journal.ErrStale) || errors.Is(err, credits.ErrInsufficient) {
		t.Errorf("a busy store drew a conclusion: %v", err)
	}
}

func TestConflictsEndWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	w := &wire{operation: "TransactWriteItems", times: 1000, body: conflict, spoiled: func() { cancel(errors.New("enough")) }}
	store := newStore(t, dynamo.Options{Tries: 1 << 30}, w.use)
	if err := store.Apply(ctx, hold(newTask("task_1"))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestAPageSurvivesThrottling(t *testing.T) {
	t.Parallel()
	w := &wire{operation: "BatchGetItem", times: 5, body: slowDown}
	store := newStore(t, dynamo.Options{}, w.use)
	must(t, store.Apply(t.Context(), journal.Change{Task: newTask("task_1")}))
	tasks, _, err := store.TasksByAccount(t.Context(), "acct_1", dynamo.TaskFilter{}, "", 10)
	if err != nil || len(tasks) != 1 {
		t.Errorf("got %d tasks, %v", len(tasks), err)
	}
}

func epoch() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func newTask(id string) task.Task {
	return task.Task{
		ID: id, Account: "acct_1", Kind: "image", Model: "auto", Status: task.Queued,
		CreatedAt: epoch(), UpdatedAt: epoch(), DueAt: epoch(), Version: 1,
	}
}

// hold is the change that begins the task for 10 credits.
func hold(of task.Task) journal.Change {
	entry := credits.ForHold(of.Account, of.ID, 10, epoch())
	return journal.Change{Task: of, Entry: &entry}
}

func fund(t *testing.T, s *dynamo.Store, amount int64) {
	t.Helper()
	must(t, s.CreateAccount(t.Context(), credits.Account{ID: "acct_1", CreatedAt: epoch()}))
	must(t, s.Post(t.Context(), credits.ForGrant("acct_1", "1", amount, "", "test", epoch())))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("got error %v, want code %s", err, code)
	}
}
