package screen

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// maxNeighbours is how many reviews around one are looked at to find the one before and the one behind it.
const maxNeighbours = 200

// decisionView is the data of "decision".
type decisionView struct {
	Action  string
	Hidden  []web.Hidden
	Legend  string
	Error   string
	Choices []decisionChoice
	Reason  web.Field
	Submit  string
	Later   string
	Note    string
}

type decisionChoice struct {
	Value, Label, Help, Key string
	Chosen                  bool
}

// review is the page of one review: the two side by side, and the decision.
func (p *Pages) review(w http.ResponseWriter, r *http.Request) error {
	return p.showReview(w, r, url.Values{}, nil)
}

func (p *Pages) showReview(w http.ResponseWriter, r *http.Request, typed url.Values, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	d, err := p.Review(r.Context(), by, r.PathValue("id"))
	if err != nil {
		return err
	}
	set, err := p.Settings(r.Context(), by)
	if err != nil {
		return err
	}
	asking, err := p.asksNow(r.Context(), by)
	if err != nil {
		return err
	}
	now := d.Now()
	h := now.Hit
	h.Listing = &now.Listing
	v := pageView{Alerts: pageNotDone(words, failed), Tabs: p.tabs(words, "/screen/queue")}
	v.Alerts = append(v.Alerts, reviewAlerts(words, d)...)
	p.addComparison(words, &v, compareOf(words, now.Query, h, now.List, now.Threshold))
	if b, ok := p.belowBlock(r, words, now); ok {
		v.Main = slices.Insert(v.Main, 3, b)
	}
	query := r.URL.RawQuery
	back, on, err := p.neighbours(r, d.ID)
	if err != nil {
		return err
	}
	for _, to := range []struct{ id, key, icon, label string }{{back, "k", "up", words.T("screen.previous")}, {on, "j", "down", words.T("screen.next")}} {
		if to.id != "" {
			v.Actions = append(v.Actions, web.Action{Label: to.label, Href: withQuery(pagePath("/screen/reviews", to.id), query), Icon: to.icon, Shortcut: to.key})
		}
	}
	if len(d.MayDecide) > 0 {
		v.beside(pageBlock(words.T("screen.decision"), words.T("screen.decision.who", "who", pageOr(by.Name, words.T("screen.token"))), "decision", decisionOf(words, d, set, typed, failed, query, on)))
	} else {
		v.beside(pageBlock(words.T("screen.decision"), "", "marks-body", []web.Mark{{Icon: "person", Text: reasonText(words, d.whyNot)}}))
	}
	v.beside(pageBlock(words.T("screen.party"), "", "facts", partyPairs(words, d)))
	v.beside(pageBlock(words.T("screen.history"), "", "history", historyEvents(words, d, asking)))
	state := stateMarkOf(words, d.State)
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: words.T("screen.compare.title"), Lede: compareLede(words, now.Query.Name, now.List), Status: pageStatus(failed), Data: v,
		Facts: []web.Pair{{Term: words.T("screen.state"), Text: state.Text}, {Term: words.T("screen.screened"), Text: words.When(now.At)}, {Term: words.T("screen.list"), Text: words.T("screen.list.of-date", "list", listTitle(now.List), "date", listDate(words, now.List))},
			{Term: words.T("screen.score"), Text: words.T("screen.of-hundred", "n", pageHundred(d.Score))}},
		Crumbs: p.crumbs(words, web.Link{Text: words.T("screen.queue"), Href: withQuery("/screen/queue", query)}, web.Link{Text: web.Clip(oneLine(now.Query.Name), 60), Href: partyHref(d)})})
	return nil
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

func partyHref(d Dossier) string {
	if d.Known != nil {
		return pagePath("/screen/parties", d.Known.ID)
	}
	return pagePath("/screen/reviews", d.ID)
}

// reviewAlerts say what must be known before one decides: what changed since, that it waits for a second person.
func reviewAlerts(words web.Words, d Dossier) (out []web.Alert) {
	if d.State == StateSecond {
		out = append(out, web.Alert{Class: "warn", Title: words.T("screen.second.title", "who", d.By, "said", words.T("screen.verdict."+string(d.Verdict))), Text: words.T("screen.second.text") + " " + words.T("screen.reason-was", "reason", d.Reason)})
	}
	if d.Question != "" {
		out = append(out, web.Alert{Class: "warn", Title: words.T("screen.asked.title", "who", d.By), Text: d.Question})
	}
	if d.Note != "" {
		out = append(out, web.Alert{Title: words.T("screen.note.title"), Text: remarkText(words, d.Told)})
	}
	if !d.Gone.IsZero() {
		out = append(out, web.Alert{Title: words.T("screen.gone.title"), Text: words.T("screen.gone.text", "at", d.Gone)})
	}
	return out
}

// belowBlock is what else resembles the party now, below the mark.
func (p *Pages) belowBlock(r *http.Request, words web.Words, now Snapshot) (web.Block, bool) {
	answers, err := p.Screen(r.Context(), web.ActorOf(r), []Query{now.Query}, Options{Threshold: now.Threshold, Below: belowShown})
	if err != nil || len(answers) == 0 {
		return web.Block{}, false // without lists, or above the rate, the review is still there to decide
	}
	a := answers[0]
	rest := slices.DeleteFunc(slices.Clone(a.Below), func(h Hit) bool { return h.List == now.List.Name && h.ID == now.Listing.ID })
	if len(rest) == 0 {
		return web.Block{}, false
	}
	return pageBlock(words.T("screen.below"), words.T("screen.below.count", "n", len(rest)), "table", hitTable(words, a, rest, nil)), true
}

// neighbours are the reviews before and behind one in the queue that the address asks for.
func (p *Pages) neighbours(r *http.Request, id string) (back, on string, err error) {
	f, err := queueFilterOf(r.URL.Query())
	if err != nil {
		return "", "", err
	}
	f.Limit = maxNeighbours
	page, err := p.Queue(r.Context(), web.ActorOf(r), f)
	if err != nil {
		return "", "", err
	}
	at := slices.IndexFunc(page.Reviews, func(one Review) bool { return one.ID == id })
	if at > 0 {
		back = page.Reviews[at-1].ID
	}
	if at+1 < len(page.Reviews) { // one that is no longer in the queue leads to its first
		on = page.Reviews[at+1].ID
	}
	return back, on, nil
}

// decisionOf is the form of the decision.
func decisionOf(words web.Words, d Dossier, set Settings, typed url.Values, failed error, query, on string) decisionView {
	v := decisionView{Action: withQuery(pagePath("/screen/reviews", d.ID), query), Hidden: []web.Hidden{{Name: "seen", Value: strconv.Itoa(d.Version)}}, Legend: words.T("screen.decide.legend"), Submit: words.T("screen.decide.do"), Note: fourEyesText(words, d, set)}
	if on != "" {
		v.Later = withQuery(pagePath("/screen/reviews", on), query)
	}
	for i, one := range []Verdict{VerdictTrue, VerdictFalse, VerdictMore} {
		if slices.Contains(d.MayDecide, one) {
			v.Choices = append(v.Choices, decisionChoice{Value: string(one), Label: words.T("screen.verdict." + string(one)), Help: words.T("screen.verdict." + string(one) + ".help"), Key: strconv.Itoa(i + 1), Chosen: typed.Get("decision") == string(one)})
		}
	}
	v.Reason = web.Field{Name: "reason", Label: words.T("screen.decide.reason"), Help: words.T("screen.decide.reason-help"), Rows: 4, Max: maxReason, Required: true, Value: typed.Get("reason")}
	if failed != nil && web.Mendable(failed) {
		v.Reason.Error = reasonText(words, failed)
	}
	return v
}

// fourEyesText says plainly when a second person is needed.
func fourEyesText(words web.Words, d Dossier, set Settings) string {
	said := []string{}
	switch {
	case d.State == StateSecond && !slices.Contains(d.MayDecide, VerdictTrue):
		said = append(said, words.T("screen.eyes.you-were-first"))
	case d.State == StateSecond:
		said = append(said, words.T("screen.eyes.you-are-second"))
	case set.needsSecond(VerdictFalse, d.Score) && set.SecondForTrue:
		said = append(said, words.T("screen.eyes.both"))
	case set.needsSecond(VerdictFalse, d.Score):
		said = append(said, words.T("screen.eyes.false", "mark", pageHundred(set.SecondFrom)))
	case set.SecondForTrue:
		said = append(said, words.T("screen.eyes.true"))
	default:
		said = append(said, words.T("screen.eyes.none"))
	}
	return strings.Join(append(said, words.T("screen.eyes.recorded")), " ")
}

func partyPairs(words web.Words, d Dossier) []web.Pair {
	q := d.Now().Query
	out := []web.Pair{{Term: words.T("screen.party.known"), Text: words.T("screen.party.unknown")}}
	if d.Known != nil {
		out[0] = web.Pair{Term: words.T("screen.party.known"), Text: words.T("screen.party.open"), Href: pagePath("/screen/parties", d.Known.ID)}
		out = append(out, web.Pair{Term: words.T("screen.group"), Text: groupTitle(words, nil, d.Known.Group)})
	}
	if q.Ref != "" {
		out = append(out, web.Pair{Term: words.T("screen.ref"), Text: q.Ref})
	}
	if d.Batch != "" {
		out = append(out, web.Pair{Term: words.T("screen.batch"), Text: words.T("screen.batch.open"), Href: pagePath("/screen/batches", d.Batch)})
	}
	return append(out, web.Pair{Term: words.T("screen.queue.age"), Text: words.When(d.Made)})
}

// historyEvents are what was said and what happened, the newest first.
func historyEvents(words web.Words, d Dossier, asked askedByName) (out []web.Event) {
	for _, line := range slices.Backward(d.History) {
		who := pageOr(line.By, words.T("screen.node"))
		e := web.Event{At: line.At, Title: words.T("screen.step."+string(line.Verdict), "who", who), Text: line.Reason}
		if told := remarkText(words, line.Told); told != "" {
			e.Text = told
		}
		switch line.Verdict {
		case VerdictTrue, VerdictFalse:
			e.Class = "main"
			if line.State == StateSecond {
				e.Title = words.T("screen.step.first", "who", who, "said", words.T("screen.verdict."+string(line.Verdict)))
			}
		case VerdictMore:
			e.Class = "bad"
		}
		if line.ListDate != "" {
			e.Text = strings.TrimSpace(e.Text + " " + words.T("screen.step.list", "list", asked.title(line.List), "date", pageDay(words, line.ListDate)))
		}
		out = append(out, e)
	}
	return out
}

// decide records what a person says, and leads to the next that waits.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if _, err := p.Review(r.Context(), web.ActorOf(r), id); err != nil {
		return err
	}
	seen, err := strconv.Atoi(values.Get("seen"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "the form does not say which state of the review you saw; open the page again")
	}
	_, on, err := p.neighbours(r, id)
	if err != nil {
		return err
	}
	out, err := p.Decide(r.Context(), web.ActorOf(r), id, Judgement{Verdict: Verdict(values.Get("decision")), Reason: values.Get("reason"), Seen: seen})
	if web.Mendable(err) {
		return p.showReview(w, r, values, err)
	}
	if err != nil {
		return err
	}
	to := withQuery("/screen/queue", r.URL.RawQuery)
	if on != "" {
		to = withQuery(pagePath("/screen/reviews", on), r.URL.RawQuery)
	}
	return p.done(w, r, to, "screen.decided."+string(out.State))
}

// keepForm puts answers on record: again asks the same once more, so that nothing of the answer has to be trusted.
func keepForm(words web.Words, hits int, again []web.Hidden) pageForm {
	f := pageForm{Action: "/screen/keep", Primary: true, Hidden: again, Submit: words.T("screen.keep.do", "n", hits), Note: words.T("screen.keep.note")}
	if hits == 0 {
		f.Submit = words.T("screen.keep.do-none")
	}
	f.Fields = []web.Field{{Name: "for", Label: words.T("screen.keep.for"), Help: words.T("screen.keep.for-help"), Max: 200}}
	return f
}

// keep puts what was asked on record and its hits into the queue.
func (p *Pages) keep(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	f := askFormOf(values)
	values.Set("whole", "yes") // what is kept was asked as it stands
	qs, _, err := p.asked(values, f)
	if err == nil {
		var answers []Answer
		if answers, err = p.Screen(r.Context(), web.ActorOf(r), qs, Options{}); err == nil {
			var kept []Screening
			if kept, err = p.KeepAll(r.Context(), web.ActorOf(r), answers, KeepOptions{Note: strings.TrimSpace(values.Get("for"))}); err == nil {
				return p.afterKeep(w, r, kept)
			}
		}
	}
	if !web.Mendable(err) {
		return err
	}
	words := web.WordsOf(r)
	return p.showAsk(w, r, f, pageView{}, words.T("screen.ask"), words.T("screen.ask.lede"), err)
}

// afterKeep leads to the first review that was opened, or says that nothing was met.
func (p *Pages) afterKeep(w http.ResponseWriter, r *http.Request, kept []Screening) error {
	n, first := 0, ""
	for _, k := range kept {
		for _, h := range k.Hits {
			if n++; first == "" && h.Known == "" {
				first = h.Review
			}
		}
	}
	if first != "" {
		return p.done(w, r, pagePath("/screen/reviews", first), "screen.kept.hits", "n", n)
	}
	if n > 0 {
		return p.done(w, r, "/screen/queue?state=all", "screen.kept.known", "n", n)
	}
	return p.done(w, r, "/screen", "screen.kept.none", "n", len(kept))
}
