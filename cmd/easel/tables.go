package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/dynamo"
)

const aboutTables = `
Makes the DynamoDB tables that the stack would make, or says how they are. The AWS
SDK's usual environment says where: AWS_REGION, AWS_PROFILE, and
AWS_ENDPOINT_URL_DYNAMODB for something else than AWS.`

func tables(ctx context.Context, c console, args []string) error {
	flags := newFlags(c, "tables", "create|describe [flags]", aboutTables)
	prefix := flags.String("prefix", "easel-dev-", "`text` before each table's name")
	if len(args) == 0 {
		return usagef("say create or describe")
	}
	verb := args[0]
	if verb[0] == '-' {
		verb, args = "", append([]string{""}, args...)
	}
	if err := parse(flags, args[1:]); err != nil {
		return err
	}
	if verb != "create" && verb != "describe" {
		return usagef("say create or describe, not %q", verb)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("read the AWS configuration: %w", err)
	}
	store := dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Options{Prefix: *prefix})
	if verb == "create" {
		if err := store.CreateTables(ctx); err != nil {
			return err
		}
	}
	states, err := store.DescribeTables(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TABLE\tSTATUS\tITEMS\tBYTES")
	for _, s := range states {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", s.Name, s.Status, s.Items, s.Bytes)
	}
	return w.Flush()
}
