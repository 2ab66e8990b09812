package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/provider"
)

// table is one table of the document, whole lines in Markdown.
type table struct{ name, body string }

// documentTables are the tables that docs/providers.md holds.
func documentTables(drivers []provider.Provider, models []catalog.Model) []table {
	kinds := generation.Kinds()
	tables := make([]table, 0, 1+len(kinds))
	tables = append(tables, table{"providers", providerTable(drivers)})
	for _, k := range kinds {
		tables = append(tables, table{string(k), modelTable(k, models)})
	}
	return tables
}

// rows renders a header and lines as a table.
func rows(header []string, lines [][]string) string {
	var b strings.Builder
	write := func(cells []string) {
		for _, cell := range cells {
			b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	write(header)
	b.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, line := range lines {
		write(line)
	}
	return b.String()
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "–"
}

func kindsOf(d provider.Description) string {
	kinds := slices.Clone(d.Kinds)
	slices.SortFunc(kinds, func(a, b generation.Kind) int {
		all := generation.Kinds()
		return cmp.Compare(slices.Index(all, a), slices.Index(all, b))
	})
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

func webhooksOf(d provider.Description) string {
	switch {
	case d.SignedWebhooks:
		return "signed"
	case d.Webhooks:
		return "as described"
	default:
		return "–"
	}
}

func providerTable(drivers []provider.Provider) string {
	header := []string{"provider", "in configs", "kinds", "jobs", "polled every", "webhooks", "cancel", "finds lost submits", "streams", "lists models", "takes"}
	lines := make([][]string, 0, len(drivers))
	for _, p := range drivers {
		d := p.Describe()
		_, finds := p.(provider.Finder)
		_, streams := p.(provider.Streamer)
		_, lists := p.(provider.Lister)
		pace := "–"
		if d.Jobs {
			pace = d.PollEvery.String()
		}
		lines = append(lines, []string{
			d.Title, code(d.Name), kindsOf(d), yes(d.Jobs), pace, webhooksOf(d), yes(d.Cancels),
			yes(finds), yes(streams), yes(lists), codes(slices.Sorted(slices.Values(d.Features))),
		})
	}
	return rows(header, lines)
}

func modelTable(k generation.Kind, models []catalog.Model) string {
	var lines [][]string
	for _, m := range models {
		if m.Kind != k || m.Hidden {
			continue
		}
		lines = append(lines, []string{code(m.Name), priceOf(m.Price), upstreamsOf(m), limitsOf(m), aliasesOf(m), remarksOf(m)})
	}
	return rows([]string{"model", "credits", "served by", "limits", "other names", "remarks"}, lines)
}

func code(s string) string { return "`" + s + "`" }

func codes(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = code(s)
	}
	return strings.Join(quoted, " ")
}

// priceOf is such as "20 per image; quality low 10, medium 20, high 80".
func priceOf(p catalog.Price) string {
	if !p.Known {
		return "not known"
	}
	unit := string(p.Unit)
	if p.Unit == catalog.PerTokens {
		unit = "1,000 tokens"
	}
	parts := []string{fmt.Sprintf("%d per %s", p.Credits, unit)}
	if p.Megapixels > 0 {
		parts = append(parts, fmt.Sprintf("again for each started %g megapixels beyond the first", p.Megapixels))
	}
	for _, member := range slices.Sorted(maps.Keys(p.Percent)) {
		scale := p.Percent[member]
		values := slices.SortedFunc(maps.Keys(scale), func(a, b string) int {
			return cmp.Or(cmp.Compare(scale[a], scale[b]), cmp.Compare(a, b))
		})
		for i, value := range values {
			values[i] = fmt.Sprintf("%s %d", value, (p.Credits*scale[value]+99)/100)
		}
		parts = append(parts, member+" "+strings.Join(values, ", "))
	}
	if p.Unit == catalog.PerSecond {
		parts = append(parts, fmt.Sprintf("%d seconds unless asked", max(p.DefaultSeconds, 1)))
	}
	return strings.Join(parts, "; ")
}

func upstreamsOf(m catalog.Model) string {
	if m.Auto {
		return "every active config of the kind, by its own model"
	}
	if len(m.Upstreams) == 0 {
		return "configs that name it in their data"
	}
	list := make([]string, len(m.Upstreams))
	for i, u := range m.Upstreams {
		list[i] = u.Provider + " " + code(shortVersion(u.Model))
	}
	return strings.Join(list, ", ")
}

// shortVersion cuts a version of 64 hexadecimal digits, which nobody reads.
func shortVersion(model string) string {
	const shown = 8
	name, version, ok := strings.Cut(model, ":")
	if ok && len(version) > shown {
		return name + ":" + version[:shown] + "…"
	}
	return model
}

// limitsOf is what a request may ask beyond a prompt.
func limitsOf(m catalog.Model) string {
	l := m.Limits
	var parts []string
	add := func(is bool, format string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(m.Kind == generation.Image, "n ≤ %d", max(l.MaxN, 1))
	add(l.MaxPrompt > 0 && !l.UTF16Prompt, "prompt ≤ %s", thousands(l.MaxPrompt))
	add(l.MaxPrompt > 0 && l.UTF16Prompt, "prompt ≤ %s, an emoji counting as two", thousands(l.MaxPrompt))
	add(l.MaxTokens > 0, "tokens ≤ %s", thousands(l.MaxTokens))
	shapesOf(l, add)
	if len(l.Durations) > 0 {
		add(true, "seconds %s", strings.Trim(fmt.Sprint(l.Durations), "[]"))
	} else {
		add(l.MaxDuration > 0, "seconds %d–%d", max(l.MinDuration, 1), l.MaxDuration)
	}
	add(l.MaxFPS > 0, "fps %d–%d", max(l.MinFPS, 1), l.MaxFPS)
	add(l.MaxFrames > 0, "frames ≤ %d", l.MaxFrames)
	add(l.MaxLoras > 0, "loras ≤ %d", l.MaxLoras)
	add(len(l.Formats) > 0, "formats %s", strings.Join(l.Formats, " "))
	add(len(l.Needs) > 0, "needs %s", codes(l.Needs))
	takes := slices.DeleteFunc(slices.Clone(l.Takes), func(s string) bool { return slices.Contains(l.Needs, s) })
	add(len(takes) > 0, "takes %s", codes(takes))
	return strings.Join(parts, "; ")
}

// shapesOf adds which sizes and ratios a model makes.
func shapesOf(l catalog.Limits, add func(is bool, format string, args ...any)) {
	shapes := func(of string, s catalog.Shapes) {
		add(len(s.Sizes) > 0, of+"sizes %s", strings.Join(s.Sizes, " "))
		add(len(s.AspectRatios) > 0, of+"ratios %s", strings.Join(s.AspectRatios, " "))
	}
	if l.MinSide > 0 || l.MaxSide > 0 {
		sides := fmt.Sprintf("sides %d–%d", max(l.MinSide, 1), l.MaxSide)
		if l.SideMultiple > 1 {
			sides += " ÷ " + strconv.Itoa(l.SideMultiple)
		}
		add(true, "%s", sides)
	}
	add(l.MaxPixels > 0, "pixels %s–%s", thousands(max(l.MinPixels, 1)), thousands(l.MaxPixels))
	add(l.MaxRatio > 0, "at most %d:1", l.MaxRatio)
	shapes("", catalog.Shapes{Sizes: l.Sizes, AspectRatios: l.AspectRatios})
	if l.WithoutImage != nil {
		shapes("without `image` ", *l.WithoutImage)
	}
	add(l.SizeByRatio, "a size has one of the ratios")
	add(l.ImageSetsShape, "with `image`, its shape")
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// aliasesOf lists living names and, struck out with their day, retired ones.
func aliasesOf(m catalog.Model) string {
	var names []string
	for _, a := range m.Aliases {
		if !a.Retired {
			names = append(names, code(a.Name))
		}
	}
	for _, a := range m.Aliases {
		if a.Retired {
			names = append(names, strings.TrimSpace("~~"+a.Name+"~~ "+dayOf(a.DeprecatedAt)))
		}
	}
	return strings.Join(names, ", ")
}

func dayOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.DateOnly)
}

func remarksOf(m catalog.Model) string {
	parts := []string{m.Title}
	if m.MonthlyPerUser > 0 {
		parts = append(parts, fmt.Sprintf("%d a month for each user", m.MonthlyPerUser))
	}
	if !m.RetiresAt.IsZero() {
		parts = append(parts, "ends "+dayOf(m.RetiresAt))
	}
	if m.ChargeModerated {
		parts = append(parts, "a refusal for content is charged")
	}
	return strings.Join(parts, "; ")
}
