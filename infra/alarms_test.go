package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"easel/shared/env"
)

func wantedAlarms() []string {
	names := append(make([]string, 0, 32),
		"task-success", "submit-latency", "text-latency", "error-rate", "webhook-receipt", "gateway-overhead",
		"dead-letters", "queue-age", "tick-missing", "overdue-tasks", "credit-drift", "provider-faults",
		"breaker-open", "breaker-held", "config-faults", "losses",
	)
	for _, name := range env.Functions() {
		names = append(names, name+"-errors", name+"-throttles")
	}
	return names
}

func TestEveryAlarmExistsAndTellsSomebody(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		alarms := tmpl.of("AWS::CloudWatch::Alarm")
		if len(alarms) != len(wantedAlarms()) {
			t.Errorf("%d alarms, want %d", len(alarms), len(wantedAlarms()))
		}
		for _, name := range wantedAlarms() {
			p := tmpl.one(t, "AWS::CloudWatch::Alarm", "AlarmName", "easel-"+stage+"-"+name).Properties
			for _, actions := range []string{"AlarmActions", "OKActions"} {
				if to := render(p[actions]); !strings.HasPrefix(to, "${Alarms") {
					t.Errorf("%s: %s go to %q", name, actions, to)
				}
			}
		}
	})
}

// TestTargetsAreThoseOfTheService holds the numbers that were promised.
func TestTargetsAreThoseOfTheService(t *testing.T) {
	t.Parallel()
	tmpl := synthesized(t, stageProd)
	for name, want := range map[string]struct {
		threshold  float64
		comparison string
	}{
		"task-success":    {99, "LessThanThreshold"},
		"webhook-receipt": {99, "LessThanThreshold"},
		"submit-latency":  {5000, "GreaterThanThreshold"},
		"text-latency":    {5000, "GreaterThanThreshold"},
		"error-rate":      {1, "GreaterThanThreshold"},
		"queue-age":       {300, "GreaterThanThreshold"},
		"dead-letters":    {0, "GreaterThanThreshold"},
		"credit-drift":    {0, "GreaterThanThreshold"},
		"breaker-held":    {0, "GreaterThanThreshold"},
		"losses":          {10, "GreaterThanThreshold"},
	} {
		p := tmpl.one(t, "AWS::CloudWatch::Alarm", "AlarmName", "easel-prod-"+name).Properties
		if p["Threshold"] != want.threshold || p["ComparisonOperator"] != want.comparison {
			t.Errorf("%s: %v %v", name, p["ComparisonOperator"], p["Threshold"])
		}
	}
	silent := tmpl.one(t, "AWS::CloudWatch::Alarm", "AlarmName", "easel-prod-tick-missing").Properties
	if silent["TreatMissingData"] != "breaching" {
		t.Error("a schedule that never runs would raise no alarm")
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
