package screen

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/names"
)

// party is the page of one known party.
func (p *Pages) party(w http.ResponseWriter, r *http.Request) error { return p.showParty(w, r, nil) }

func (p *Pages) showParty(w http.ResponseWriter, r *http.Request, failed error) error {
	words, by, id := web.WordsOf(r), web.ActorOf(r), r.PathValue("id")
	one, err := p.Party(r.Context(), by, id)
	if err != nil {
		return err
	}
	groups, err := p.Groups(r.Context(), by)
	if err != nil {
		return err
	}
	reviews, err := p.Queue(r.Context(), by, QueueFilter{State: "all", Party: id, Limit: 200})
	if err != nil {
		return err
	}
	asked, err := p.Screenings(r.Context(), by, ScreeningFilter{Party: id, Limit: 20})
	if err != nil {
		return err
	}
	asking, err := p.asksNow(r.Context(), by)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/parties"), Alerts: pageNotDone(words, failed)}
	t := pageTable{Label: words.T("screen.party.reviews"), Heads: web.PlainHeads(words.T("screen.yours"), words.T("screen.listed"), words.T("screen.list"), "#"+words.T("screen.score"), words.T("screen.state"), words.T("screen.queue.age")), Empty: noHitOf(words, one)}
	for _, rev := range reviews.Reviews {
		t.add(queueRow(words, groups, asking, rev, url.Values{"state": {"all"}, "party": {id}}.Encode()))
	}
	v.add(pageBlock(words.T("screen.party.reviews"), words.T("screen.hits.count", "n", len(reviews.Reviews)), "table", t))
	if len(asked.Screenings) > 0 {
		v.add(pageBlock(words.T("screen.party.asked"), "", "table", screeningTable(words, asked.Screenings)))
	}
	v.beside(pageBlock(words.T("screen.party.about"), "", "facts", aboutParty(words, groups, one)))
	if contributes(by) && one.Removed.IsZero() {
		v.beside(pageBlock(words.T("screen.party.change"), "", "form", changeForm(words, groups, one)))
		v.Dialogs = append(v.Dialogs, web.Dialog{ID: "remove", Title: words.T("screen.party.remove.title"), Text: words.T("screen.party.remove.text"), Action: pagePath("/screen/parties", id, "remove"), Page: pagePath("/screen/parties", id), Open: words.T("screen.party.remove.open"), Submit: words.T("screen.party.remove.do"), Keep: words.T("screen.keep-it")})
	}
	if stewards(by) {
		v.Dialogs = append(v.Dialogs, eraseDialog(words, pagePath("/screen/parties", id), "screen.party.erase."))
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: web.Clip(oneLine(one.Query.Name), 160), Lede: partyLede(words, one), Status: pageStatus(failed), Crumbs: p.crumbs(words, web.Link{Text: words.T("screen.parties"), Href: "/screen/parties"}), Data: v})
	return nil
}

// eraseDialog asks on which ground something is erased. Key begins the names of its words.
func eraseDialog(words web.Words, page, key string) web.Dialog {
	ground := web.Field{Name: "ground", Label: words.T("screen.ground"), Required: true}
	for _, g := range []Ground{GroundRequest, GroundMistake, GroundEnded} {
		ground.Options = append(ground.Options, web.Option{Value: string(g), Label: words.T("screen.ground." + string(g))})
	}
	return web.Dialog{ID: "erase", Danger: true, Title: words.T(key + "title"), Text: words.T(key + "text"), Action: page + "/erase", Page: page, Open: words.T("screen.erase.open"), Submit: words.T(key + "do"), Keep: words.T("screen.keep-it"), Fields: []web.Field{ground}}
}

// partyLede is the answer about a known party in a sentence.
func partyLede(words web.Words, one Party) string {
	switch {
	case !one.Removed.IsZero():
		return words.T("screen.party.lede.removed", "at", one.Removed)
	case one.Screened.IsZero():
		return words.T("screen.party.lede.due")
	case one.Waiting > 0:
		return words.T("screen.party.lede.waiting", "n", one.Waiting)
	case one.True > 0:
		return words.T("screen.party.lede.listed", "n", one.True)
	}
	return words.T("screen.party.lede.none", "n", len(one.Against)) + " " + words.T("screen.answer.no-clearance")
}

func noHitOf(words web.Words, one Party) web.Empty {
	if one.Screened.IsZero() {
		return web.Empty{Icon: "list", Title: words.T("screen.parties.due"), Text: words.T("screen.party.lede.due")}
	}
	return web.Empty{Icon: "list", Title: words.T("screen.party.lede.none", "n", len(one.Against)), Text: askedText(words, one.Against)}
}

func aboutParty(words web.Words, groups []PartyGroup, one Party) []web.Pair {
	q := one.Query
	out := []web.Pair{{Term: words.T("screen.parties.name"), Text: web.Clip(q.Name, maxPageName)}, {Term: words.T("screen.group"), Text: groupTitle(words, groups, one.Group)}}
	add := func(key, text string) {
		if text != "" {
			out = append(out, web.Pair{Term: words.T(key), Text: text})
		}
	}
	add("screen.ref", q.Ref)
	if q.Type != names.Any {
		add("screen.type", words.T("screen.type."+q.Type.String()))
	}
	add("screen.kind.country", q.Country)
	add("screen.kind.birth-date", q.Birth)
	add("screen.kind.identifier", compareIDLine(words, q.Identifiers, maxIDs))
	add("screen.party.added", words.T("screen.party.added-by", "at", one.Added, "who", one.AddedBy))
	add("screen.parties.screened", words.When(one.Screened))
	add("screen.party.against", againstText(words, one.Against))
	return out
}

func changeForm(words web.Words, groups []PartyGroup, one Party) pageForm {
	q := one.Query
	typed := askForm{Text: q.Name, Type: q.Type.String(), Country: q.Country, Birth: q.Birth}
	if len(q.Identifiers) > 0 {
		typed.IDKind, typed.IDValue, typed.IDCountry = q.Identifiers[0].Kind, q.Identifiers[0].Value, q.Identifiers[0].Country
	}
	f := partyForm(words, groups, typed, q.Ref, one.Group)
	f.Action, f.Submit, f.Primary, f.Note = pagePath("/screen/parties", one.ID), words.T("screen.party.change.do"), false, words.T("screen.party.change.note")
	f.Hidden = []web.Hidden{{Name: "seen", Value: strconv.Itoa(one.Version)}}
	return f
}

func (p *Pages) changeParty(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	id, by := r.PathValue("id"), web.ActorOf(r)
	one, err := p.Party(r.Context(), by, id)
	if err != nil {
		return err
	}
	seen, err := strconv.Atoi(values.Get("seen"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "the form does not say which state of the party you saw; open the page again")
	}
	f := askFormOf(values)
	q, err := f.query(oneLine(f.Text))
	if err == nil {
		q.Ref = strings.TrimSpace(values.Get("ref"))
		if len(one.Query.Identifiers) > 1 { // the form holds the first; the others stay
			q.Identifiers = append(q.Identifiers, one.Query.Identifiers[1:]...)
		}
		_, err = p.ChangeParty(r.Context(), by, id, PartyChange{Group: values.Get("group"), Query: q, Seen: seen})
	}
	return p.partyAgain(w, r, err, pagePath("/screen/parties", id), "screen.party.changed")
}

func (p *Pages) partyAgain(w http.ResponseWriter, r *http.Request, err error, to, said string) error {
	if web.Mendable(err) {
		return p.showParty(w, r, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, to, said)
}

func (p *Pages) removeParty(w http.ResponseWriter, r *http.Request) error {
	return p.partyAgain(w, r, p.RemoveParty(r.Context(), web.ActorOf(r), r.PathValue("id")), "/screen/parties", "screen.party.removed")
}

func (p *Pages) eraseParty(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	_, err = p.EraseParty(r.Context(), web.ActorOf(r), r.PathValue("id"), Ground(values.Get("ground")))
	return p.partyAgain(w, r, err, "/screen/parties", "screen.party.erased")
}
