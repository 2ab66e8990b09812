package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"easel/shared/env"
)

// TestTheManualNamesEverySettingAndAlarm holds docs/deploy.md to what there is:
// operators look there for each context value, and alarms send them there.
func TestTheManualNamesEverySettingAndAlarm(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	manual := string(text)
	_, err = parseConfig(map[string]any{"stage": stageDev, "nothing": "x"})
	_, known, ok := strings.Cut(err.Error(), "known are ")
	if !ok {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(known, ", ") {
		if !strings.Contains(manual, "`"+name+"`") {
			t.Errorf("the manual lacks the setting %s", name)
		}
	}
	for _, alarm := range synthesized(t, stageDev).of("AWS::CloudWatch::Alarm") {
		id := strings.TrimPrefix(render(alarm.Properties["AlarmName"]), "easel-dev-")
		for _, function := range env.Functions() {
			if rest, ok := strings.CutPrefix(id, function+"-"); ok && slices.Contains([]string{"errors", "throttles"}, rest) {
				id = "<function>-" + rest
			}
		}
		if !strings.Contains(manual, "`"+id+"`") {
			t.Errorf("the manual lacks the alarm %s", id)
		}
	}
}

var setting = regexp.MustCompile(`(?m)^\| (` + "`[A-Za-z]+`(?:, `[A-Za-z]+`)*" + `) \| [^|]+ \| `)

// TestTheManualNamesNoOtherSetting reads the table of settings back.
func TestTheManualNamesNoOtherSetting(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, err = parseConfig(map[string]any{"stage": stageDev, "nothing": "x"})
	_, known, _ := strings.Cut(err.Error(), "known are ")
	rows := setting.FindAllStringSubmatch(section, -1)
	if len(rows) < 15 {
		t.Fatalf("the table of settings has %d rows", len(rows))
	}
	for _, row := range rows {
		for name := range strings.SplitSeq(row[1], ", ") {
			if !slices.Contains(strings.Split(known, ", "), strings.Trim(name, "`")) {
				t.Errorf("the manual has the setting %s, which does not exist", name)
			}
		}
	}
}
