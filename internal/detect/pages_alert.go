package detect

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/detect/rules"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// eventsView is the data of "events": the alerts of a group, each with what came in.
type eventsView struct {
	Rows []eventRow
	Note string
}

type eventRow struct {
	At       time.Time
	Place    string
	Evidence []web.Pair
	Raw      []string
	Cut      string
}

// alert is the page of one group.
func (p *Pages) alert(w http.ResponseWriter, r *http.Request) error { return p.showAlert(w, r, nil) }

func (p *Pages) showAlert(w http.ResponseWriter, r *http.Request, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	sh, err := p.Alert(r.Context(), by, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := pageView{Alerts: notDone(words, failed)}
	if sh.Hidden {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("detect.hidden"), Text: words.T("detect.hidden-text")})
	}
	v.add(evidenceBlock(words, sh)...)
	if b, ok := stepsBlock(words, sh); ok {
		v.add(b)
	}
	v.add(panel(words.T("detect.events"), words.T("detect.times", "n", sh.Count), "events", eventRows(words, sh)))
	v.beside(originBlocks(words, sh)...)
	v.beside(panel(words.T("detect.history"), "", "history", historyOf(words, sh)))
	if by.Role.OnObjects() >= polder.RoleContributor {
		v.Dialogs = decisions(words, sh)
		if !sh.Hidden && sh.State != StateSuppressed {
			v.Actions = append(v.Actions, web.Action{Label: words.T("detect.suppress.open"), Href: alertPath(sh.ID, "suppress"), Icon: "veil"})
		}
		if !sh.Hidden && sh.Object != nil && sh.State == StateConfirmed {
			v.Actions = append(v.Actions, web.Action{Label: words.T("detect.sighting.open"), Href: alertPath(sh.ID, "sighting"), Icon: "share", Primary: sh.Sighting == ""})
		}
	}
	level, state := levelMark(words, sh.Level), stateMark(words, sh.State)
	facts := []web.Pair{{Term: words.T("detect.level"), Text: level.Text}, {Term: words.T("detect.state"), Text: state.Text}, {Term: words.T("detect.first"), Text: words.When(sh.First)}, {Term: words.T("detect.last"), Text: words.When(sh.Last)}}
	if sh.Host != "" {
		facts = append(facts, web.Pair{Term: words.T("detect.host"), Text: sh.Host, Href: "/alerts?" + url.Values{"host": {sh.Host}}.Encode()})
	}
	if sh.Account != "" {
		facts = append(facts, web.Pair{Term: words.T("detect.account"), Text: sh.Account})
	}
	p.site.Render(w, r, web.Page{Template: "detect/page", Title: titleOf(words, sh.Shown), Lede: ledeOf(words, sh), TLP: sh.TLP(), Facts: facts, Status: statusFor(failed),
		Crumbs: []web.Link{{Text: words.T("detect.alerts"), Href: "/alerts"}}, Data: v})
	return nil
}

// ledeOf says what was found, in a sentence.
func ledeOf(words web.Words, sh Sheet) string {
	if sh.Hidden {
		return ""
	}
	return words.T("detect.lede."+string(sh.Kind), "n", sh.Count)
}

// evidenceBlock is what matched, and why that is as severe as it is said to be.
func evidenceBlock(words web.Words, sh Sheet) []web.Block {
	if sh.Hidden {
		return nil
	}
	var pairs []web.Pair
	seen := map[Evidence]bool{}
	for _, a := range sh.Alerts {
		for _, e := range a.Evidence {
			if !seen[e] && len(pairs) < maxEvidence {
				seen[e] = true
				pairs = append(pairs, web.Pair{Term: e.Field, Text: e.Value})
			}
		}
	}
	out := []web.Block{panel(words.T("detect.evidence"), words.T("detect.evidence.note"), "evidence", pairs)}
	why := []web.Mark{{Icon: "info", Text: words.T("detect.why.level", "level", words.T("detect.level."+string(sh.Level)), "why", orDefault(sh.Why, words.T("detect.why.unsaid")))}}
	if sh.Count > 1 {
		why = append(why, web.Mark{Icon: "layers", Text: words.T("detect.why.group", "n", sh.Count, "first", sh.First, "last", sh.Last)})
	}
	if sh.Object != nil && sh.Object.Revoked {
		why = append(why, web.Mark{Class: "mind", Text: words.T("detect.why.revoked")})
	}
	if sh.Object != nil && !sh.Object.Until.IsZero() {
		why = append(why, web.Mark{Icon: "clock", Text: words.T("detect.why.until", "until", sh.Object.Until)})
	}
	return append(out, panel(words.T("detect.why"), "", "marks-body", why))
}

// stepsBlock is what to do next.
func stepsBlock(words web.Words, sh Sheet) (web.Block, bool) {
	if len(sh.Steps) == 0 {
		return web.Block{}, false
	}
	var steps []string
	advice := rules.Next(sh.Rule, words.Lang())
	if advice != "" {
		steps = append(steps, advice)
	}
	for _, s := range sh.Steps {
		if advice == "" || s == "keep" || s == "decide" { // whoever wrote the rule knows better what else to do
			steps = append(steps, words.T("detect.step."+s))
		}
	}
	return panel(words.T("detect.next"), "", "numbered", steps), true
}

func eventRows(words web.Words, sh Sheet) eventsView {
	v := eventsView{}
	for _, a := range sh.Alerts {
		row := eventRow{At: a.Time, Place: words.T("detect.event.place", "file", a.File, "event", a.Event)}
		for _, e := range a.Evidence {
			row.Evidence = append(row.Evidence, web.Pair{Term: e.Field, Text: e.Value})
		}
		for _, e := range a.Events {
			row.Raw = append(row.Raw, strings.ToValidUTF8(string(e), "\uFFFD"))
		}
		if a.Cut {
			row.Cut = words.T("detect.event.cut")
		}
		v.Rows = append(v.Rows, row)
	}
	if more := sh.Count - len(sh.Alerts); more > 0 {
		v.Note = words.T("detect.event.more", "n", more)
	}
	return v
}

// originBlocks say whose knowledge it is, under which terms, and what is said around it.
func originBlocks(words web.Words, sh Sheet) []web.Block {
	if sh.Hidden {
		return nil
	}
	o := sh.Origin
	var pairs []web.Pair
	add := func(key, text string) {
		if text != "" {
			pairs = append(pairs, web.Pair{Term: words.T(key), Text: text})
		}
	}
	if sh.Object != nil {
		pairs = append(pairs, web.Pair{Term: words.T("detect.origin.object"), Text: web.Defang(sh.Object.Title), Href: sh.Object.Href, TLP: sh.Object.Level})
		add("detect.origin.by", sh.Object.By)
		add("detect.origin.community", sh.Object.CommunityName)
		if sh.Object.Confidence >= 0 {
			add("detect.origin.confidence", words.T("detect.of-hundred", "n", sh.Object.Confidence))
		}
	} else {
		add("detect.origin.rule", sh.Rule)
	}
	add("detect.origin.list", o.List)
	add("detect.origin.author", o.Author)
	add("detect.origin.license", o.License)
	for _, s := range o.References {
		add("detect.origin.reference", s)
	}
	add("detect.origin.tags", strings.Join(o.Tags, ", "))
	out := []web.Block{panel(words.T("detect.origin"), "", "facts", pairs)}
	if marks := papMarks(words, papOf(sh)); marks != nil {
		out = append(out, panel(words.T("detect.pap"), "", "marks-body", marks))
	}
	if len(sh.Relations) > 0 {
		list := entries{}
		for _, rel := range sh.Relations {
			list.Rows = append(list.Rows, entry{Icon: "chain", Title: web.Defang(rel.Title), Href: rel.Href, Lines: []string{rel.Text + " · " + rel.Type}, TLP: rel.Level})
		}
		out = append(out, panel(words.T("detect.relations"), "", "entries", list))
	}
	return out
}

func papOf(sh Sheet) stix.PAP {
	if sh.Object != nil {
		return max(sh.Object.PAP, sh.Origin.PAP)
	}
	return sh.Origin.PAP
}

// papMarks say what may be done with the values of an object; nil when it says nothing of that.
func papMarks(words web.Words, p stix.PAP) []web.Mark {
	switch {
	case p >= stix.PAPRed:
		return []web.Mark{{Class: "no", Text: words.T("detect.pap.red")}, {Class: "yes", Text: words.T("detect.pap.red-sighting")}}
	case p == stix.PAPNone:
		return nil
	case p == stix.PAPAmber:
		return []web.Mark{{Class: "mind", Text: words.T("detect.pap.amber")}, {Class: "yes", Text: words.T("detect.pap.red-sighting")}}
	}
	return []web.Mark{{Class: "yes", Text: words.T("detect.pap.free", "pap", p.Label())}}
}

func historyOf(words web.Words, sh Sheet) (out []web.Event) {
	for _, c := range sh.History {
		class := ""
		if c.What == "sighting" || c.What == string(StateConfirmed) {
			class = "main"
		}
		out = append(out, web.Event{At: c.At, Class: class, Title: words.T("detect.did."+c.What, "who", c.By), Text: c.Reason})
	}
	return append(out, web.Event{At: sh.Made, Class: "ok", Title: words.T("detect.did.made")})
}

// decisions are the dialogs by which a state is given.
func decisions(words web.Words, sh Sheet) (out []web.Dialog) {
	for _, d := range []struct {
		state    State
		required bool
	}{{StateInWork, false}, {StateConfirmed, false}, {StateFalse, true}, {StateClosed, false}} {
		if d.state == sh.State {
			continue
		}
		id, key := "to-"+string(d.state), "detect.decide."+string(d.state)
		out = append(out, web.Dialog{ID: id, Title: words.T(key), Text: words.T(key + ".text"), Action: alertPath(sh.ID, "state"), Page: alertPath(sh.ID), Open: words.T(key + ".open"), Submit: words.T(key), Keep: words.T("detect.not-now"),
			Hidden: []web.Hidden{{Name: "state", Value: string(d.state)}}, Fields: []web.Field{{Name: id + "-reason", Label: words.T("detect.reason"), Help: words.T("detect.reason.help"), Rows: 2, Max: 2000, Required: d.required}}})
	}
	return out
}

// setState gives an alert a state.
func (p *Pages) setState(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	id, state := r.PathValue("id"), State(values.Get("state"))
	out, err := p.Decide(r.Context(), web.ActorOf(r), id, state, orDefault(values.Get("to-"+string(state)+"-reason"), values.Get("reason")))
	switch {
	case web.Mendable(err):
		return p.showAlert(w, r, err)
	case err != nil:
		return err
	case out.ID != "":
		return p.done(w, r, alertPath(id), "detect.decided.shared")
	case out.Refused != "":
		return p.done(w, r, alertPath(id), "detect.decided.not-shared", "why", web.Sentence(out.Refused))
	}
	return p.done(w, r, alertPath(id), "detect.decided."+string(state))
}

// sightingView is the data of templates/sighting.html.
type sightingView struct {
	Alerts  []web.Alert
	Rows    []web.Diff
	Checks  []web.Mark
	Form    form
	Readers []web.Mark
}

func (p *Pages) sightingPage(w http.ResponseWriter, r *http.Request) error {
	return p.showSighting(w, r, Extra{}, nil)
}

// showSighting shows exactly what would leave.
func (p *Pages) showSighting(w http.ResponseWriter, r *http.Request, x Extra, failed error) error {
	words, id := web.WordsOf(r), r.PathValue("id")
	one, leaving, err := p.PreviewSighting(r.Context(), web.ActorOf(r), id, x)
	if web.Mendable(err) {
		return p.showAlert(w, r, err)
	}
	if err != nil {
		return err
	}
	v := sightingView{Alerts: notDone(words, failed), Rows: leavingRows(words, one.Group, leaving.Raw),
		Checks:  []web.Mark{{Class: "yes", Text: words.T("detect.sighting.kept")}},
		Readers: []web.Mark{{Icon: "people", Text: words.T("detect.sighting.readers", "n", leaving.Readers, "name", one.Object.CommunityName)}}}
	v.Checks = append(v.Checks, papMarks(words, max(one.Object.PAP, one.Origin.PAP))...)
	for _, said := range leaving.Warnings {
		v.Checks = append(v.Checks, web.Mark{Class: "mind", Text: said})
	}
	v.Form = form{Action: alertPath(id, "sighting"), Submit: words.T("detect.sighting.share", "n", leaving.Readers), Primary: true, Back: alertPath(id), Note: words.T("detect.sighting.note"), Fields: []web.Field{
		{Name: "text", Label: words.T("detect.sighting.text"), Help: words.T("detect.sighting.text-help"), Value: x.Text, Rows: 3, Max: 2000},
		{Name: "named", Label: words.T("detect.sighting.named"), Many: true, Options: []web.Option{{Value: "yes", Label: words.T("detect.sighting.named-yes"), Chosen: x.Named}}}}}
	if len(leaving.Warnings) > 0 {
		v.Form.Fields = append(v.Form.Fields, web.Field{Name: "confirm", Label: words.T("detect.sighting.careless"), Many: true, Options: []web.Option{{Value: "yes", Label: words.T("detect.sighting.confirm")}}})
	}
	p.site.Render(w, r, web.Page{Template: "detect/sighting", Title: words.T("detect.sighting"), Lede: words.T("detect.sighting.lede"), TLP: leaving.Level, Status: statusFor(failed),
		Crumbs: []web.Link{{Text: words.T("detect.alerts"), Href: "/alerts"}, {Text: titleOf(words, one), Href: alertPath(id)}}, Data: v})
	return nil
}

// leavingRows are the properties of what leaves beside what stays.
func leavingRows(words web.Words, g Group, raw []byte) []web.Diff {
	var rows []web.Diff
	stays := func(name, text string) {
		if text != "" {
			rows = append(rows, web.Diff{Outcome: "cut", Property: name, Before: []web.Segment{{Text: text}}, After: []web.Segment{{Text: words.T("detect.sighting.stays"), Mark: "gone"}}})
		}
	}
	stays(words.T("detect.host"), g.Host)
	stays(words.T("detect.account"), g.Account)
	stays(words.T("detect.events"), words.T("detect.times", "n", g.Count))
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if _, err := dec.Token(); err != nil {
		return rows
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return rows
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return rows
		}
		text := string(value)
		if plain, err := strconv.Unquote(text); err == nil {
			text = plain
		}
		property, _ := name.(string)
		rows = append(rows, web.Diff{Outcome: "add", Property: property, Before: []web.Segment{{Text: "–"}}, After: []web.Segment{{Text: text, Mark: "code"}}})
	}
	return rows
}

func (p *Pages) shareSighting(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	x := Extra{Text: values.Get("text"), Named: values.Get("named") == "yes", Confirmed: values.Get("confirm") == "yes"}
	if values.Get("again") != "" {
		return p.showSighting(w, r, x, nil)
	}
	_, err = p.ShareSighting(r.Context(), web.ActorOf(r), r.PathValue("id"), x)
	if web.Mendable(err) {
		return p.showSighting(w, r, x, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, alertPath(r.PathValue("id")), "detect.sighting.shared")
}
