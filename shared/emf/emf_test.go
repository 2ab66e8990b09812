package emf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/emf"
	"easel/shared/env"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// written is one line as CloudWatch reads it.
type written struct {
	t       *testing.T
	members map[string]any
	about   struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	}
}

// point is one value under one set of dimensions.
type point struct {
	metric, unit, dimensions string
	value                    float64
}

func setup(t *testing.T) (meter *emf.Meter, lines func() []written, complaints *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	complaints = &bytes.Buffer{}
	meter = emf.New(emf.Options{
		Out: &out, Stage: "prod", Now: func() time.Time { return noon },
		Log: slog.New(slog.NewTextHandler(complaints, nil)),
	})
	return meter, func() []written {
		meter.Flush()
		defer out.Reset()
		return parse(t, out.String())
	}, complaints
}

func parse(t *testing.T, text string) []written {
	t.Helper()
	all := make([]written, 0, strings.Count(text, "\n"))
	for one := range strings.Lines(text) {
		w := written{t: t}
		if err := json.Unmarshal([]byte(one), &w.members); err != nil {
			t.Fatalf("%v: %s", err, one)
		}
		about, err := json.Marshal(w.members["_aws"])
		if err == nil {
			err = json.Unmarshal(about, &w.about)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	return all
}

// points reads a line by the rules of the format.
func (w written) points() []point {
	w.t.Helper()
	var all []point
	for _, d := range w.about.CloudWatchMetrics {
		if d.Namespace != env.MetricNamespace {
			w.t.Errorf("namespace %q", d.Namespace)
		}
		for _, m := range d.Metrics {
			for _, set := range d.Dimensions {
				var values []string
				for _, name := range set {
					text, ok := w.members[name].(string)
					if !ok || text == "" {
						w.t.Errorf("%s: dimension %s has no value", m.Name, name)
					}
					values = append(values, name+"="+text)
				}
				for _, v := range numbers(w.members[m.Name]) {
					all = append(all, point{m.Name, m.Unit, strings.Join(values, " "), v})
				}
			}
		}
	}
	return all
}

func numbers(v any) []float64 {
	if one, ok := v.(float64); ok {
		return []float64{one}
	}
	list, _ := v.([]any)
	var all []float64
	for _, one := range list {
		n, _ := one.(float64)
		all = append(all, n)
	}
	return all
}

func pointsOf(lines []written) []point {
	all := make([]point, 0, len(lines))
	for _, l := range lines {
		all = append(all, l.points()...)
	}
	return all
}

// dimensionsOf returns values for all dimensions of a metric.
func dimensionsOf(m env.Metric) emf.Dimensions {
	d := emf.Dimensions{}
	for _, set := range m.Dimensions {
		for _, name := range set {
			d[name] = "some-" + name
		}
	}
	return d
}

func dimensionsText(set []string) string {
	var text strings.Builder
	text.WriteString(env.DimensionStage + "=prod")
	for _, name := range set {
		text.WriteString(" " + name + "=some-" + name)
	}
	return text.String()
}

func TestEveryMetricIsWrittenAsItIsDefined(t *testing.T) {
	t.Parallel()
	meter, lines, complaints := setup(t)
	want := map[point]bool{}
	for i, m := range env.Metrics() {
		meter.Add(m.Name, float64(i), dimensionsOf(m))
		for _, set := range m.Dimensions {
			want[point{m.Name, m.Unit, dimensionsText(set), float64(i)}] = true
		}
	}
	got := map[point]bool{}
	all := lines()
	for _, p := range pointsOf(all) {
		got[p] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if len(all) != 1 || all[0].about.Timestamp != noon.UnixMilli() || all[0].members["level"] != "INFO" {
		t.Errorf("%d lines, the first %v", len(all), all[0].members)
	}
	if complaints.Len() > 0 {
		t.Error(complaints)
	}
}

func TestWhatIsNotDefinedIsDropped(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]func(*emf.Meter){
		"an unknown metric":    func(m *emf.Meter) { m.Add("surprises", 1, nil) },
		"a missing dimension":  func(m *emf.Meter) { m.Add(env.MetricTasks, 1, nil) },
		"an empty dimension":   func(m *emf.Meter) { m.Add(env.MetricTasks, 1, emf.Dimensions{env.DimensionOutcome: ""}) },
		"one dimension extra":  func(m *emf.Meter) { m.Add(env.MetricTicks, 1, emf.Dimensions{env.DimensionKind: "image"}) },
		"half of the set only": func(m *emf.Meter) { m.Add(env.MetricAttempts, 1, emf.Dimensions{env.DimensionClass: "none"}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meter, lines, complaints := setup(t)
			add(meter)
			if got := lines(); len(got) != 0 || !strings.Contains(complaints.String(), "fits no metric") {
				t.Errorf("%d lines, log %q", len(got), complaints)
			}
		})
	}
}

func TestValuesThatDisagreeAboutADimensionGoToLinesOfTheirOwn(t *testing.T) {
	t.Parallel()
	meter, lines, _ := setup(t)
	succeeded, failed := emf.Dimensions{env.DimensionOutcome: "succeeded"}, emf.Dimensions{env.DimensionOutcome: "failed"}
	meter.Add(env.MetricTasks, 1, succeeded)
	meter.Add(env.MetricTasks, 1, failed)
	meter.Add(env.MetricTasks, 1, succeeded)
	meter.Add(env.MetricFailovers, 1, nil)
	all := lines()
	count := map[string]int{}
	for _, p := range pointsOf(all) {
		count[p.metric+" "+p.dimensions]++
	}
	want := map[string]int{"tasks stage=prod outcome=succeeded": 2, "tasks stage=prod outcome=failed": 1, "failovers stage=prod": 1}
	if !reflect.DeepEqual(count, want) || len(all) != 2 {
		t.Errorf("%d lines with %v", len(all), count)
	}
}

func TestALineHoldsAtMostAHundredValuesOfAMetric(t *testing.T) {
	t.Parallel()
	meter, lines, _ := setup(t)
	var sum, got float64
	for i := range 250 {
		meter.Add(env.MetricQueueAge, float64(i), nil)
		sum += float64(i)
	}
	all := lines()
	for _, l := range all {
		points := l.points()
		if len(points) > 100 {
			t.Errorf("%d values in a line", len(points))
		}
		for _, p := range points {
			got += p.value
		}
	}
	if len(all) != 3 || got != sum {
		t.Errorf("%d lines, sum %v, want %v", len(all), got, sum)
	}
}

func TestMemoryIsBoundedWhoeverForgetsToFlush(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	meter := emf.New(emf.Options{Out: &out, Now: func() time.Time { return noon }})
	for i := range 1000 {
		meter.Add(env.MetricCredits, 1, emf.Dimensions{env.DimensionKind: strconv.Itoa(i)})
	}
	if n := len(parse(t, out.String())); n < 700 {
		t.Errorf("%d lines were written by themselves", n)
	}
}

func TestNothingIsWrittenTwiceAndNothingWhenThereIsNothing(t *testing.T) {
	t.Parallel()
	meter, lines, _ := setup(t)
	if got := lines(); len(got) != 0 {
		t.Errorf("%d lines before any value", len(got))
	}
	meter.Add(env.MetricTicks, 1, nil)
	if got := lines(); len(got) != 1 {
		t.Errorf("%d lines", len(got))
	}
	if got := lines(); len(got) != 0 {
		t.Errorf("%d lines when it was flushed before", len(got))
	}
	var none *emf.Meter
	none.Add(env.MetricTicks, 1, nil)
	none.Flush()
}

func TestManyRequestsAtOnceLoseNoValue(t *testing.T) {
	t.Parallel()
	meter, lines, _ := setup(t)
	var requests sync.WaitGroup
	var total float64
	for range 16 {
		requests.Go(func() {
			for range 200 {
				meter.Add(env.MetricFailovers, 1, nil)
			}
		})
		requests.Go(meter.Flush)
	}
	requests.Wait()
	for _, p := range pointsOf(lines()) { // what was flushed in between is in the same buffer
		total += p.value
	}
	if total != 3200 {
		t.Errorf("%v of 3200 values", total)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestALineThatCannotBeWrittenIsLoggedAndForgotten(t *testing.T) {
	t.Parallel()
	var complaints bytes.Buffer
	meter := emf.New(emf.Options{Out: broken{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(&complaints, nil))})
	meter.Add(env.MetricTicks, 1, nil)
	meter.Flush()
	meter.Flush()
	if n := strings.Count(complaints.String(), "disk full"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

func TestNoMetricHasADimensionForIDs(t *testing.T) {
	t.Parallel()
	allowed := []string{
		env.DimensionFunction, env.DimensionOperation, env.DimensionKind, env.DimensionProvider, env.DimensionClass, env.DimensionOutcome,
		env.DimensionBreaker,
	}
	for _, m := range env.Metrics() {
		for name := range dimensionsOf(m) {
			if !slices.Contains(allowed, name) {
				t.Errorf("%s has the dimension %s", m.Name, name)
			}
		}
	}
}
