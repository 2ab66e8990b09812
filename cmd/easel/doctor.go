package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/env"
)

const aboutDoctor = `
Checks a gateway and everything that it needs, without any paid call, and says what
to do about what it finds. With -server it asks a running gateway through its admin
API. With -stage it looks at a deployment from inside, with your AWS credentials:
it reads the environment of the stage's admin function, and then tables, secrets,
queues, bucket, clock, each config's key and address, and the signatures of webhooks.
Without either it takes the environment of this process for that of a function.
The exit code is 1 when a check failed; warnings alone do not count.`

// verdict is how a check came out.
type verdict string

const (
	verdictOK   verdict = "ok"
	verdictWarn verdict = "warn"
	verdictFail verdict = "fail"
)

// finding is what one check found. None of its texts holds a secret.
type finding struct {
	Check  string  `json:"check"`
	Status verdict `json:"status"`
	Detail string  `json:"detail"`
	// Fix is what to do; "" where nothing is.
	Fix string `json:"fix,omitempty"`
}

func fine(check, format string, args ...any) finding {
	return finding{check, verdictOK, fmt.Sprintf(format, args...), ""}
}

func warning(check, fix, format string, args ...any) finding {
	return finding{check, verdictWarn, fmt.Sprintf(format, args...), fix}
}

func failure(check, fix, format string, args ...any) finding {
	return finding{check, verdictFail, fmt.Sprintf(format, args...), fix}
}

// check looks at one thing and may find several.
type check func(ctx context.Context) []finding

// checkTimeout bounds one check.
const checkTimeout = 20 * time.Second

// examine runs the checks at once and returns their findings in the checks' order.
func examine(ctx context.Context, checks []check) []finding {
	found := make([][]finding, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			found[i] = c(ctx)
		})
	}
	all.Wait()
	list := make([]finding, 0, len(found))
	for _, f := range found {
		list = append(list, f...)
	}
	return list
}

func doctor(ctx context.Context, c console, args []string) error {
	flags := newFlags(c, "doctor", "[flags]", aboutDoctor)
	server := flags.String("server", "", "`URL` of a running gateway")
	stage := flags.String("stage", "", "`name` of a deployed stage, dev or prod, in the region of AWS_REGION")
	key := flags.String("key", "", "admin `key` for -server (default: "+env.AdminKey+")")
	asJSON := flags.Bool("json", false, "print the findings as JSON")
	if err := parse(flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usagef("unexpected argument %q", flags.Arg(0))
	}
	if *server != "" && *stage != "" {
		return usagef("-server and -stage exclude one another")
	}
	var found []finding
	if *server == "" {
		found = examineDeployment(ctx, *stage)
	} else {
		options, err := local.FromEnvironment()
		if err != nil {
			return err
		}
		admin := newAdminClient(*server, cmp.Or(*key, options.AdminKey.Reveal()))
		found = examineGateway(ctx, admin)
	}
	return conclude(c.out, found, *asJSON)
}

// conclude prints the findings; its error counts those that failed.
func conclude(w io.Writer, found []finding, asJSON bool) error {
	failed := 0
	for _, f := range found {
		if f.Status == verdictFail {
			failed++
		}
	}
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(found); err != nil {
			return err
		}
	} else if err := printFindings(w, found); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(found))
	}
	return nil
}

func printFindings(w io.Writer, found []finding) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CHECK\tSTATUS\tDETAIL\tWHAT TO DO")
	for _, f := range found {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Check, f.Status, oneLine(f.Detail), oneLine(f.Fix))
	}
	return table.Flush()
}

// oneLine keeps a text from breaking the table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// The skews of the clock that matter: providers' webhooks are refused when they
// seem older than five minutes, and AWS refuses requests of that skew.
const (
	skewWarn = 5 * time.Second
	skewFail = 2 * time.Minute
)

// checkHealth asks for the liveness check, and compares the clocks by its answer.
func checkHealth(client *http.Client, base string, now func() time.Time) check {
	return func(ctx context.Context) []finding {
		begun := now()
		response, err := get(ctx, client, http.MethodGet, base+"/healthz", nil)
		took := now().Sub(begun)
		if err != nil {
			return []finding{failure("gateway", "start it, or correct the address", "%s/healthz does not answer: %v", base, err)}
		}
		if response.status != http.StatusOK {
			return []finding{failure("gateway", "look at the task function's log", "%s/healthz answered %d", base, response.status)}
		}
		return []finding{
			fine("gateway", "answers in %d ms", took.Milliseconds()),
			clockFinding(response.header, begun.Add(took/2)),
		}
	}
}

// clockFinding compares the Date of an answer with the time it was made.
func clockFinding(header http.Header, at time.Time) finding {
	const fix = "set this machine's clock by NTP"
	date, err := http.ParseTime(cmp.Or(header.Get("Date"), header.Get("X-Amzn-Remapped-Date")))
	if err != nil {
		return warning("clock", "", "the answer has no Date to compare with")
	}
	skew := at.Sub(date).Abs()
	switch {
	case skew > skewFail:
		return failure("clock", fix, "is %s off the gateway's: signatures will be refused", skew.Round(time.Second))
	case skew > skewWarn:
		return warning("clock", fix, "is %s off the gateway's", skew.Round(time.Second))
	}
	return fine("clock", "agrees with the gateway's within %s", skewWarn)
}

// checkWebhook makes sure that providers' reports arrive, and that a forged one
// is refused.
func checkWebhook(client *http.Client, publicURL string) check {
	return func(ctx context.Context) []finding {
		if publicURL == "" {
			return []finding{warning("webhooks", "set "+env.PublicURL, "the gateway has no public address: results are polled for")}
		}
		address := publicURL + "/api/webhooks/replicate?task=task_doctor&attempt=att_doctor"
		response, err := get(ctx, client, http.MethodPost, address, http.Header{
			"Content-Type": {"application/json"}, "Webhook-Id": {"doctor"}, "Webhook-Timestamp": {"1"}, "Webhook-Signature": {"v1,Zm9yZ2Vk"},
		})
		if err != nil {
			return []finding{failure("webhooks", "make the public address reach the gateway", "%s cannot be reached: %v", publicURL, err)}
		}
		switch response.status {
		case http.StatusUnauthorized, http.StatusNotFound:
		default:
			return []finding{failure("webhooks", "the route does not lead to the webhook function: deploy the stack again",
				"a forged report was answered %d instead of 401 or 404", response.status)}
		}
		if isLocal(publicURL) {
			return []finding{warning("webhooks", "only simulated providers can report here; results of real ones are polled for",
				"a forged report is refused, but %s is an address of this machine", publicURL)}
		}
		return []finding{fine("webhooks", "%s is reachable, and a forged report is refused", publicURL)}
	}
}

// checkReach sees whether a base URL answers at all; any status will do, because
// nothing is asked for and no key is shown.
func checkReach(ctx context.Context, client *http.Client, base string) error {
	_, err := get(ctx, client, http.MethodHead, base, nil)
	return err
}
