// Package emf writes metrics as lines of CloudWatch's Embedded Metric Format:
// JSON objects among the log lines, from which CloudWatch makes metrics without a
// call to it.
//
// Which metrics there are, their units and their dimensions is defined by
// [env.Metrics]; a [Meter] writes nothing else.
package emf

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"easel/shared/env"
)

// maxValues is how many values of one metric a line may hold, by the format.
const maxValues = 100

// maxSeries bounds what is collected between two flushes: at this many different
// combinations of metric and dimensions the meter flushes by itself.
const maxSeries = 200

// Dimensions are the values of a metric's dimensions by their names, without the
// stage. They must not hold ids: each combination is billed as a metric.
type Dimensions map[string]string

// Options say where and how a Meter writes. All are required but where it says so.
type Options struct {
	// Out gets one Write for each line. It must not be a redacted writer that waits
	// for more.
	Out io.Writer
	// Stage is the value of the first dimension of every metric; "" is "local".
	Stage string
	Now   func() time.Time
	// Log hears of values that fit no definition, which are dropped, and of lines
	// that could not be written; nil hears nothing.
	Log *slog.Logger
}

// Meter collects the values of one process and writes them when it is told to.
// It starts no goroutine, because Lambda freezes the process between requests:
// call [Meter.Flush] before a response ends. A Meter is safe for concurrent use;
// a nil one drops everything.
type Meter struct {
	options Options
	defined map[string]env.Metric

	mu     sync.Mutex
	series []*series
	index  map[string]*series
}

// series is what was collected of one metric with the same dimensions.
type series struct {
	metric     env.Metric
	dimensions Dimensions
	values     []float64
}

// New returns a Meter that has collected nothing.
func New(o Options) *Meter {
	if o.Stage == "" {
		o.Stage = "local"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Meter{options: o, defined: map[string]env.Metric{}, index: map[string]*series{}}
	for _, metric := range env.Metrics() {
		m.defined[metric.Name] = metric
	}
	return m
}

// Add collects one value of a metric of [env.Metrics]. The dimensions must be all
// of the metric's, each with a value, and no others. What does not fit is logged
// and dropped: a metric that is wrong must not harm a request.
func (m *Meter) Add(name string, value float64, dimensions Dimensions) {
	if m == nil {
		return
	}
	metric, ok := m.defined[name]
	if !ok || !fits(metric, dimensions) {
		m.options.Log.Error("a value fits no metric and was dropped", "metric", name, "dimensions", dimensions)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := keyOf(name, dimensions)
	s := m.index[key]
	if s != nil && len(s.values) == maxValues || s == nil && len(m.series) == maxSeries {
		m.flush()
		s = nil
	}
	if s == nil {
		s = &series{metric: metric, dimensions: maps.Clone(dimensions)}
		m.index[key] = s
		m.series = append(m.series, s)
	}
	s.values = append(s.values, value)
}

// fits reports whether the dimensions are those of the metric's sets together.
func fits(metric env.Metric, dimensions Dimensions) bool {
	needed := map[string]bool{}
	for _, set := range metric.Dimensions {
		for _, name := range set {
			needed[name] = true
		}
	}
	for name := range needed {
		if dimensions[name] == "" {
			return false
		}
	}
	return len(needed) == len(dimensions)
}

func keyOf(name string, dimensions Dimensions) string {
	var key strings.Builder
	key.WriteString(name)
	for _, dimension := range slices.Sorted(maps.Keys(dimensions)) {
		key.WriteString("\x00" + dimension + "\x00" + dimensions[dimension])
	}
	return key.String()
}

// Flush writes what was collected since the last time, in as few lines as the
// format allows; it writes nothing when there is nothing.
func (m *Meter) Flush() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flush()
}

// flush writes and forgets everything; mu is held.
func (m *Meter) flush() {
	for _, l := range pack(m.series) {
		if err := m.write(l); err != nil {
			m.options.Log.Error("metrics could not be written", "error", err)
		}
	}
	m.series, m.index = nil, map[string]*series{}
}

// line is one object: metrics that agree about the values of their dimensions.
type line struct {
	series     []*series
	dimensions Dimensions
}

// pack puts the series into lines. A line has one value for each dimension and
// holds each metric once, so what disagrees goes to another line.
func pack(all []*series) []line {
	var lines []line
	for _, s := range all {
		i := slices.IndexFunc(lines, func(l line) bool { return l.takes(s) })
		if i < 0 {
			i = len(lines)
			lines = append(lines, line{dimensions: Dimensions{}})
		}
		lines[i].series = append(lines[i].series, s)
		maps.Copy(lines[i].dimensions, s.dimensions)
	}
	return lines
}

func (l line) takes(s *series) bool {
	for name, value := range s.dimensions {
		if has, ok := l.dimensions[name]; ok && has != value {
			return false
		}
	}
	return !slices.ContainsFunc(l.series, func(has *series) bool { return has.metric.Name == s.metric.Name })
}

// directive, definition and metadata are the format's own members.
type directive struct {
	Namespace  string       `json:"Namespace"`  //nolint:tagliatelle // CloudWatch's name
	Dimensions [][]string   `json:"Dimensions"` //nolint:tagliatelle // CloudWatch's name
	Metrics    []definition `json:"Metrics"`    //nolint:tagliatelle // CloudWatch's name
}

type definition struct {
	Name string `json:"Name"` //nolint:tagliatelle // CloudWatch's name
	Unit string `json:"Unit"` //nolint:tagliatelle // CloudWatch's name
}

type metadata struct {
	Timestamp         int64       `json:"Timestamp"`         //nolint:tagliatelle // CloudWatch's name
	CloudWatchMetrics []directive `json:"CloudWatchMetrics"` //nolint:tagliatelle // CloudWatch's name
}

// write writes one line. The level keeps Lambda's filter of log lines from
// dropping it.
func (m *Meter) write(l line) error {
	now := m.options.Now()
	members := map[string]any{
		"level": "INFO", "time": now.UTC().Format(time.RFC3339Nano), "msg": "metrics", env.DimensionStage: m.options.Stage,
	}
	about := metadata{Timestamp: now.UnixMilli()}
	for name, value := range l.dimensions {
		members[name] = value
	}
	for _, s := range l.series {
		members[s.metric.Name] = s.value()
		about.CloudWatchMetrics = append(about.CloudWatchMetrics, directive{
			Namespace: env.MetricNamespace, Dimensions: sets(s.metric), Metrics: []definition{{s.metric.Name, s.metric.Unit}},
		})
	}
	members["_aws"] = about
	encoded, err := json.Marshal(members)
	if err != nil {
		return fmt.Errorf("encode metrics: %w", err)
	}
	if _, err := m.options.Out.Write(append(encoded, '\n')); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// value is one number, or several as an array.
func (s *series) value() any {
	if len(s.values) == 1 {
		return s.values[0]
	}
	return s.values
}

// sets are the metric's sets of dimensions, each with the stage.
func sets(metric env.Metric) [][]string {
	all := make([][]string, 0, len(metric.Dimensions))
	for _, set := range metric.Dimensions {
		all = append(all, append([]string{env.DimensionStage}, set...))
	}
	return all
}
