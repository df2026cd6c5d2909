package screen

import (
	"math"
	"net/http"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// meaningText is the meaning of a threshold in the reader's language.
func meaningText(words web.Words, threshold float64) string {
	m := MeaningOf(threshold)
	mark, found := pageHundred(threshold), pageHundred(m.Found)
	switch n := m.OneIn(); n {
	case 0:
		return words.T("screen.meaning.hardly", "mark", mark, "found", found)
	case 1:
		return words.T("screen.meaning.nearly-every", "mark", mark, "found", found)
	default:
		return words.T("screen.meaning", "mark", mark, "in", n, "found", found)
	}
}

// stoppedChoices are the shares of innocent names of which the settings offer the thresholds.
var stoppedChoices = []int{1000, 300, 100, 30}

// thresholdAt is the lowest threshold that stops at most one innocent name in n, in whole hundredths: the finest that
// the page says.
func thresholdAt(n int) float64 {
	for t := int(math.Ceil(leastAsk * 100)); t < 100; t++ {
		if MeaningOf(float64(t)/100).Stopped <= 1/float64(n)+1e-9 {
			return float64(t) / 100
		}
	}
	return 1
}

// settings is the page of what the organisation chose.
func (p *Pages) settings(w http.ResponseWriter, r *http.Request) error {
	return p.showSettings(w, r, nil)
}

func (p *Pages) showSettings(w http.ResponseWriter, r *http.Request, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	set, err := p.Settings(r.Context(), by)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/settings"), Alerts: pageNotDone(words, failed)}
	if stewards(by) {
		v.add(pageBlock(words.T("screen.settings.choose"), "", "form", settingsForm(words, set)))
		v.beside(pageBlock(words.T("screen.settings.again"), "", "form", pageForm{Action: "/screen/settings/ask-again", Note: words.T("screen.settings.again-note"), Submit: words.T("screen.settings.again-do")}))
	} else {
		v.add(pageBlock(words.T("screen.settings.now"), words.T("screen.settings.steward"), "facts", settingsPairs(words, set)))
	}
	t := pageTable{Label: words.T("screen.meanings"), Heads: web.PlainHeads(words.T("screen.threshold"), "#"+words.T("screen.meanings.stopped"), "#"+words.T("screen.meanings.found")), Foot: words.T("screen.meanings.foot")}
	for _, m := range Meanings() {
		t.add(pageRow{Name: strconv.Itoa(pageHundred(m.Threshold)), Cells: []pageCell{{Text: stoppedText(words, m)}, {Text: words.T("screen.of-hundred", "n", pageHundred(m.Found))}}})
	}
	t.Empty = web.Empty{Icon: "target", Title: words.T("screen.meanings"), Text: words.T("screen.meanings.foot")}
	v.add(pageBlock(words.T("screen.meanings"), words.T("screen.meanings.note"), "table", t))
	if set.By != "" {
		v.beside(pageBlock(words.T("screen.settings.last"), "", "facts", []web.Pair{{Term: words.T("screen.settings.by"), Text: set.By}, {Term: words.T("screen.settings.at"), Text: words.When(set.Changed)}}))
	}
	v.beside(pageBlock(words.T("screen.settings.never"), "", "marks-body", []web.Mark{{Icon: "shield", Text: words.T("screen.never-used")}, {Icon: "lock", Text: words.T("screen.settings.stays")}}))
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: words.T("screen.settings"), Lede: meaningText(words, set.Threshold), Status: pageStatus(failed), Crumbs: p.crumbs(words), Data: v})
	return nil
}

func stoppedText(words web.Words, m Meaning) string {
	switch n := m.OneIn(); n {
	case 0:
		return words.T("screen.meanings.hardly")
	case 1:
		return words.T("screen.meanings.every")
	default:
		return words.T("screen.meanings.one-in", "n", n)
	}
}

// settingsForm lets a steward choose: a threshold by what it does, when two must agree, how long things are kept.
func settingsForm(words web.Words, set Settings) pageForm {
	threshold := web.Field{Name: "threshold", Label: words.T("screen.settings.threshold"), Help: words.T("screen.settings.threshold-help"), Class: "across"}
	chosen := false
	for _, n := range stoppedChoices {
		t := thresholdAt(n)
		same := !chosen && pageHundred(t) == pageHundred(set.Threshold)
		chosen = chosen || same
		threshold.Options = append(threshold.Options, web.Option{Value: formatScore(t), Label: words.T("screen.settings.one-in", "in", n), Help: words.T("screen.settings.finds", "found", pageHundred(MeaningOf(t).Found), "mark", pageHundred(t)), Chosen: same})
	}
	if !chosen {
		threshold.Options = append(threshold.Options, web.Option{Value: formatScore(set.Threshold), Label: words.T("screen.settings.as-now"), Help: meaningText(words, set.Threshold), Chosen: true})
	}
	second := web.Field{Name: "second", Label: words.T("screen.settings.second"), Help: words.T("screen.settings.second-help"), Class: "across"}
	seconds := []float64{0, 0.8, 0.9, set.Threshold}
	keys := []string{"never", "from", "from", "always"}
	chosen = false
	for i, from := range seconds {
		same := !chosen && pageHundred(from) == pageHundred(set.SecondFrom)
		chosen = chosen || same
		second.Options = append(second.Options, web.Option{Value: formatScore(from), Label: words.T("screen.settings.second-"+keys[i], "mark", pageHundred(from)), Chosen: same})
	}
	if !chosen {
		second.Options = append(second.Options, web.Option{Value: formatScore(set.SecondFrom), Label: words.T("screen.settings.second-from", "mark", pageHundred(set.SecondFrom)), Chosen: true})
	}
	more := web.Field{Name: "also", Label: words.T("screen.settings.also"), Many: true, Class: "across", Options: []web.Option{{Value: "second-true", Label: words.T("screen.settings.second-true"), Chosen: set.SecondForTrue}, {Value: "record", Label: words.T("screen.settings.record"), Help: words.T("screen.settings.record-help"), Chosen: set.RecordSingle}}}
	return pageForm{Action: "/screen/settings", Submit: words.T("screen.settings.do"), Primary: true, Hidden: []web.Hidden{{Name: "seen", Value: strconv.Itoa(set.Version)}}, Note: words.T("screen.settings.note"), Fields: []web.Field{threshold, second, more,
		{Name: "decided", Label: words.T("screen.settings.keep-decided"), Help: words.T("screen.settings.keep-help", "least", leastKept, "most", mostKept), Value: strconv.Itoa(set.KeepDecided), Short: true, Max: 6, Required: true},
		{Name: "undecided", Label: words.T("screen.settings.keep-undecided"), Value: strconv.Itoa(set.KeepUndecided), Short: true, Max: 6, Required: true}}}
}

func settingsPairs(words web.Words, set Settings) []web.Pair {
	second := words.T("screen.settings.second-never")
	if set.SecondFrom > 0 {
		second = words.T("screen.settings.second-from", "mark", pageHundred(set.SecondFrom))
	}
	yes := map[bool]string{true: words.T("screen.yes"), false: words.T("screen.no")}
	return []web.Pair{{Term: words.T("screen.threshold"), Text: meaningText(words, set.Threshold)}, {Term: words.T("screen.settings.second"), Text: second}, {Term: words.T("screen.settings.second-true"), Text: yes[set.SecondForTrue]},
		{Term: words.T("screen.settings.record"), Text: yes[set.RecordSingle]}, {Term: words.T("screen.settings.keep-decided"), Text: words.Number(int64(set.KeepDecided))}, {Term: words.T("screen.settings.keep-undecided"), Text: words.Number(int64(set.KeepUndecided))}}
}

func (p *Pages) setSettings(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	set := Settings{}
	for _, also := range values["also"] {
		set.SecondForTrue = set.SecondForTrue || also == "second-true"
		set.RecordSingle = set.RecordSingle || also == "record"
	}
	number := func(name string, into *int) {
		n, wrong := strconv.Atoi(values.Get(name))
		if wrong != nil && err == nil {
			err = polder.Errorf(polder.Invalid, "%s: %.20q is not a whole number", name, values.Get(name))
		}
		*into = n
	}
	score := func(name string, into *float64) {
		f, wrong := strconv.ParseFloat(values.Get(name), 64)
		if (wrong != nil || math.IsNaN(f)) && err == nil {
			err = polder.Errorf(polder.Invalid, "%s: choose one of those that are offered", name)
		}
		*into = f
	}
	score("threshold", &set.Threshold)
	score("second", &set.SecondFrom)
	number("decided", &set.KeepDecided)
	number("undecided", &set.KeepUndecided)
	number("seen", &set.Version)
	if err == nil {
		_, err = p.Set(r.Context(), web.ActorOf(r), set)
	}
	if web.Mendable(err) {
		return p.showSettings(w, r, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, "/screen/settings", "screen.settings.done")
}

func (p *Pages) askAgain(w http.ResponseWriter, r *http.Request) error {
	if err := p.AskAgain(r.Context(), web.ActorOf(r)); err != nil {
		return err
	}
	return p.done(w, r, "/screen/parties", "screen.settings.again-done")
}
