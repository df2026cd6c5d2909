package exchange

import (
	"strings"

	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file is what the preview of a share shows of the steps that it goes through: each change with its rule and reason,
// objects that become others, and values that stop until somebody says why they leave.

// changeRows are the rows of what the rules change in an object, and the properties that they speak for.
func changeRows(words web.Words, it Item) (rows []web.Diff, told map[string]bool) {
	told = map[string]bool{}
	for _, c := range it.Changes {
		top, _, _ := strings.Cut(strings.ReplaceAll(c.Path, "[", "."), ".")
		told[top] = true
		row := web.Diff{Outcome: "cut", Property: it.Type + "." + c.Path + " · " + ruleName(words, c.Rule)}
		if strings.Contains(c.Rule, string(release.RuleBlind)) {
			row.Outcome = "blind"
		}
		row.Before, row.After = setOff(c.Before, c.After)
		if c.After == "" {
			row.After = []web.Segment{{Text: words.T("exchange.preview.not-sent"), Mark: "gone"}}
		}
		row.After = append(row.After, web.Segment{Text: " · " + ruleWhy(words, c.Rule), Mark: "gone"})
		rows = append(rows, row)
	}
	if it.DerivedFrom != "" {
		told["id"], told["created"], told["modified"] = true, true, true
		rows = append(rows, web.Diff{Outcome: "add", Property: it.Type + ".id", Before: []web.Segment{{Text: it.DerivedFrom, Mark: "code"}},
			After: []web.Segment{{Text: it.ID, Mark: "code"}, {Text: " · " + words.T("exchange.release.another"), Mark: "gone"}}})
	}
	return rows, told
}

// ruleName is what rules are called, and ruleWhy what they say; a change may rest on several.
func ruleName(words web.Words, rules string) string {
	return eachRule(rules, func(r string) string { return words.T("exchange.release.rule." + r) })
}

func ruleWhy(words web.Words, rules string) string {
	return eachRule(rules, func(r string) string { return words.T("exchange.release.why." + r) })
}

func eachRule(rules string, say func(string) string) string {
	var out []string
	for r := range strings.SplitSeq(rules, ", ") {
		out = append(out, say(r))
	}
	return strings.Join(out, ", ")
}

// shownText bounds a text in a preview, around what differs.
const shownText = 600

// setOff sets off what differs between two texts: all between what they have in common at their beginning and end.
func setOff(before, after string) (was, is []web.Segment) {
	a, b := []rune(before), []rune(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	cut := func(text []rune, mark string) []web.Segment {
		from := max(0, head-shownText/2)
		middle, rest := text[head:len(text)-tail], text[len(text)-tail:]
		out := []web.Segment{{Text: string(text[from:head])}, {Text: clip(string(middle), shownText), Mark: mark}, {Text: string(rest[:min(len(rest), shownText/2)])}}
		if from > 0 {
			out[0].Text = "…" + out[0].Text
		}
		if len(rest) > shownText/2 {
			out[2].Text += "…"
		}
		return out
	}
	return cut(a, "del"), cut(b, "ins")
}

// releases shows what stops, and asks for the reason.
func (v *previewView) releases(words web.Words, d draft, res Result) {
	n := 0
	for _, w := range res.Warnings {
		if w.Stop {
			n++
		}
	}
	if n == 0 {
		return
	}
	field := overrideField(words, d.override)
	v.Override = &field
	if res.Stopped() {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("exchange.release.stopped", "n", n), Text: words.T("exchange.release.stopped-text")})
		if d.tried {
			v.Override.Error = words.T("exchange.release.override-missing")
			v.Errors = web.ErrorsOf(*v.Override)
		}
	}
}

// overrideField asks why something leaves although a value in it stops it.
func overrideField(words web.Words, value string) web.Field {
	return web.Field{Name: "override", Label: words.T("exchange.release.override"), Help: words.T("exchange.release.override-help"), Rows: 2, Max: maxOverride, Value: value}
}

// warningText is a warning for people.
func warningText(words web.Words, w Warning) string {
	said := w.Reason
	if w.Rule != "" && w.Stop && words.Has("exchange.release.why."+w.Rule) {
		said = w.Path + ", " + ruleWhy(words, w.Rule)
	}
	if w.Rule != "" && !w.Stop && words.Has("exchange.release.maybe."+w.Rule) {
		said = w.Path + ", " + words.T("exchange.release.maybe."+w.Rule)
	}
	if w.Value != "" {
		said = muzzled(clip(w.Value, 200)) + ": " + said
	}
	return said
}

// deriveField offers to take out what is marked stricter than a level.
func deriveField(words web.Words, d draft) web.Field {
	f := web.Field{Name: "derive", Label: words.T("exchange.release.derive"), Help: words.T("exchange.release.derive-help"), Options: []web.Option{{Value: "", Label: words.T("exchange.release.derive.no"), Chosen: d.derive == stix.None}}}
	for m := stix.Clear; m < stix.Red; m++ {
		f.Options = append(f.Options, web.Option{Value: m.String(), Label: m.Label(), Chosen: d.derive == m})
	}
	return f
}
