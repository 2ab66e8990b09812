package main

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// finding is a rule of cdk-nag that a construct breaks on purpose, and why.
type finding struct{ rule, reason string }

// accept records the findings on the construct and what is inside it. The tests
// run the AwsSolutions rules and fail on anything that is not accepted here.
func accept(scope constructs.IConstruct, findings ...finding) {
	suppressions := make([]*cdknag.NagPackSuppression, 0, len(findings))
	for _, f := range findings {
		suppressions = append(suppressions, &cdknag.NagPackSuppression{
			Id: jsii.String(f.rule), Reason: jsii.String(f.reason),
		})
	}
	cdknag.NagSuppressions_AddResourceSuppressions(scope, &suppressions, jsii.Bool(true))
}
