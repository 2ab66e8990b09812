package preference_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/preference"
)

func models(t *testing.T) catalog.Catalog {
	t.Helper()
	price := catalog.Price{Known: true, Credits: 1, Unit: catalog.PerImage}
	up := []catalog.Upstream{{Provider: "p", Model: "m"}}
	c, err := catalog.New([]catalog.Model{
		{Name: "auto", Kind: generation.Image, Auto: true, Price: price, Limits: catalog.Limits{MaxN: 4}},
		{Name: "small", Kind: generation.Image, Upstreams: up, Price: price, Limits: catalog.Limits{MaxN: 2, Sizes: []string{"512x512"}, Takes: []string{"seed"}}},
		{Name: "editor", Kind: generation.Image, Upstreams: up, Price: price, Limits: catalog.Limits{Needs: []string{"image"}}},
		{Name: "auto-video", Kind: generation.Video, Auto: true, Price: price, Limits: catalog.Limits{Durations: []int{5, 10}}},
		{Name: "auto-text", Kind: generation.Text, Auto: true, Price: price, Limits: catalog.Limits{MaxTokens: 100}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func resolve(t *testing.T, name string) catalog.Model {
	t.Helper()
	m, err := models(t).Resolve("", name)
	if err != nil {
		t.Fatal(err)
	}
	return m.Model
}

func painted() preference.Defaults {
	return preference.Defaults{NegativePrompt: "blur", N: new(3), Size: "1024x1024", Quality: "high", Format: "webp"}
}

func TestOnlyWhatIsLeftOutIsFilled(t *testing.T) {
	t.Parallel()
	asked := generation.Request{Kind: generation.Image, Prompt: "a fox", N: 1, Quality: "low"}
	got := painted().Fill(asked, []string{"negative_prompt"}, resolve(t, "auto"))
	if got.N != 1 || got.Quality != "low" || got.NegativePrompt != "" || got.Size != "1024x1024" || got.Format != "webp" {
		t.Errorf("request = %+v", got.Request)
	}
	if want := []string{"size", "format"}; !slices.Equal(got.Names, want) {
		t.Errorf("filled %v, want %v", got.Names, want)
	}
	if asked.Size != "" {
		t.Error("the caller's own request was changed")
	}
}

func TestASizeKeepsARatioAway(t *testing.T) {
	t.Parallel()
	d := preference.Defaults{Size: "1024x1024", AspectRatio: "1:1"}
	for _, asked := range []generation.Request{{AspectRatio: "16:9"}, {Size: "800x600"}} {
		asked.Kind, asked.Prompt = generation.Image, "a"
		if got := d.Fill(asked, nil, resolve(t, "auto")); got.Size != asked.Size || got.AspectRatio != asked.AspectRatio {
			t.Errorf("request = %+v", got.Request)
		}
	}
}

func TestADefaultThatDoesNotFitTheModelStaysOut(t *testing.T) {
	t.Parallel()
	m := resolve(t, "small")
	asked := generation.Request{Kind: generation.Image, Prompt: "a fox"}
	got := painted().Fill(asked, nil, m)
	if err := m.Check(got.Request); err != nil || len(got.Names) != 0 {
		t.Errorf("filled %v: %v", got.Names, err)
	}
	fits := painted()
	fits.N, fits.Size = new(2), "512x512"
	if got := fits.Fill(asked, nil, m); got.N != 2 || got.Size != "512x512" || len(got.Names) != 2 {
		t.Errorf("filled %v", got.Names)
	}
	// The request's own mistakes are not the defaults'.
	asked.Format = "bmp"
	if got := fits.Fill(asked, nil, m); got.Format != "bmp" || got.N != 2 {
		t.Errorf("request = %+v", got.Request)
	}
}

func TestASetIsCheckedAgainstTheCatalog(t *testing.T) {
	t.Parallel()
	refuse := func(raw string) error {
		if strings.Contains(raw, "10.0.0.1") {
			return errors.New("must be public")
		}
		return nil
	}
	for _, tt := range []struct {
		set    preference.Set
		fields string
	}{
		{preference.Set{}, ""},
		{preference.Set{Image: painted(), CallbackURL: "https://example.com/done", Language: "zh"}, ""},
		{preference.Set{Image: preference.Defaults{Model: "editor", Format: "png"}}, ""},
		{preference.Set{Image: preference.Defaults{Model: "small", Size: "1024x1024", N: new(3)}}, "image.n image.size"},
		{preference.Set{Image: preference.Defaults{N: new(0)}, Video: preference.Defaults{Duration: new(7), N: new(1)}}, "image.n video.n video.duration"},
		{preference.Set{Text: preference.Defaults{Size: "512x512", MaxTokens: new(101), Temperature: new(3.0)}}, "text.size text.max_tokens text.temperature"},
		{preference.Set{Video: preference.Defaults{Model: "small"}}, "video.model"},
		{preference.Set{Text: preference.Defaults{Model: strings.Repeat("x", 101)}}, "text.model"},
		{preference.Set{CallbackURL: "https://10.0.0.1/", Language: "tlh"}, "callback_url language"},
	} {
		var names []string
		err := tt.set.Check(models(t), refuse)
		if e, ok := errors.AsType[*fault.Error](err); ok {
			for _, f := range e.Fields {
				names = append(names, f.Name)
			}
		}
		if got := strings.Join(names, " "); got != tt.fields {
			t.Errorf("%+v: fields %q, want %q", tt.set, got, tt.fields)
		}
	}
}

func TestTheTrailKeepsNoWordsAndNoQuery(t *testing.T) {
	t.Parallel()
	s := preference.Set{Image: painted(), CallbackURL: "https://user:canary@example.com/canary?token=canary"}
	if got := s.WithoutSecrets(); got.CallbackURL != "https://example.com" || got.Image.NegativePrompt == "blur" || s.Image.NegativePrompt != "blur" {
		t.Errorf("kept %+v of %+v", got, s)
	}
}

// store holds one account and counts what is read.
type store struct {
	set     preference.Set
	version int64
	reads   int
	during  func()
	missing bool
}

func (s *store) Profile(context.Context, string) (preference.Profile, error) {
	s.reads++
	p := preference.Profile{Account: credits.Account{MonthlyQuota: 7}, Set: s.set}
	if s.during != nil {
		s.during()
	}
	if s.missing {
		return p, journal.ErrNotFound
	}
	return p, nil
}

func (s *store) Preferences(context.Context, string) (preference.Record, error) {
	return preference.Record{Set: s.set, Version: s.version}, nil
}

func (s *store) PutPreferences(_ context.Context, _ string, set preference.Set, expect int64) error {
	if expect != s.version {
		return journal.ErrStale
	}
	s.set, s.version = set, expect+1
	return nil
}

func TestABookReadsAnAccountEveryTenSeconds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := &store{}
	b := preference.NewBook(s, func() time.Time { return at })
	read := func(want string, reads int) {
		t.Helper()
		set, err := b.Preferences(t.Context(), "acc")
		account, accountErr := b.Account(t.Context(), "acc")
		if err != nil || accountErr != nil || set.Language != want || account.MonthlyQuota != 7 || s.reads != reads {
			t.Fatalf("%+v, %+v after %d reads, want %q after %d", set, account, s.reads, want, reads)
		}
	}
	read("", 1)
	s.set.Language = "ja" // another process
	read("", 1)
	at = at.Add(10 * time.Second)
	read("ja", 2)
	if err := b.Save(t.Context(), "acc", preference.Set{Language: "zh"}, 0); err != nil {
		t.Fatal(err)
	}
	read("zh", 3)
	if err := b.Save(t.Context(), "acc", preference.Set{}, 0); !errors.Is(err, journal.ErrStale) {
		t.Errorf("error = %v", err)
	}
}

func TestAReadingFromBeforeAWriteIsNotRemembered(t *testing.T) {
	t.Parallel()
	s := &store{}
	b := preference.NewBook(s, time.Now)
	s.during = func() {
		s.during = nil
		if err := b.Save(t.Context(), "acc", preference.Set{Language: "zh"}, 0); err != nil {
			t.Error(err)
		}
	}
	if set, err := b.Preferences(t.Context(), "acc"); err != nil || set.Language != "" {
		t.Fatalf("%+v, %v", set, err)
	}
	if set, err := b.Preferences(t.Context(), "acc"); err != nil || set.Language != "zh" {
		t.Errorf("%+v, %v; want what was written meanwhile", set, err)
	}
}

func TestAnAccountThatDoesNotExistPrefersNothing(t *testing.T) {
	t.Parallel()
	b := preference.NewBook(&store{missing: true}, time.Now)
	if set, err := b.Preferences(t.Context(), "acc"); err != nil || set != (preference.Set{}) {
		t.Errorf("%+v, %v", set, err)
	}
	if _, err := b.Account(t.Context(), "acc"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("error = %v", err)
	}
}
