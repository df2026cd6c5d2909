package cases

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/web"
)

// assistantView is the data of templates/assistant.html.
type assistantView struct {
	Tabs   []caseTab
	Errors []web.FieldError
	Alerts []web.Alert
	Fields []web.Field
	Answer []web.Block
}

// assistantPage asks the five questions, and answers them. Nothing is kept: the answers stand in the address alone, which
// is not logged.
func (p *Pages) assistantPage(w http.ResponseWriter, r *http.Request) error {
	words, by, q := web.WordsOf(r), web.ActorOf(r), r.URL.Query()
	v := assistantView{Tabs: caseTabs(words, by, "/cases/assistant")}
	asked := q.Has("kind") || q.Has("aware")
	var wrong error
	var advice deadline.Advice
	if asked {
		advice, wrong = p.assistantAnswer(r, by, q)
	} else if org, err := p.o.Accounts.Org(r.Context(), by.Org); err == nil {
		q = assistantStart(p.o.Packs, org)
	}
	v.Fields = p.assistantFields(words, q)
	switch {
	case wrong != nil && !web.Mendable(wrong):
		return wrong
	case wrong != nil:
		v.Alerts = caseNotDone(words, wrong)
	case asked:
		v.Answer = assistantBlocks(words, advice)
	}
	p.site.Render(w, r, web.Page{Template: "cases/assistant", Title: words.T("cases.tab.assistant"), Lede: words.T("cases.assistant.lede"), Status: caseStatus(wrong), Data: v})
	return nil
}

// assistantStart are the answers that are known of an organisation.
func assistantStart(packs deadline.Packs, org polder.Org) url.Values {
	q := url.Values{"serious": {"unknown"}}
	if t, err := packs.Jurisdiction(org.Country); err == nil {
		q.Set("jurisdiction", t.ID)
	}
	if t, err := packs.Sector(org.Sector); err == nil {
		q.Set("sector", t.ID)
	}
	return q
}

func (p *Pages) assistantFields(words web.Words, q url.Values) []web.Field {
	var out []web.Field
	for _, take := range []string{"jurisdiction", "sector", "kind", "serious", "aware"} {
		f := p.deadlineQuestion(words, take, q[take])
		if take == "aware" {
			f.Help += " " + words.T("cases.assistant.aware.help")
		}
		out = append(out, f)
	}
	return out
}

func (p *Pages) assistantAnswer(r *http.Request, by polder.Actor, q url.Values) (deadline.Advice, error) {
	zone, err := p.o.Packs.Zone(q.Get("jurisdiction"))
	if err != nil {
		return deadline.Advice{}, polder.Errorf(polder.Invalid, "%w", err)
	}
	aware, err := deadlineMoment("aware", cmp.Or(strings.TrimSpace(q.Get("aware")), "now"), zone, p.o.Now)
	if err != nil {
		return deadline.Advice{}, polder.Errorf(polder.Invalid, "%w", err)
	}
	serious, err := deadlineTribool(q.Get("serious"))
	if err != nil {
		return deadline.Advice{}, err
	}
	return p.Advise(r.Context(), by, deadline.Answers{Jurisdiction: q.Get("jurisdiction"), Sectors: q["sector"], Kinds: q["kind"], Serious: serious, Aware: aware})
}

// assistantBlocks are the duties with the article that each follows from, and what is no duty and why.
func assistantBlocks(words web.Words, a deadline.Advice) []web.Block {
	t := caseTable{Label: words.T("cases.assistant.duties"), Heads: web.PlainHeads(words.T("cases.deadline.what"), words.T("cases.deadline.until"), words.T("cases.deadline.to"), words.T("cases.deadline.source")),
		Empty: web.Empty{Icon: "check", Title: words.T("cases.assistant.none"), Text: words.T("cases.assistant.none.text")}}
	for _, d := range a.Duties {
		one := CaseDeadline{What: d.Rule.What, WhatNL: d.Rule.WhatNL, Due: d.Due, Delay: d.Rule.Delay, Estimated: d.Estimated, Waits: d.Waits}
		status := deadlineStatus(words, d.Status)
		if d.Note != "" {
			status = strings.TrimPrefix(status+" · "+d.Note, " · ")
		}
		t.add(caseRow{Name: deadlineCapital(one.Said(words.Lang())), Sub: status, Cells: []caseCell{{Text: deadlineUntil(words, one), Sub: d.Why}, {Text: d.Rule.Recipient}, {Text: d.Regulation + " " + d.Rule.Article, Sub: d.Rule.Source}}})
	}
	out := []web.Block{caseBlock(words.T("cases.assistant.duties"), words.T("cases.assistant.note"), "case-table", t)}
	if len(a.Not) > 0 {
		out = append(out, caseBlock(words.T("cases.duties.not"), "", "case-marks", noDuties(words, a.Not)))
	}
	return out
}
