package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The markers between which the tables stand.
const (
	begin = "<!-- cost:begin -->\n"
	end   = "<!-- cost:end -->\n"
)

// List prices of us-east-1 in US$.
const (
	perRequest     = 3.50 / 1e6
	perFirewall    = 0.60 / 1e6
	perInvocation  = 0.20 / 1e6
	perGBSecond    = 0.0000133334
	perReadUnit    = 0.125 / 1e6
	perWriteUnit   = 0.625 / 1e6
	perQueueCall   = 0.40 / 1e6
	perPut         = 5.00 / 1e6
	perGet         = 0.40 / 1e6
	perGBMonth     = 0.023
	perLogGB       = 0.50
	perSecretRead  = 0.05 / 1e4
	perTick        = 1.00 / 1e6
	secretsAMonth  = 2 * 0.40
	ticksAMonth    = 43_200
	queueCalls     = 3 // a message is sent, received and deleted
	pictureMB      = 2.0
	textSeconds    = 15.0
	functionMemory = 0.25 // GB
)

// row is one line of a table.
type row struct {
	part, counted string
	dollars       float64
}

// render returns all tables as markdown.
func render(m measurements) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured by `make cost`: %d requests of each kind through the built functions, with the calls to each service counted and\n"+
		"priced at the list prices of us-east-1. The simulated providers answer at once, so Lambda's time is the gateway's own, on the\n"+
		"machine that measured; a provider's time is added where a function is held for it.\n\n", m.n)
	fmt.Fprintf(&b, "Per 1,000 image tasks, submitted without waiting, ended by webhook, polled %d times, %g MB each, kept for 30 days:\n\n", polls, pictureMB)
	table(&b, append(common(m.image),
		row{
			"S3", fmt.Sprintf("%.1f PUT, %.1f GET; %g GB-months", m.image.bucketPuts, m.image.bucketGets, pictureMB),
			1000*(m.image.bucketPuts*perPut+m.image.bucketGets*perGet) + pictureMB*perGBMonth,
		}))
	fmt.Fprintf(&b, "\nPer 1,000 text calls, each streamed for %g seconds:\n\n", textSeconds)
	table(&b, append(common(m.text),
		row{"Lambda, held", fmt.Sprintf("%g s of the provider's time at %g GB", textSeconds, functionMemory), 1000 * textSeconds * functionMemory * perGBSecond}))
	b.WriteString("\nPer idle month, without the optional firewall and alarms:\n\n")
	t := m.tick
	table(&b, []row{
		{"Lambda", fmt.Sprintf("%d ticks of %.0f ms", ticksAMonth, t.lambdaMS), ticksAMonth * (t.invocations*perInvocation + t.gbSeconds*perGBSecond)},
		{
			"DynamoDB", fmt.Sprintf("%.1f calls a tick: %.1f read and %.1f write units", t.dynamoCalls, t.readUnits, t.writeUnits),
			ticksAMonth * (t.readUnits*perReadUnit + t.writeUnits*perWriteUnit),
		},
		{"schedule", fmt.Sprintf("%d invocations", ticksAMonth), ticksAMonth * perTick},
		{"logs", fmt.Sprintf("%.0f bytes a tick", t.logBytes), ticksAMonth * t.logBytes / 1e9 * perLogGB},
		{"secrets", "2, and 0.40 more for each provider's key", secretsAMonth},
	})
	return b.String()
}

// common are the parts that image tasks and text calls share, per 1,000.
func common(s spent) []row {
	return []row{
		{"API Gateway", fmt.Sprintf("%.1f requests each", s.requests), 1000 * s.requests * perRequest},
		{"firewall", "the same", 1000 * s.requests * perFirewall},
		{
			"Lambda", fmt.Sprintf("%.1f calls, %.0f ms, %.4f GB-s", s.invocations, s.lambdaMS, s.gbSeconds),
			1000 * (s.invocations*perInvocation + s.gbSeconds*perGBSecond),
		},
		{
			"DynamoDB", fmt.Sprintf("%.1f calls: %.1f read and %.1f write units", s.dynamoCalls, s.readUnits, s.writeUnits),
			1000 * (s.readUnits*perReadUnit + s.writeUnits*perWriteUnit),
		},
		{"SQS", fmt.Sprintf("%.1f messages of %d calls", s.queueSends, queueCalls), 1000 * s.queueSends * queueCalls * perQueueCall},
		{"Secrets Manager", fmt.Sprintf("%.2f reads, the rest from memory", s.secretReads), 1000 * s.secretReads * perSecretRead},
		{"logs", fmt.Sprintf("%.1f KB", s.logBytes/1000), s.logBytes * 1000 / 1e9 * perLogGB},
	}
}

func table(b *strings.Builder, rows []row) {
	b.WriteString("| part | what was counted | US$ |\n|---|---|---|\n")
	sum := 0.0
	for _, r := range rows {
		sum += r.dollars
		fmt.Fprintf(b, "| %s | %s | %.4f |\n", r.part, r.counted, r.dollars)
	}
	fmt.Fprintf(b, "| **sum** | | **%.3f** |\n", sum)
}

var errNoMarkers = errors.New("it has no lines " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))

// replace puts text between the markers of a page.
func replace(page []byte, text string) ([]byte, error) {
	before, rest, found := bytes.Cut(page, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, errNoMarkers
	}
	return bytes.Join([][]byte{before, []byte(begin), []byte(text), []byte(end), after}, nil), nil
}
