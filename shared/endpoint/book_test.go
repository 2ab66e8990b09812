package endpoint_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"easel/shared/endpoint"
	"easel/shared/fault"
)

const hook = "https://Hooks.example.com/easel?token=1"

func noon() time.Time { return time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC) }

// names are the secrets that sign at a time.
func names(b endpoint.Book, at time.Time) string {
	signing := b.Signing(at)
	list := make([]string, 0, len(signing))
	for _, s := range signing {
		list = append(list, s.Name)
	}
	return fmt.Sprintf("%q", list)
}

func TestSecretsSignThroughTheOverlap(t *testing.T) {
	t.Parallel()
	b := endpoint.Book{Account: "a"}
	if got := names(b, noon()); got != `[""]` {
		t.Errorf("without a secret of its own: %s, want the deployment's", got)
	}
	first, spent, err := b.Rotate("one", noon())
	if err != nil || len(spent) != 0 {
		t.Fatal(spent, err)
	}
	second, _, err := first.Rotate("two", noon().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		after time.Duration
		want  string
	}{
		{time.Hour, `["two" "one" ""]`},
		{endpoint.Overlap, `["two" "one"]`},
		{endpoint.Overlap + time.Hour, `["two"]`},
		{1000 * time.Hour, `["two"]`},
	} {
		if got := names(second, noon().Add(test.after)); got != test.want {
			t.Errorf("after %v sign %s, want %s", test.after, got, test.want)
		}
	}
	if got := names(first, noon().Add(1000*time.Hour)); got != `["one"]` {
		t.Errorf("the book that was changed signs with %s", got)
	}
	third, spent, err := second.Rotate("three", noon().Add(100*time.Hour))
	if err != nil || fmt.Sprint(spent) != "[one]" || names(third, noon().Add(100*time.Hour)) != `["three" "two"]` {
		t.Errorf("later: %v, spent %v, %v", names(third, noon().Add(100*time.Hour)), spent, err)
	}
}

func TestSecretsAreNotChangedTooOften(t *testing.T) {
	t.Parallel()
	b := endpoint.Book{Account: "a"}
	for n := range 4 {
		next, _, err := b.Rotate(strconv.Itoa(n), noon())
		if err != nil {
			t.Fatal(err)
		}
		b = next
	}
	if _, _, err := b.Rotate("more", noon()); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the fifth change: %v, want a conflict", err)
	}
	if _, _, err := b.Rotate("later", noon().Add(endpoint.Overlap)); err != nil {
		t.Errorf("after the overlap: %v", err)
	}
}

func TestAnEndpointIsDisabledByTasksInARow(t *testing.T) {
	t.Parallel()
	b := endpoint.Book{Account: "a"}
	for n := range endpoint.Patience {
		if b.Disabled(hook) {
			t.Fatalf("disabled after %d tasks", n)
		}
		b = b.GaveUp(hook, strconv.Itoa(n), noon())
		b = b.GaveUp(hook, strconv.Itoa(n), noon()) // a repeat counts once
	}
	if !b.Disabled(hook) || !b.Disabled("https://hooks.example.com/easel?other") || b.Disabled("https://hooks.example.com/other") {
		t.Errorf("disabled are %+v", b.Places)
	}
	works, changed := b.Works(hook)
	if !changed || works.Disabled(hook) || !b.Disabled(hook) {
		t.Errorf("after a success: %+v; the book before: %+v", works.Places, b.Places)
	}
	if _, changed := works.Works(hook); changed {
		t.Error("a second success changes something")
	}
}

func TestASuccessBreaksTheRow(t *testing.T) {
	t.Parallel()
	b := endpoint.Book{Account: "a"}
	for n := range 3 * endpoint.Patience {
		b = b.GaveUp(hook, strconv.Itoa(n), noon())
		if n%(endpoint.Patience-1) == 0 {
			b, _ = b.Works(hook)
		}
	}
	if b.Disabled(hook) {
		t.Errorf("disabled although every fourth worked: %+v", b.Places)
	}
}

func TestABookStaysSmall(t *testing.T) {
	t.Parallel()
	b := endpoint.Book{Account: "a"}
	for n := range 500 {
		b = b.GaveUp(fmt.Sprintf("https://example.com/%d", n), "t", noon().Add(time.Duration(n)*time.Second))
	}
	if _, ok := b.Places["example.com/499"]; len(b.Places) != 50 || !ok {
		t.Errorf("%d endpoints are remembered, the last one %v", len(b.Places), ok)
	}
}
