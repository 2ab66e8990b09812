package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/jsii-runtime-go"
)

// feedWorker lets the queue and a tick every minute start the worker.
func feedWorker(stack awscdk.Stack, c config, q queues, worker awslambda.Function) {
	awslambda.NewEventSourceMapping(stack, jsii.String("WorkToWorker"), &awslambda.EventSourceMappingProps{
		Target:                  worker,
		EventSourceArn:          q.work.QueueArn(),
		BatchSize:               jsii.Number(1), // a message may take minutes; none waits behind another
		MaxConcurrency:          jsii.Number(c.workerConcurrency),
		ReportBatchItemFailures: jsii.Bool(true),
	})
	role := awsiam.NewRole(stack, jsii.String("Role-schedule"), &awsiam.RoleProps{
		Description: jsii.String("Lets the schedule start Easel's worker"),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
		}),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"access": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
				allow("Tick", []string{"lambda:InvokeFunction"}, *worker.FunctionArn()),
			}}),
		},
	})
	awsscheduler.NewCfnSchedule(stack, jsii.String("Tick"), &awsscheduler.CfnScheduleProps{
		Name:               jsii.String(c.name("tick")),
		Description:        jsii.String("Finds the tasks that are due"),
		ScheduleExpression: jsii.String("rate(1 minute)"),
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn: worker.FunctionArn(), RoleArn: role.RoleArn(), Input: jsii.String(tick),
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumRetryAttempts: jsii.Number(0), MaximumEventAgeInSeconds: jsii.Number(60),
			},
		},
	})
}

// tick is the event of the schedule: that of EventBridge Scheduler, whose source
// tells the worker that it is no message, with the minute that it was due.
const tick = `{"version":"0","id":"<aws.scheduler.execution-id>","source":"aws.scheduler",` +
	`"detail-type":"Scheduled Event","time":"<aws.scheduler.scheduled-time>","detail":{}}`
