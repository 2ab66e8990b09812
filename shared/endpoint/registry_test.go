package endpoint_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"easel/shared/endpoint"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/secrets"
	"easel/shared/webhook"
)

// shelf is a store of books in memory. A pause, if set, comes after each read.
type shelf struct {
	mu    sync.Mutex
	books map[string]endpoint.Book
	pause func()
}

func (s *shelf) Endpoints(_ context.Context, account string) (endpoint.Book, error) {
	s.mu.Lock()
	b, ok := s.books[account]
	s.mu.Unlock()
	if !ok {
		b.Account = account
	}
	if s.pause != nil {
		s.pause()
	}
	return b, nil
}

func (s *shelf) PutEndpoints(_ context.Context, b endpoint.Book, expect int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.books[b.Account].Version != expect {
		return fault.New(fault.StaleVersion, "it was changed").Because(journal.ErrStale)
	}
	b.Version = expect + 1
	s.books[b.Account] = b
	return nil
}

func newRegistry(t *testing.T) (*endpoint.Registry, *shelf) {
	t.Helper()
	keys, err := secrets.OpenFile("")
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Put(t.Context(), env.WebhookSecret, webhook.NewSecret()); err != nil {
		t.Fatal(err)
	}
	books := &shelf{books: map[string]endpoint.Book{}}
	newID := func(prefix string) string { return prefix + uuid.NewString() }
	return &endpoint.Registry{Store: books, Secrets: keys, Now: time.Now, NewID: newID}, books
}

func TestOfTwoChangesAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	r, books := newRegistry(t)
	var both sync.WaitGroup
	both.Add(2)
	books.pause = func() { both.Done(); both.Wait() }
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, _, err := r.Rotate(t.Context(), "ann@example.com")
			errs <- err
		}()
	}
	first, second := <-errs, <-errs
	if first == nil {
		first, second = second, first
	}
	if second != nil || fault.CodeOf(first) != fault.Conflict {
		t.Fatalf("got %v and %v, want one conflict", first, second)
	}
	books.pause = nil
	b, err := r.Book(t.Context(), "ann@example.com")
	if err != nil || len(b.Secrets) != 2 || !strings.HasPrefix(b.Secrets[0].Name, env.EndpointSecrets) || strings.Contains(b.Secrets[0].Name, "ann") {
		t.Errorf("the book is %+v, %v", b, err)
	}
	if _, err := r.Signer(t.Context(), b); err != nil {
		t.Errorf("the secret that won is gone: %v", err)
	}
}

func TestASignerDoesWithoutReplacedSecretsButNotWithoutTheNewest(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	value, b, err := r.Rotate(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Secrets.Delete(t.Context(), env.WebhookSecret); err != nil {
		t.Fatal(err)
	}
	signer, err := r.Signer(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	headers, err := signer.Headers("id", time.Now(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := webhook.Verify(value, func(name string) string { return headers[name] }, []byte("{}"), time.Now()); err != nil {
		t.Error(err)
	}
	if err := r.Secrets.Delete(t.Context(), b.Secrets[0].Name); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Signer(t.Context(), b); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("got %v, want that the secret is missing", err)
	}
}

func TestFailuresAtOnceAreAllCounted(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	var all sync.WaitGroup
	for _, id := range []string{"task_1", "task_2", "task_3", "task_4", "task_5"} {
		all.Go(func() {
			if err := r.GaveUp(t.Context(), "a", hook, id); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if b, err := r.Book(t.Context(), "a"); err != nil || !b.Disabled(hook) {
		t.Errorf("the book is %+v, %v", b, err)
	}
	if err := r.Works(t.Context(), "a", hook); err != nil {
		t.Fatal(err)
	}
	if b, err := r.Book(t.Context(), "a"); err != nil || b.Disabled(hook) {
		t.Errorf("the book is %+v, %v", b, err)
	}
}
