package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// newStack makes one whole deployment.
func newStack(scope constructs.Construct, c config, f files) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String("easel-"+c.stage), &awscdk.StackProps{
		Description:           jsii.String("Easel, an AI generation gateway, stage " + c.stage),
		TerminationProtection: jsii.Bool(c.prod()),
		Tags:                  &map[string]*string{"app": jsii.String("easel"), "stage": jsii.String(c.stage)},
	})

	tables := newTables(stack, c)
	queues := newQueues(stack, c)
	newSecrets(stack, c)
	api := newAPI(stack, c)
	console := consoleOrigin(c, newConsole(stack, c, f, api))

	p := parts{
		stack: stack, config: c, code: f, tables: tables, queues: queues,
		assets: newAssets(stack, c, console),
		login:  newLogin(stack, c, console),
		apiURL: apiURL(stack, c, api),
	}
	specs := p.specs()
	functions := newFunctions(p, specs)
	addRoutes(api, functions, specs)
	redirectRoot(api, console)
	acceptOpenRoutes(c, api)
	feedWorker(stack, c, queues, functions[env.Worker])
	if c.waf {
		newFirewall(stack, c, api)
	}

	m := newMonitor(stack, c)
	m.watchTargets(api)
	m.watchWork(queues)
	m.watchFunctions(functions)
	newDashboard(m, api, queues, functions)

	output(stack, "ApiUrl", "The API's base URL", p.apiURL)
	output(stack, "ConsoleUrl", "The console", console+"/")
	output(stack, "AdminKeySecret", "Secret that the first admin key ends with: esl_"+env.AdminKeyID+"_<this>",
		c.secretPrefix()+env.AdminKeySecret)
	output(stack, "AssetsBucket", "Bucket of the produced files", *p.assets.BucketName())
	output(stack, "QueueUrl", "The worker's queue", *queues.work.QueueUrl())
	output(stack, "TablePrefix", "What the tables' names begin with", c.name(""))
	output(stack, "AlarmTopic", "Topic of all alarms", *m.topic.TopicArn())
	if c.apiDomain != "" {
		output(stack, "ApiDomainTarget", "Point "+c.apiDomain+" here (CNAME)", *api.DomainName().DomainNameAliasDomainName())
	}
	return stack
}

func output(stack awscdk.Stack, name, description, value string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{
		Description: jsii.String(description), Value: jsii.String(value),
	})
}
