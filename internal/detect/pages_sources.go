package detect

import (
	"net/http"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sourcesTable is the data of "sources".
type sourcesTable struct {
	Label string
	Heads []web.Head
	Rows  []sourceRow
	Empty web.Empty
}

type sourceRow struct {
	Name  string
	Cells []web.Pair // each with the head of its column
}

// add appends a row.
func (t *sourcesTable) add(name string, cells ...string) {
	row := sourceRow{Name: name}
	for i, c := range cells {
		row.Cells = append(row.Cells, web.Pair{Term: t.Heads[i+1].Label, Text: c})
	}
	t.Rows = append(t.Rows, row)
}

// detection is the page of what comes in and what it is held against.
func (p *Pages) detection(w http.ResponseWriter, r *http.Request) error {
	return p.showDetection(w, r, nil)
}

func (p *Pages) showDetection(w http.ResponseWriter, r *http.Request, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	v := pageView{Alerts: notDone(words, failed)}
	in, err := p.Sources(r.Context(), by)
	if err != nil {
		return err
	}
	t := sourcesTable{Label: words.T("detect.sources"), Heads: headsOf(words, "detect.source", "detect.source.events", "detect.source.bytes", "detect.source.last", "detect.source.lost", "detect.source.refused"),
		Empty: web.Empty{Icon: "radar", Title: words.T("detect.sources.none"), Text: words.T("detect.sources.none-text")}}
	for _, s := range in {
		t.add(s.Name, words.Number(s.Events), words.Size(s.Bytes), words.When(s.Last), words.Number(s.Lost), words.Number(s.Refused))
		if s.Lost+s.Refused > 0 && len(v.Alerts) == 0 {
			v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("detect.sources.drops"), Text: words.T("detect.sources.drops-text")})
		}
	}
	note := ""
	if p.more.Intake != nil {
		note = words.T("detect.waiting", "size", words.Size(p.more.Intake.Waiting()))
	}
	v.add(panel(words.T("detect.sources"), note, "sources", t))
	lede := words.T("detect.detection.lede")
	if p.more.Overview != nil {
		o, err := p.more.Overview.Overview(r.Context(), by)
		if err != nil {
			return err
		}
		lede = words.T("detect.detection.counts", "rules", o.Knowing.Rules+o.Knowing.Correlations, "indicators", o.Knowing.Indicators+o.Knowing.Patterns)
		p.addKnowledge(words, &v, o)
	}
	if err := p.addSightingRules(r, &v); err != nil {
		return err
	}
	p.site.Render(w, r, web.Page{Template: "detect/page", Title: words.T("detect.detection"), Lede: lede, Status: statusFor(failed), Data: v})
	return nil
}

func headsOf(words web.Words, first string, numbers ...string) []web.Head {
	heads := []web.Head{{Label: words.T(first)}}
	for _, key := range numbers {
		heads = append(heads, web.Head{Label: words.T(key), Num: true})
	}
	return heads
}

// addKnowledge shows the rules and indicators that events are held against.
func (p *Pages) addKnowledge(words web.Words, v *pageView, o Overview) {
	for _, k := range []struct {
		title, none string
		list        []KnowledgeSource
	}{{"detect.knowledge.rules", "detect.knowledge.no-rules", o.Rules}, {"detect.knowledge.indicators", "detect.knowledge.no-indicators", o.Indicators}} {
		t := sourcesTable{Label: words.T(k.title), Heads: headsOf(words, "detect.source", "detect.knowledge.count", "detect.knowledge.changed"), Empty: web.Empty{Icon: "list", Title: words.T(k.none), Text: words.T(k.none + "-text")}}
		for _, s := range k.list {
			t.add(s.Name, words.Number(int64(s.Count)), words.When(s.Changed))
			for _, said := range s.Trouble {
				v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("detect.knowledge.trouble", "name", s.Name), Text: said})
			}
		}
		v.add(panel(words.T(k.title), "", "sources", t))
	}
	v.beside(panel(words.T("detect.history.kept"), "", "marks-body", historyMarks(words, o.History)))
}

// historyMarks say how far back one can look.
func historyMarks(words web.Words, k *Kept) []web.Mark {
	if k == nil {
		return []web.Mark{{Icon: "save", Text: words.T("detect.history.off")}}
	}
	marks := []web.Mark{{Icon: "save", Text: words.T("detect.history.some", "n", int(k.Events))}}
	if k.Bytes > 0 {
		marks = append(marks, web.Mark{Icon: "layers", Text: words.T("detect.history.disk", "size", words.Size(k.Bytes))})
	}
	if !k.First.IsZero() {
		marks = append(marks, web.Mark{Icon: "clock", Text: words.T("detect.between", "first", k.First, "last", k.Last)})
	}
	if k.Damaged {
		marks = append(marks, web.Mark{Class: "mind", Text: words.T("detect.history.damaged")})
	}
	return marks
}

// addSightingRules shows where confirmed alerts leave as sightings by themselves, and lets a steward change it.
func (p *Pages) addSightingRules(r *http.Request, v *pageView) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	rules, err := p.SightingRules(r.Context(), by)
	if err != nil {
		return err
	}
	steward := by.Role.OnObjects() >= polder.RoleSteward
	list := entries{Empty: web.Empty{Icon: "share", Title: words.T("detect.release.none"), Text: words.T("detect.release.none-text")}}
	for _, rule := range rules {
		row := entry{Icon: "share", Title: rule.Community, Lines: []string{words.T("detect.release.from", "n", rule.Confidence), words.T("detect.release.by", "who", rule.By)}, At: rule.Made}
		if steward {
			row.Buttons = []button{{"/detection/sightings/end", words.T("detect.release.end"), []web.Hidden{{Name: "community", Value: rule.Community}}}}
		}
		list.Rows = append(list.Rows, row)
	}
	v.beside(panel(words.T("detect.release"), "", "entries", list))
	if steward {
		v.beside(panel(words.T("detect.release.add"), "", "form", form{Action: "/detection/sightings", Submit: words.T("detect.release.add"), Note: words.T("detect.release.note"), Fields: []web.Field{
			{Name: "community", Label: words.T("detect.release.community"), Max: 200, Required: true}, {Name: "confidence", Label: words.T("detect.release.confidence"), Help: words.T("detect.release.confidence-help"), Value: "80", Short: true, Max: 3, Required: true}}}))
	}
	return nil
}

func (p *Pages) setSightingRule(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(values.Get("confidence"))
	if err != nil {
		err = polder.Errorf(polder.Invalid, "confidence: %.20q is not a number from 0 to 100", values.Get("confidence"))
	} else {
		err = p.SetSightingRule(r.Context(), web.ActorOf(r), SightingRule{Community: values.Get("community"), Confidence: n})
	}
	if web.Mendable(err) {
		return p.showDetection(w, r, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, "/detection", "detect.release.set")
}

func (p *Pages) dropSightingRule(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if err := p.DropSightingRule(r.Context(), web.ActorOf(r), values.Get("community")); err != nil {
		return err
	}
	return p.done(w, r, "/detection", "detect.release.ended")
}
