package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"easel/shared/env"
)

func TestEveryAlarmExistsAndTellsSomebody(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		alarms := tmpl.of("AWS::CloudWatch::Alarm")
		if len(alarms) != len(wantedAlarms()) {
			t.Errorf("%d alarms, want %d", len(alarms), len(wantedAlarms()))
		}
		for name := range wantedAlarms() {
			p := tmpl.one(t, "AWS::CloudWatch::Alarm", "AlarmName", "easel-"+stage+"-"+name).Properties
			for _, actions := range []string{"AlarmActions", "OKActions"} {
				if to := render(p[actions]); !strings.HasPrefix(to, "${Alarms") {
					t.Errorf("%s: %s go to %q", name, actions, to)
				}
			}
		}
	})
}

// wantedAlarms says of each alarm when it rings: "over" or "under" a threshold, in
// how many of how many periods of five minutes, and "silence" for one that rings
// without values too.
func wantedAlarms() map[string]string {
	wanted := map[string]string{
		// The promises: over 99 % of tasks succeed and of webhooks come, answers take
		// under 5 seconds on average, under 1 % of requests fail.
		"task-success":     "under 99, 2 of 3",
		"submit-latency":   "over 5000, 2 of 3",
		"text-latency":     "over 5000, 2 of 3",
		"error-rate":       "over 1, 2 of 3",
		"webhook-receipt":  "under 99, 2 of 3",
		"gateway-overhead": "over 2000, 3 of 3",
		// The work behind them.
		"dead-letters":    "over 0, 1 of 1",
		"queue-age":       "over 300, 1 of 1",
		"tick-missing":    "under 1, 1 of 1, silence",
		"overdue-tasks":   "over 0, 2 of 2",
		"credit-drift":    "over 0, 1 of 1",
		"losses":          "over 10, 1 of 1",
		"provider-faults": "over 10, 2 of 3",
		"breaker-open":    "over 1, 2 of 2",
		"breaker-held":    "over 0, 2 of 2",
		"config-faults":   "over 0, 1 of 1",
	}
	for _, name := range env.Functions() {
		wanted[name+"-errors"], wanted[name+"-throttles"] = "over 0, 1 of 1", "over 0, 1 of 1"
	}
	return wanted
}

// TestEveryAlarmRingsWhenItShould holds the numbers that were promised, and lets no
// alarm come or go unnoticed.
func TestEveryAlarmRingsWhenItShould(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		found := map[string]string{}
		for _, alarm := range tmpl.of("AWS::CloudWatch::Alarm") {
			p := alarm.Properties
			side := map[any]string{"GreaterThanThreshold": "over", "LessThanThreshold": "under"}[p["ComparisonOperator"]]
			rings := fmt.Sprintf("%s %v, %v of %v", side, p["Threshold"], p["DatapointsToAlarm"], p["EvaluationPeriods"])
			if p["TreatMissingData"] == "breaching" {
				rings += ", silence"
			}
			found[strings.TrimPrefix(render(p["AlarmName"]), "easel-"+stage+"-")] = rings
			for _, period := range periods(p) {
				if period != 300.0 {
					t.Errorf("%v looks at periods of %v seconds", p["AlarmName"], period)
				}
			}
		}
		for name, want := range wantedAlarms() {
			if found[name] != want {
				t.Errorf("%s rings %q, want %q", name, found[name], want)
			}
			delete(found, name)
		}
		for name := range found {
			t.Errorf("nobody expects the alarm %s", name)
		}
	})
}

// periods are those of an alarm's metrics.
func periods(p map[string]any) []any {
	if p["Period"] != nil {
		return []any{p["Period"]}
	}
	var found []any
	for _, one := range list(p["Metrics"]) {
		if metric := at(one, "MetricStat"); metric != nil {
			found = append(found, at(metric, "Period"))
		}
	}
	return found
}

// TestSharesNeedEnoughToBeOne: of three requests one failure is no trend, and no
// requests are no failure.
func TestSharesNeedEnoughToBeOne(t *testing.T) {
	t.Parallel()
	tmpl := synthesized(t, stageProd)
	for name, want := range map[string]string{
		"task-success":    "IF((FILL(s, 0) + FILL(f, 0) + FILL(x, 0)) >= 20, 100 * (FILL(s, 0)) / (FILL(s, 0) + FILL(f, 0) + FILL(x, 0)), 100)",
		"webhook-receipt": "IF((FILL(r, 0) + FILL(m, 0)) >= 20, 100 * (FILL(r, 0)) / (FILL(r, 0) + FILL(m, 0)), 100)",
		"error-rate":      "IF((n) >= 20, 100 * (e) / (n), 0)",
		"provider-faults": "IF((FILL(n, 0)) >= 20, 100 * (FILL(f, 0)) / (FILL(n, 0)), 0)",
	} {
		p := tmpl.one(t, "AWS::CloudWatch::Alarm", "AlarmName", "easel-prod-"+name).Properties
		var expression string
		for _, one := range list(p["Metrics"]) {
			if text, ok := at(one, "Expression").(string); ok {
				expression = text
			}
		}
		if expression != want {
			t.Errorf("%s is %s", name, expression)
		}
	}
	for name, statistic := range map[string]string{"submit-latency": "Average", "text-latency": "Average", "credit-drift": "Maximum", "queue-age": "Maximum"} {
		p := tmpl.one(t, "AWS::CloudWatch::Alarm", "AlarmName", "easel-prod-"+name).Properties
		if p["Statistic"] != statistic {
			t.Errorf("%s looks at the %v", name, p["Statistic"])
		}
	}
}

// TestAlarmsWatchOnlyWhatFunctionsPublish compares each alarm's own metrics with
// the one definition of metrics.
func TestAlarmsWatchOnlyWhatFunctionsPublish(t *testing.T) {
	t.Parallel()
	published := map[string]bool{}
	for _, metric := range env.Metrics() {
		for _, set := range metric.Dimensions {
			names := slices.Sorted(slices.Values(append([]string{env.DimensionStage}, set...)))
			published[metric.Name+" by "+strings.Join(names, " ")] = true
		}
	}
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		seen := 0
		for id, alarm := range tmpl.of("AWS::CloudWatch::Alarm") {
			watched := []any{map[string]any{"MetricStat": map[string]any{"Metric": alarm.Properties}}}
			if many := list(alarm.Properties["Metrics"]); many != nil {
				watched = many
			}
			for _, one := range watched {
				metric := at(one, "MetricStat", "Metric")
				if at(metric, "Namespace") != env.MetricNamespace {
					continue
				}
				seen++
				names := map[string]any{}
				for _, dimension := range list(at(metric, "Dimensions")) {
					names[render(at(dimension, "Name"))] = at(dimension, "Value")
				}
				name := render(at(metric, "MetricName")) + " by " + strings.Join(slices.Sorted(maps.Keys(names)), " ")
				if !published[name] || names[env.DimensionStage] != stage {
					t.Errorf("%s watches %s of stage %v, which nobody publishes", id, name, names[env.DimensionStage])
				}
			}
		}
		if seen < 12 {
			t.Errorf("only %d metrics of our own are watched", seen)
		}
	})
}

func TestTheDashboardShowsEveryMetric(t *testing.T) {
	t.Parallel()
	tmpl := synthesized(t, stageProd)
	body := render(tmpl.one(t, "AWS::CloudWatch::Dashboard", "DashboardName", "easel-prod-overview").Properties["DashboardBody"])
	for _, metric := range env.Metrics() {
		if elsewhere := []string{env.MetricConfigFaults, env.MetricTicks, env.MetricQueueAge}; slices.Contains(elsewhere, metric.Name) {
			continue // alarms, and SQS's own age
		}
		if !strings.Contains(body, metric.Name) {
			t.Errorf("the dashboard lacks %s", metric.Name)
		}
	}
}

func TestAlarmsReachTheTopicAndTheTopicTheOperator(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		policy := policies(tmpl, "AWS::SNS::TopicPolicy")
		if !strings.Contains(policy, `"Service":"cloudwatch.amazonaws.com"`) || !strings.Contains(policy, `"aws:SecureTransport":"false"`) {
			t.Errorf("the topic's policy is %s", policy)
		}
		if got := len(tmpl.of("AWS::SNS::Subscription")); (got == 1) != (stage == stageProd) {
			t.Errorf("%d subscriptions", got)
		}
	})
}
