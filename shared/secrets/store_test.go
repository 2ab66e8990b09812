package secrets_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"easel/shared/secret"
	"easel/shared/secrets"
)

const canary = "canary-sk-4f1d9a77c0e3b2"

// stores returns one of each kind, empty.
func stores(t *testing.T) map[string]secrets.Store {
	t.Helper()
	file, err := secrets.OpenFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	memory, err := secrets.OpenFile("")
	if err != nil {
		t.Fatal(err)
	}
	beneath, err := secrets.OpenFile("")
	if err != nil {
		t.Fatal(err)
	}
	manager, _ := newManager(t)
	cachedManager, _ := newManager(t)
	return map[string]secrets.Store{
		"file":    file,
		"memory":  memory,
		"env":     secrets.NewEnv(map[string]secret.Value{"config/fixed": secret.New("x")}, beneath),
		"manager": manager,
		"cached":  secrets.NewCached(cachedManager, secrets.CachedOptions{}),
	}
}

// TestEveryStoreKeepsTheContract is the suite that each implementation passes.
func TestEveryStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	for kind, store := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			const name = "config/cfg_1"
			if _, err := store.Get(ctx, name); !errors.Is(err, secrets.ErrNotFound) {
				t.Errorf("Get before Put = %v", err)
			}
			for _, text := range []string{canary, canary + "-2", `quo"te <&> ü` + canary} {
				if err := store.Put(ctx, name, secret.New(text)); err != nil {
					t.Fatal(err)
				}
				if value, err := store.Get(ctx, name); err != nil || value.Reveal() != text {
					t.Errorf("Get after Put = %q, %v", value.Reveal(), err)
				}
			}
			if _, err := store.Get(ctx, "config/cfg_2"); !errors.Is(err, secrets.ErrNotFound) {
				t.Errorf("Get of another name = %v", err)
			}
			for range 2 {
				if err := store.Delete(ctx, name); err != nil {
					t.Errorf("Delete = %v", err)
				}
			}
			if _, err := store.Get(ctx, name); !errors.Is(err, secrets.ErrNotFound) {
				t.Errorf("Get after Delete = %v", err)
			}
			if err := store.Put(ctx, name, secret.New(canary)); err != nil {
				t.Errorf("Put after Delete = %v", err)
			}
			if err := store.Put(ctx, name, secret.Value{}); !errors.Is(err, secrets.ErrEmpty) {
				t.Errorf("Put of nothing = %v", err)
			}
			for _, bad := range []string{"", "a b", "a\nb", "../etc", "ä", strings.Repeat("n", 257)} {
				_, getErr := store.Get(ctx, bad)
				for method, err := range map[string]error{"Get": getErr, "Put": store.Put(ctx, bad, secret.New(canary)), "Delete": store.Delete(ctx, bad)} {
					if !errors.Is(err, secrets.ErrName) || strings.Contains(err.Error(), canary) {
						t.Errorf("%s(%q) = %v", method, bad, err)
					}
				}
			}
		})
	}
}

func TestEveryStoreIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	for kind, store := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var group sync.WaitGroup
			for i := range 8 {
				name := "config/cfg_" + string(rune('a'+i))
				group.Go(func() {
					if err := store.Put(t.Context(), name, secret.New(name)); err != nil {
						t.Error(err)
					}
					if value, err := store.Get(t.Context(), name); err != nil || value.Reveal() != name {
						t.Errorf("Get(%s) = %q, %v", name, value.Reveal(), err)
					}
				})
			}
			group.Wait()
		})
	}
}

func TestFixedSecretsComeFirstAndCannotBeChanged(t *testing.T) {
	t.Parallel()
	beneath, err := secrets.OpenFile("")
	if err != nil {
		t.Fatal(err)
	}
	if err := beneath.Put(t.Context(), "config/a", secret.New("stored")); err != nil {
		t.Fatal(err)
	}
	env := secrets.NewEnv(map[string]secret.Value{"config/a": secret.New("fixed"), "config/b": {}}, beneath)
	if value, err := env.Get(t.Context(), "config/a"); err != nil || value.Reveal() != "fixed" {
		t.Errorf("Get = %q, %v", value.Reveal(), err)
	}
	if err := env.Put(t.Context(), "config/a", secret.New("new")); !errors.Is(err, secrets.ErrFixed) {
		t.Errorf("Put = %v", err)
	}
	if err := env.Delete(t.Context(), "config/a"); !errors.Is(err, secrets.ErrFixed) {
		t.Errorf("Delete = %v", err)
	}
	if err := env.Put(t.Context(), "config/b", secret.New("new")); err != nil {
		t.Errorf("Put of a name whose variable is empty = %v", err)
	}
}

func TestAFileSurvivesARestartAndIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	file, err := secrets.OpenFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Put(t.Context(), "config/a", secret.New(canary)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "secrets.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%d files, %v", len(left), err)
	}
	reopened, err := secrets.OpenFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if value, err := reopened.Get(t.Context(), "config/a"); err != nil || value.Reveal() != canary {
		t.Errorf("after a restart: %q, %v", value.Reveal(), err)
	}
}

func TestADamagedFileIsReportedWithoutItsContent(t *testing.T) {
	t.Parallel()
	for _, content := range []string{`{"config/a": "` + canary, `["` + canary + `"]`, "null", canary} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "secrets.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secrets.OpenFile(dir); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("OpenFile of %s = %v", content, err)
		}
	}
}

func TestAFailedWriteChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, err := secrets.OpenFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Put(t.Context(), "config/a", secret.New("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := file.Put(t.Context(), "config/a", secret.New(canary)); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("Put into a folder that is gone = %v", err)
	}
	if value, err := file.Get(t.Context(), "config/a"); err != nil || value.Reveal() != "old" {
		t.Errorf("Get = %q, %v", value.Reveal(), err)
	}
}
