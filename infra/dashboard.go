package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// third and whole are widths of widgets; a row has 24 columns.
const (
	third = 8
	whole = 24
)

// newDashboard shows an operator, from top to bottom: is anything wrong, do the
// promises hold, which provider is to blame, what does it cost, is there room.
func newDashboard(m *monitor, api awsapigateway.RestApi, q queues, functions map[string]awslambda.Function) {
	dashboard := awscloudwatch.NewDashboard(m.stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String(m.config.name("overview")),
		DefaultInterval: awscdk.Duration_Hours(jsii.Number(3)),
	})
	for _, row := range [][]awscloudwatch.IWidget{
		{awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
			Title: jsii.String("Alarms"), Alarms: &m.alarms, Width: jsii.Number(whole), Height: jsii.Number(5),
		})},
		m.promises(),
		m.traffic(api),
		m.providers(),
		m.breakers(),
		m.money(),
		m.room(q, functions),
	} {
		dashboard.AddWidgets(row...)
	}
}

func (m *monitor) promises() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph("Tasks succeeded, % (target over 99)", m.successRate()),
		graph("Webhooks received, % (target over 99)", m.receiptRate()),
		graph("Mean time to answer, ms (target under 5000)", m.search(env.MetricLatency, "Average")),
	}
}

func (m *monitor) traffic(api awsapigateway.RestApi) []awscloudwatch.IWidget {
	sum := &awscloudwatch.MetricOptions{Period: fiveMinutes(), Statistic: jsii.String("Sum")}
	return []awscloudwatch.IWidget{
		graph("Requests by function and outcome", m.search(env.MetricRequests, "Sum")),
		graph("Tasks by outcome", m.search(env.MetricTasks, "Sum")),
		graph("Errors at the gateway", api.MetricClientError(sum), api.MetricServerError(sum)),
	}
}

func (m *monitor) providers() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph("Attempts by provider and class", m.search(env.MetricAttempts, "Sum")),
		graph("Failovers, faults, and breakers (2 is open)",
			m.own(env.MetricFailovers, "Sum", nil), m.own(env.MetricProviderFaults, "Sum", nil), m.search(env.MetricBreakerState, "Maximum")),
		graph("Webhooks by outcome, and their lag p95 in ms", m.search(env.MetricWebhookReceipts, "Sum"), m.search(env.MetricWebhookLag, "p95")),
	}
}

func (m *monitor) breakers() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph("Changes of breakers", m.search(env.MetricBreakerChanges, "Sum")),
		graph("Configs that wait to be mended (0)", m.own(env.MetricBreakersHeld, "Maximum", nil)),
		graph("Models that vendors end or do not list (0)", m.own(env.MetricModelFindings, "Maximum", nil)),
	}
}

func (m *monitor) money() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph("Credits charged", m.search(env.MetricCredits, "Sum")),
		graph("Cost at the providers, and of it for nothing, micro-USD", m.search(env.MetricProviderCost, "Sum"), m.own(env.MetricLossCost, "Sum", nil)),
		graph("Time to the end of a task p95, ms", m.search(env.MetricTaskDuration, "p95")),
	}
}

func (m *monitor) room(q queues, functions map[string]awslambda.Function) []awscloudwatch.IWidget {
	maximum := &awscloudwatch.MetricOptions{Period: fiveMinutes(), Statistic: jsii.String("Maximum")}
	concurrency := make([]awscloudwatch.IMetric, 0, len(functions))
	for _, name := range env.Functions() {
		concurrency = append(concurrency, functions[name].Metric(jsii.String("ConcurrentExecutions"), &awscloudwatch.MetricOptions{
			Period: fiveMinutes(), Statistic: jsii.String("Maximum"), Label: jsii.String(name),
		}))
	}
	return []awscloudwatch.IWidget{
		graph("Messages: waiting, oldest in seconds, dead",
			q.work.MetricApproximateNumberOfMessagesVisible(maximum),
			q.work.MetricApproximateAgeOfOldestMessage(maximum),
			q.dead.MetricApproximateNumberOfMessagesVisible(maximum)),
		graph("Running at the same time", concurrency...),
		graph("Overdue tasks, credit drift and losses (all 0)",
			m.own(env.MetricOverdue, "Maximum", nil), m.own(env.MetricCreditDrift, "Maximum", nil), m.own(env.MetricLosses, "Sum", nil)),
	}
}

func graph(heading string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(heading), Left: &metrics, Width: jsii.Number(third), Height: jsii.Number(6),
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0), ShowUnits: jsii.Bool(false)},
	})
}

// search finds every combination of a metric's last set of dimensions, so that a
// new provider appears by itself.
func (m *monitor) search(name, statistic string) awscloudwatch.IMetric {
	var names []string
	for _, metric := range env.Metrics() {
		if metric.Name == name {
			names = metric.Dimensions[len(metric.Dimensions)-1]
		}
	}
	schema := strings.Join(append([]string{env.MetricNamespace, env.DimensionStage}, names...), ",")
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Label: jsii.String(""), Period: fiveMinutes(),
		Expression: jsii.String(fmt.Sprintf(`SEARCH('{%s} MetricName="%s" %s="%s"', '%s', 300)`,
			schema, name, env.DimensionStage, m.config.stage, statistic)),
	})
}
