package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// TestTheStackKeepsTheAwsSolutionsRules runs cdk-nag. What breaks a rule on
// purpose is accepted, with its reason, beside the resource.
func TestTheStackKeepsTheAwsSolutionsRules(t *testing.T) {
	t.Parallel()
	needNode(t)
	for stage, values := range map[string]map[string]any{stageDev: bare(), stageProd: full()} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			kernel.Lock()
			defer kernel.Unlock()
			// Otherwise the first finding would end the synthesis without naming the others.
			values["@aws-cdk/core:annotationsInValidationReport"] = false
			app, stack := build(values)
			awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
			annotations := assertions.Annotations_FromStack(stack)
			for _, found := range *annotations.FindError(jsii.String("*"), assertions.Match_AnyValue()) {
				t.Errorf("%v", found.Entry.Data)
			}
			for _, found := range *annotations.FindWarning(jsii.String("*"), assertions.Match_AnyValue()) {
				t.Errorf("warning: %v", found.Entry.Data)
			}
		})
	}
}

// TestTemplatesAreValid lets the CDK check both templates against CloudFormation's
// schemas. That is switched by the environment of the CDK's own process, which is
// fixed when the test binary starts, so it happens in a second run of it.
func TestTemplatesAreValid(t *testing.T) {
	t.Parallel()
	needNode(t)
	if *validate {
		synthesize(bare())
		synthesize(full())
		if !refused() {
			t.Error("the validation found nothing wrong with a broken template, so it is off")
		}
		return
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTemplatesAreValid$", "-validate")
	again.Env = append(os.Environ(), "CDK_VALIDATION=true")
	if output, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// refused reports whether the CDK refuses a queue with a property that is none.
func refused() (caught bool) {
	defer func() { caught = recover() != nil }()
	kernel.Lock()
	defer kernel.Unlock()
	_, stack := build(bare())
	awscdk.NewCfnResource(stack, jsii.String("Broken"), &awscdk.CfnResourceProps{
		Type: jsii.String("AWS::SQS::Queue"), Properties: &map[string]any{"Colour": "red"},
	})
	assertions.Template_FromStack(stack, nil)
	return false
}
