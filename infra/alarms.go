package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// monitor makes alarms that tell one topic.
type monitor struct {
	stack  awscdk.Stack
	config config
	topic  awssns.Topic
	alarms []interfacesawscloudwatch.IAlarmRef
}

func newMonitor(stack awscdk.Stack, c config) *monitor {
	topic := awssns.NewTopic(stack, jsii.String("Alarms"), &awssns.TopicProps{
		TopicName: jsii.String(c.name("alarms")), EnforceSSL: jsii.Bool(true),
	})
	// A topic with a policy of its own no longer has the default one, which let alarms in.
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("AlarmsMayPublish"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
	}))
	if c.alarmEmail != "" {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(c.alarmEmail), nil))
	}
	accept(topic, finding{"AwsSolutions-SNS2", "a message is an alarm's name and a number; CloudWatch could publish to an encrypted topic only with a key of its own, at a dollar a month"})
	return &monitor{stack: stack, config: c, topic: topic}
}

// own is a metric that the functions publish; dimensions go without the stage.
func (m *monitor) own(name, statistic string, dimensions map[string]string) awscloudwatch.Metric {
	all := map[string]*string{env.DimensionStage: jsii.String(m.config.stage)}
	for dimension, value := range dimensions {
		all[dimension] = jsii.String(value)
	}
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(env.MetricNamespace), MetricName: jsii.String(name), DimensionsMap: &all,
		Statistic: jsii.String(statistic), Period: fiveMinutes(),
	})
}

func fiveMinutes() awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(5)) }

// trend is how many things must have happened in a period before their share
// means anything: one of three is no trend.
const trend = 20

// percent is the share of part in whole, both made of the metrics in of; with
// less than a trend it is idle.
func percent(label, part, whole, idle string, of map[string]awscloudwatch.IMetric) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Label:        jsii.String(label),
		Expression:   jsii.String(fmt.Sprintf("IF((%[2]s) >= %[4]d, 100 * (%[1]s) / (%[2]s), %[3]s)", part, whole, idle, trend)),
		UsingMetrics: &of, Period: fiveMinutes(),
	})
}

// alarm is one thing to be told about.
type alarm struct {
	// id is the last part of the alarm's name, for good: dashboards and runbooks link it.
	id, description string
	metric          awscloudwatch.IMetric
	threshold       float64
	// below alarms under the threshold instead of over it.
	below bool
	// of and out say that out of that many five-minute periods must be bad; 0 is 1.
	out, of float64
	// silence alarms when there are no values at all.
	silence bool
}

func (m *monitor) watch(a alarm) {
	comparison := awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD
	if a.below {
		comparison = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	missing := awscloudwatch.TreatMissingData_NOT_BREACHING
	if a.silence {
		missing = awscloudwatch.TreatMissingData_BREACHING
	}
	made := awscloudwatch.NewAlarm(m.stack, jsii.String("Alarm-"+a.id), &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String(m.config.name(a.id)),
		AlarmDescription:   jsii.String(a.description + " See docs/deploy.md, alarms: " + a.id + "."),
		Metric:             a.metric,
		Threshold:          jsii.Number(a.threshold),
		ComparisonOperator: comparison,
		EvaluationPeriods:  jsii.Number(max(a.of, 1)),
		DatapointsToAlarm:  jsii.Number(max(a.out, 1)),
		TreatMissingData:   missing,
	})
	action := awscloudwatchactions.NewSnsAction(m.topic)
	made.AddAlarmAction(action)
	made.AddOkAction(action)
	m.alarms = append(m.alarms, made)
}

// watchTargets makes the alarms of what the service promises.
func (m *monitor) watchTargets(api awsapigateway.RestApi) {
	m.watch(alarm{
		id: "task-success", description: "Fewer than 99 % of the tasks that ended by our doing succeeded.",
		metric: m.successRate(), threshold: 99, below: true, out: 2, of: 3,
	})
	m.watch(alarm{
		id: "submit-latency", description: "Accepting a task takes more than 5 seconds on average.",
		metric:    m.own(env.MetricLatency, "Average", map[string]string{env.DimensionOperation: env.OperationSubmit}),
		threshold: 5000, out: 2, of: 3,
	})
	m.watch(alarm{
		id: "text-latency", description: "Text answers begin after more than 5 seconds on average.",
		metric:    m.own(env.MetricLatency, "Average", map[string]string{env.DimensionOperation: env.OperationText}),
		threshold: 5000, out: 2, of: 3,
	})
	m.watch(alarm{
		id: "error-rate", description: "More than 1 % of the requests got a server error.",
		metric: percent("server errors", "e", "n", "0", map[string]awscloudwatch.IMetric{
			"e": api.MetricServerError(&awscloudwatch.MetricOptions{Period: fiveMinutes(), Statistic: jsii.String("Sum")}),
			"n": api.MetricCount(&awscloudwatch.MetricOptions{Period: fiveMinutes(), Statistic: jsii.String("SampleCount")}),
		}),
		threshold: 1, out: 2, of: 3,
	})
	m.watch(alarm{
		id: "webhook-receipt", description: "Fewer than 99 % of the promised webhooks came; polls bring the results, but later.",
		metric: m.receiptRate(), threshold: 99, below: true, out: 2, of: 3,
	})
	m.watch(alarm{
		id: "gateway-overhead", description: "The slowest 1 % of the requests spend over 2 seconds outside of the functions.",
		metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Label: jsii.String("overhead p99"), Expression: jsii.String("l - i"), Period: fiveMinutes(),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"l": api.MetricLatency(&awscloudwatch.MetricOptions{Period: fiveMinutes(), Statistic: jsii.String("p99")}),
				"i": api.MetricIntegrationLatency(&awscloudwatch.MetricOptions{Period: fiveMinutes(), Statistic: jsii.String("p99")}),
			},
		}),
		threshold: 2000, out: 3, of: 3,
	})
}

// successRate leaves out what a caller ended: canceled, and refused for its content or input.
func (m *monitor) successRate() awscloudwatch.IMetric {
	tasks := func(outcome string) awscloudwatch.IMetric {
		return m.own(env.MetricTasks, "Sum", map[string]string{env.DimensionOutcome: outcome})
	}
	return percent("tasks succeeded", "FILL(s, 0)", "FILL(s, 0) + FILL(f, 0) + FILL(x, 0)", "100", map[string]awscloudwatch.IMetric{
		"s": tasks(env.OutcomeSucceeded), "f": tasks(env.OutcomeFailed), "x": tasks(env.OutcomeExpired),
	})
}

func (m *monitor) receiptRate() awscloudwatch.IMetric {
	receipts := func(outcome string) awscloudwatch.IMetric {
		return m.own(env.MetricWebhookReceipts, "Sum", map[string]string{env.DimensionOutcome: outcome})
	}
	return percent("webhooks received", "FILL(r, 0)", "FILL(r, 0) + FILL(m, 0)", "100", map[string]awscloudwatch.IMetric{
		"r": receipts(env.OutcomeReceived), "m": receipts(env.OutcomeMissed),
	})
}

// providerFaultRate is the share of attempts that failed by the provider's fault or ours.
func (m *monitor) providerFaultRate() awscloudwatch.IMetric {
	return percent("provider faults", "FILL(f, 0)", "FILL(n, 0)", "0", map[string]awscloudwatch.IMetric{
		"f": m.own(env.MetricProviderFaults, "Sum", nil), "n": m.own(env.MetricAttempts, "Sum", nil),
	})
}

// watchWork makes the alarms of the queue, the schedule and the books.
func (m *monitor) watchWork(q queues) {
	m.watch(alarm{
		id: "dead-letters", description: "A message failed five times; its task is swept, but something is broken.",
		metric: q.dead.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
			Period: fiveMinutes(), Statistic: jsii.String("Maximum"),
		}),
	})
	m.watch(alarm{
		id: "queue-age", description: "Messages wait for more than 5 minutes: the worker is too small, or fails.",
		metric: q.work.MetricApproximateAgeOfOldestMessage(&awscloudwatch.MetricOptions{
			Period: fiveMinutes(), Statistic: jsii.String("Maximum"),
		}),
		threshold: 300,
	})
	m.watch(alarm{
		id: "tick-missing", description: "The schedule did not finish a run for 5 minutes: lost tasks stay lost meanwhile.",
		metric: m.own(env.MetricTicks, "Sum", nil), threshold: 1, below: true, silence: true,
	})
	m.watch(alarm{
		id: "overdue-tasks", description: "Tasks are open past their deadline, and hold their callers' credits.",
		metric: m.own(env.MetricOverdue, "Minimum", nil), out: 2, of: 2,
	})
	m.watch(alarm{
		id: "credit-drift", description: "An account's books do not add up. Stop and look before anything else.",
		metric: m.own(env.MetricCreditDrift, "Maximum", nil),
	})
	m.watch(alarm{
		id: "losses", description: "Providers did work more than ten times in five minutes that nobody paid for.",
		metric: m.own(env.MetricLosses, "Sum", nil), threshold: 10,
	})
	m.watch(alarm{
		id: "provider-faults", description: "More than 10 % of the attempts failed by the providers' fault or ours.",
		metric: m.providerFaultRate(), threshold: 10, out: 2, of: 3,
	})
	m.watch(alarm{
		id: "breaker-open", description: "A config is left alone because it kept failing.",
		metric: m.own(env.MetricBreakerState, "Maximum", nil), threshold: 1, out: 2, of: 2,
	})
	m.watch(alarm{
		id: "breaker-held", description: "A config waits for its operator: a key, a balance or a model must be mended.",
		metric: m.own(env.MetricBreakersHeld, "Minimum", nil), out: 2, of: 2,
	})
	m.watch(alarm{
		id: "config-faults", description: "A provider refused our key, our account is out of credit, or a model is gone.",
		metric: m.own(env.MetricConfigFaults, "Sum", nil),
	})
}

// watchFunctions makes two alarms per function.
func (m *monitor) watchFunctions(functions map[string]awslambda.Function) {
	for _, name := range env.Functions() {
		options := &awscloudwatch.MetricOptions{Period: fiveMinutes(), Statistic: jsii.String("Sum")}
		m.watch(alarm{
			id: name + "-errors", description: "The function " + name + " crashed or ran out of time.",
			metric: functions[name].MetricErrors(options),
		})
		m.watch(alarm{
			id: name + "-throttles", description: "The function " + name + " was refused more environments.",
			metric: functions[name].MetricThrottles(options),
		})
	}
}
