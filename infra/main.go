// Command infra is the CDK app: it writes the CloudFormation template of one
// Easel deployment from the context values that docs/deploy.md lists.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	err := run()
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

func run() error {
	app := awscdk.NewApp(nil)
	c, err := parseConfig(contextOf(app))
	if err != nil {
		return err
	}
	files := files{functions: "../dist", console: "../web/dist"}
	if err := files.check(); err != nil {
		return err
	}
	newStack(app, c, files)
	app.Synth(nil)
	return nil
}
