package exchange

import (
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file is the page on which stewards set what leaves their organisation. Lists are texts of one entry a line.

func (p *Pages) releaseRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/release", Need: web.Steward, Exit: "exchange.release", Handler: handler(p.releasePage).serve},
		{Method: http.MethodPost, Pattern: "/release", Need: web.Steward, Exit: "exchange.release", Handler: handler(p.setReleasePage).serve, MaxBody: maxReleaseBody},
		{Method: http.MethodPost, Pattern: "/release/try", Need: web.Steward, Exit: "exchange.release", Handler: handler(p.tryRelease).serve},
	}
}

// releaseTry is what the field for trying was given, and what came of it.
type releaseTry struct {
	text    string
	after   string
	changes []release.Change
	doubts  []release.Doubt
	wall    string
	done    bool
}

func (p *Pages) releasePage(w http.ResponseWriter, r *http.Request) error {
	profile, version, err := p.Release(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	return p.showRelease(w, r, profile, version, nil, releaseTry{})
}

func (p *Pages) showRelease(w http.ResponseWriter, r *http.Request, profile release.Profile, version int64, failed error, try releaseTry) error {
	words := web.WordsOf(r)
	known, err := p.releaseStore().ownFacts(r.Context(), web.ActorOf(r).Org)
	if err != nil {
		return err
	}
	v := pageView{Alerts: refusal(words, failed)}
	v.add(block(words.T("exchange.release.steps"), "", "write-form", releaseForm(words, profile, version)))
	if try.done {
		v.add(aside(words.T("exchange.release.tried"), "", "release-tried", triedView(words, try)))
	}
	v.add(aside(words.T("exchange.release.try"), "", "write-form", writeForm{Action: "/release/try", Submit: words.T("exchange.release.try-do"), Note: words.T("exchange.release.try-note"),
		Fields: []web.Field{{Name: "text", Label: words.T("exchange.release.try-text"), Help: words.T("exchange.release.try-help"), Rows: 6, Value: try.text, Max: maxTry}}}),
		aside(words.T("exchange.release.known"), "", "facts", []web.Pair{
			{Term: words.T("exchange.release.names"), Text: strings.Join(known.Names, ", ")}, {Term: words.T("exchange.release.staff"), Text: words.T("exchange.release.people", "n", len(known.Staff))},
			{Term: words.T("exchange.release.domains"), Text: muzzled(strings.Join(known.Domains, ", "))}, {Term: words.T("exchange.release.networks"), Text: strings.Join(known.Networks, ", ")}}))
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.release"), Lede: words.T("exchange.release.lede"), Data: v, Status: statusOf(failed)})
	return nil
}

// maxTry is the longest text to try.
const maxTry = 20_000

// releaseTried is the data of "release-tried".
type releaseTried struct {
	Says []web.Mark
	Diff []web.Diff
}

func triedView(words web.Words, try releaseTry) (v releaseTried) {
	if try.wall != "" {
		v.Says = append(v.Says, web.Mark{Class: "no", Text: words.T("exchange.release.tried-wall", "label", try.wall)})
	}
	for _, d := range try.doubts {
		v.Says = append(v.Says, web.Mark{Class: "mind", Text: muzzled(clip(d.Value, 200)) + ": " + words.T("exchange.release.maybe."+d.Rule)})
	}
	if len(try.changes) == 0 {
		v.Says = append(v.Says, web.Mark{Class: "yes", Text: words.T("exchange.release.tried-same")})
		return v
	}
	for _, c := range try.changes {
		row := web.Diff{Outcome: "cut", Property: ruleName(words, c.Rule)}
		row.Before, row.After = setOff(c.Before, c.After)
		v.Diff = append(v.Diff, row)
		v.Says = append(v.Says, web.Mark{Class: "mind", Text: ruleWhy(words, c.Rule)})
	}
	return v
}

// releaseLists are the facts that are lists of texts.
var releaseLists = []struct {
	name string
	of   func(*release.Facts) *[]string
}{
	{"names", func(f *release.Facts) *[]string { return &f.Names }}, {"domains", func(f *release.Facts) *[]string { return &f.Domains }}, {"addresses", func(f *release.Facts) *[]string { return &f.Addresses }},
	{"phones", func(f *release.Facts) *[]string { return &f.Phones }}, {"networks", func(f *release.Facts) *[]string { return &f.Networks }}, {"hosts", func(f *release.Facts) *[]string { return &f.Hosts }},
	{"suffixes", func(f *release.Facts) *[]string { return &f.Suffixes }}, {"words", func(f *release.Facts) *[]string { return &f.Words }},
}

// releaseSteps are the steps of minimising.
var releaseSteps = []string{"names", "staff", "addresses", "networks", "hosts", "words", "custom"}

// stepOf is the switch of a step.
func stepOf(m *release.Minimise, name string) *bool {
	return map[string]*bool{"names": &m.Names, "staff": &m.Staff, "addresses": &m.Addresses, "networks": &m.Networks, "hosts": &m.Hosts, "words": &m.Words, "custom": &m.Custom}[name]
}

func releaseForm(words web.Words, p release.Profile, version int64) writeForm {
	steps := web.Field{Name: "minimise", Label: words.T("exchange.release.minimise"), Help: words.T("exchange.release.minimise-help"), Many: true}
	for _, name := range releaseSteps {
		steps.Options = append(steps.Options, web.Option{Value: name, Label: words.T("exchange.release." + name), Help: words.T("exchange.release.step." + name), Chosen: *stepOf(&p.Minimise, name)})
	}
	choice := func(name, chosen string, values ...string) web.Field {
		f := web.Field{Name: name, Label: words.T("exchange.release." + name), Class: "one"}
		for _, v := range values {
			f.Options = append(f.Options, web.Option{Value: v, Label: words.T("exchange.release." + name + "." + v), Chosen: v == chosen})
		}
		return f
	}
	level := func(name string, chosen stix.Marking) web.Field {
		f := web.Field{Name: name, Label: words.T("exchange.release." + name), Help: words.T("exchange.release." + name + "-help"), Options: []web.Option{{Value: "", Label: words.T("exchange.release.level.none"), Chosen: chosen == stix.None}}}
		for m := stix.Clear; m <= stix.Red; m++ {
			f.Options = append(f.Options, web.Option{Value: m.String(), Label: m.Label(), Chosen: m == chosen})
		}
		return f
	}
	lines := func(name string, values []string) web.Field {
		return web.Field{Name: name, Label: words.T("exchange.release." + name), Help: words.T("exchange.release." + name + "-help"), Rows: 3, Value: strings.Join(values, "\n")}
	}
	f := writeForm{Action: "/release", Submit: words.T("exchange.release.set"), Primary: true, Note: words.T("exchange.release.note"), Hidden: []web.Hidden{{Name: "version", Value: strconv.FormatInt(version, 10)}}}
	f.Fields = []web.Field{steps, choice("warninglists", string(p.Warninglists), "tell", "stop"), choice("blind", string(p.Blind), "made", "all", "never"), level("mark", p.Mark), level("highest", p.Highest), lines("forbidden", forbiddenLines(p.Forbidden))}
	for _, l := range releaseLists {
		f.Fields = append(f.Fields, lines(l.name, *l.of(&p.Facts)))
		if l.name == "names" {
			f.Fields = append(f.Fields, lines("staff", staffLines(p.Facts.Staff)))
		}
	}
	f.Fields = append(f.Fields, lines("keep", p.Keep))
	return f
}

// forbiddenLines writes walls as lines: "label: word; word", or "label ~ expression".
func forbiddenLines(list []release.Forbidden) (out []string) {
	for _, f := range list {
		if len(f.Words) > 0 {
			out = append(out, f.Label+": "+strings.Join(f.Words, "; "))
		}
		if f.Expression != "" {
			out = append(out, f.Label+" ~ "+f.Expression)
		}
	}
	return out
}

// readForbidden reads what [forbiddenLines] writes. Its errors repeat nothing of a line.
func readForbidden(lines []string) (out []release.Forbidden, err error) {
	for i, line := range lines {
		colon, tilde := strings.Index(line, ":"), strings.Index(line, " ~ ")
		var f release.Forbidden
		switch {
		case tilde > 0 && (colon < 0 || tilde < colon):
			f = release.Forbidden{Label: strings.TrimSpace(line[:tilde]), Expression: strings.TrimSpace(line[tilde+3:])}
		case colon > 0:
			f.Label = strings.TrimSpace(line[:colon])
			for w := range strings.SplitSeq(line[colon+1:], ";") {
				if w = strings.TrimSpace(w); w != "" {
					f.Words = append(f.Words, w)
				}
			}
		default:
			return nil, polder.Errorf(polder.Invalid, "forbidden, line %d: has no label; write what it protects, a colon and the words, or ~ and an expression", i+1)
		}
		at := slices.IndexFunc(out, func(x release.Forbidden) bool { return x.Label == f.Label })
		switch {
		case at < 0:
			out = append(out, f)
		case f.Expression != "" && out[at].Expression != "":
			return nil, polder.Errorf(polder.Invalid, "forbidden, line %d: its label has an expression already; give it another label", i+1)
		default:
			out[at].Words = append(out[at].Words, f.Words...)
			out[at].Expression += f.Expression
		}
	}
	return out, nil
}

// staffLines writes people as "Name <mail>".
func staffLines(list []release.Person) (out []string) {
	for _, p := range list {
		line := p.Name
		if p.Mail != "" {
			line += " <" + p.Mail + ">"
		}
		out = append(out, line)
	}
	return out
}

func readStaff(lines []string) (out []release.Person, err error) {
	for i, line := range lines {
		p := release.Person{Name: line}
		if at := strings.LastIndex(line, "<"); at >= 0 {
			a, err := mail.ParseAddress(line[at:])
			if err != nil {
				return nil, polder.Errorf(polder.Invalid, "staff, line %d: is not a name with a mail address; write Name <name@example.nl>", i+1)
			}
			p = release.Person{Name: strings.TrimSpace(line[:at]), Mail: a.Address}
		}
		out = append(out, p)
	}
	return out, nil
}

// entriesOf are the entries of a text.
func entriesOf(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// readReleaseForm reads the form of [releaseForm].
func readReleaseForm(f url.Values) (p release.Profile, version int64, err error) {
	if version, err = strconv.ParseInt(f.Get("version"), 10, 64); err != nil || version < 0 {
		return p, 0, polder.Errorf(polder.Invalid, "version: the form cannot be read; open the page again")
	}
	for _, name := range f["minimise"] {
		if step := stepOf(&p.Minimise, name); step != nil {
			*step = true
		}
	}
	p.Warninglists, p.Blind, p.Keep = release.Lists(f.Get("warninglists")), release.Blind(f.Get("blind")), entriesOf(f.Get("keep"))
	for name, into := range map[string]*stix.Marking{"mark": &p.Mark, "highest": &p.Highest} {
		if err := into.UnmarshalText([]byte(f.Get(name))); err != nil {
			return p, version, polder.Errorf(polder.Invalid, "%s: %w", name, err)
		}
	}
	for _, l := range releaseLists {
		*l.of(&p.Facts) = entriesOf(f.Get(l.name))
	}
	if p.Facts.Staff, err = readStaff(entriesOf(f.Get("staff"))); err != nil {
		return p, version, err
	}
	p.Forbidden, err = readForbidden(entriesOf(f.Get("forbidden")))
	return p, version, err
}

func (p *Pages) setReleasePage(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	profile, version, err := readReleaseForm(form)
	if err == nil {
		_, err = p.SetRelease(r.Context(), web.ActorOf(r), profile, version)
	}
	if web.Mendable(err) {
		return p.showRelease(w, r, profile, version, err, releaseTry{})
	}
	if err != nil {
		return err
	}
	return p.done(w, r, "/release", "exchange.release.done")
}

// tryRelease shows what the steps in force make of a text.
func (p *Pages) tryRelease(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	profile, version, err := p.Release(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	try := releaseTry{text: form.Get("text"), done: true}
	if len(try.text) > maxTry {
		return polder.Errorf(polder.TooLarge, "text: is longer than %d bytes; try a part of it", maxTry)
	}
	rules, err := p.ReleaseRules(r.Context(), web.ActorOf(r).Org)
	if err != nil {
		return err
	}
	try.after, try.changes = rules.Text(try.text)
	try.doubts = rules.Doubts(try.text)
	try.wall = rules.ForbiddenIn(try.after)
	return p.showRelease(w, r, profile, version, nil, try)
}

// releasePairs say on an object's page, to its own organisation, that it left by somebody's word.
func (p *Pages) releasePairs(sh *sheet) ([]web.Pair, error) {
	o, ok, err := p.OverrideOf(sh.rd.ctx, sh.rd.by, sh.now.Delivery)
	if err != nil || !ok {
		return nil, err
	}
	return []web.Pair{{Term: sh.rd.words.T("exchange.release.overridden"), Text: fmt.Sprintf("%s (%s)", o.Reason, ruleName(sh.rd.words, o.Rules))}}, nil
}
