package secrets_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"easel/shared/secret"
	"easel/shared/secrets"
)

var errDown = errors.New("store is down")

// source is a Store that counts reads and fails or hangs as told.
type source struct {
	*secrets.File

	mu    sync.Mutex
	reads int
	err   error
	delay time.Duration
}

func (s *source) Get(ctx context.Context, name string) (secret.Value, error) {
	value, err := s.File.Get(ctx, name) // what it was when the read began
	s.mu.Lock()
	s.reads++
	failure, delay := s.err, s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return secret.Value{}, ctx.Err()
	}
	if failure != nil {
		return secret.Value{}, failure
	}
	return value, err
}

func (s *source) set(change func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func newCached(t *testing.T, options secrets.CachedOptions) (*secrets.Cached, *source) {
	t.Helper()
	file, err := secrets.OpenFile("")
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Put(t.Context(), "a", secret.New("one")); err != nil {
		t.Fatal(err)
	}
	next := &source{File: file}
	return secrets.NewCached(next, options), next
}

func assertGet(t *testing.T, store secrets.Store, want string) {
	t.Helper()
	if value, err := store.Get(t.Context(), "a"); err != nil || value.Reveal() != want {
		t.Errorf("Get = %q, %v; want %q", value.Reveal(), err, want)
	}
}

func assertReads(t *testing.T, next *source, want int) {
	t.Helper()
	if got := next.count(); got != want {
		t.Errorf("%d reads, want %d", got, want)
	}
}

func TestASecretIsReadAgainAfterItsTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{})
		for range 10 {
			assertGet(t, cached, "one")
		}
		assertReads(t, next, 1)
		if err := next.Put(t.Context(), "a", secret.New("two")); err != nil {
			t.Fatal(err)
		}
		<-time.After(5*time.Minute - time.Second)
		assertGet(t, cached, "one")
		<-time.After(time.Second)
		assertGet(t, cached, "two")
		assertReads(t, next, 2)
	})
}

func TestCallersAtOnceShareOneRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{})
		next.set(func(s *source) { s.delay = time.Second })
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				get := cached.Get
				if i%2 == 1 {
					get = cached.Refresh
				}
				if value, err := get(t.Context(), "a"); err != nil || value.Reveal() != "one" {
					t.Errorf("got %q, %v", value.Reveal(), err)
				}
			})
		}
		group.Wait()
		assertReads(t, next, 1)
	})
}

func TestACallerThatGivesUpDoesNotSpoilTheRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{})
		next.set(func(s *source) { s.delay = 5 * time.Second })
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := cached.Get(hurried, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("hurried Get = %v", err)
		}
		assertGet(t, cached, "one")
		assertReads(t, next, 1)
	})
}

func TestAFailingStoreIsBridgedByTheLastValueForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{MaxStale: 20 * time.Minute})
		assertGet(t, cached, "one")
		next.set(func(s *source) { s.err = errDown })
		<-time.After(6 * time.Minute)
		for range 10 {
			assertGet(t, cached, "one")
		}
		assertReads(t, next, 2) // it is left alone for a moment
		<-time.After(10 * time.Second)
		assertGet(t, cached, "one")
		assertReads(t, next, 3)
		<-time.After(15 * time.Minute)
		if _, err := cached.Get(t.Context(), "a"); !errors.Is(err, errDown) {
			t.Errorf("after MaxStale: %v", err)
		}
		next.set(func(s *source) { s.err = nil })
		assertGet(t, cached, "one")
	})
}

func TestAHangingStoreIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{})
		next.set(func(s *source) { s.delay = time.Hour })
		start := time.Now()
		if _, err := cached.Get(t.Context(), "a"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("Get = %v after %s", err, time.Since(start))
		}
	})
}

func TestRefreshReadsAFreshSecretAgainButNotInAStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{})
		assertGet(t, cached, "one")
		if err := next.Put(t.Context(), "a", secret.New("two")); err != nil {
			t.Fatal(err)
		}
		if value, err := cached.Refresh(t.Context(), "a"); err != nil || value.Reveal() != "one" {
			t.Errorf("Refresh at once = %q, %v", value.Reveal(), err)
		}
		<-time.After(3 * time.Second)
		for range 5 {
			if value, err := cached.Refresh(t.Context(), "a"); err != nil || value.Reveal() != "two" {
				t.Errorf("Refresh = %q, %v", value.Reveal(), err)
			}
		}
		assertGet(t, cached, "two")
		assertReads(t, next, 2)
		next.set(func(s *source) { s.err = errDown })
		<-time.After(3 * time.Second)
		if _, err := cached.Refresh(t.Context(), "a"); !errors.Is(err, errDown) {
			t.Errorf("Refresh of a failing store = %v", err)
		}
		assertGet(t, cached, "two")
	})
}

func TestAMissingSecretIsRememberedBriefly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{})
		for range 5 {
			if _, err := cached.Get(t.Context(), "b"); !errors.Is(err, secrets.ErrNotFound) {
				t.Errorf("Get = %v", err)
			}
		}
		assertReads(t, next, 1)
		if err := next.Put(t.Context(), "b", secret.New("new")); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Second)
		if value, err := cached.Get(t.Context(), "b"); err != nil || value.Reveal() != "new" {
			t.Errorf("Get = %q, %v", value.Reveal(), err)
		}
	})
}

func TestAReadThatBeganBeforeAWriteDoesNotUndoIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{})
		next.set(func(s *source) { s.delay = 5 * time.Second })
		go func() { _, _ = cached.Get(t.Context(), "a") }()
		synctest.Wait()
		if err := cached.Put(t.Context(), "a", secret.New("two")); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Second)
		assertGet(t, cached, "two")
		assertReads(t, next, 1)
		if err := cached.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := cached.Get(t.Context(), "a"); !errors.Is(err, secrets.ErrNotFound) {
			t.Errorf("Get after Delete = %v", err)
		}
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cached, next := newCached(t, secrets.CachedOptions{MaxEntries: 3})
		get := func(name string) {
			t.Helper()
			if _, err := cached.Get(t.Context(), name); err != nil {
				t.Error(err)
			}
			<-time.After(time.Second)
		}
		for i := range 4 {
			name := "n" + strconv.Itoa(i)
			if err := next.Put(t.Context(), name, secret.New(name)); err != nil {
				t.Fatal(err)
			}
			get(name)
		}
		assertReads(t, next, 4)
		get("n3")
		get("n1")
		assertReads(t, next, 4)
		get("n0") // the oldest had to go
		assertReads(t, next, 5)
	})
}
