package main

import (
	"errors"
	"strings"
	"testing"
)

func TestReplaceKeepsWhatIsOutsideTheMarkers(t *testing.T) {
	t.Parallel()
	page, err := replace([]byte("a\n"+begin+"old\n"+end+"z\n"), "new\n")
	if err != nil || string(page) != "a\n"+begin+"new\n"+end+"z\n" {
		t.Errorf("page = %q, %v", page, err)
	}
	if _, err := replace([]byte(begin+"no end"), "new"); !errors.Is(err, errNoMarkers) {
		t.Errorf("error = %v", err)
	}
}

func TestRenderPricesAThousandOfEach(t *testing.T) {
	t.Parallel()
	text := render(measurements{n: 1, image: spent{requests: 2, writeUnits: 16}})
	for _, line := range []string{
		"| API Gateway | 2.0 requests each | 0.0070 |",
		"| DynamoDB | 0.0 calls: 0.0 read and 16.0 write units | 0.0100 |",
		"| Lambda, held | 15 s of the provider's time at 0.25 GB | 0.0500 |",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}
