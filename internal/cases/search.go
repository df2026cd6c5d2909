package cases

import (
	"context"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// searchLeast is the shortest text that is looked for: a shorter one is in everything.
const searchLeast = 3

// Search finds cases by id, by title, and by what is written in them, as far as the reader sees each.
func (p *Pages) Search(ctx context.Context, by polder.Actor, text string, limit int, words web.Words) ([]web.Hit, error) {
	text = strings.TrimSpace(text)
	if !web.Reader.Allows(by) || len(text) < searchLeast {
		return nil, nil
	}
	if id := caseLinkID(text); strings.HasPrefix(id, "case--") {
		v, err := p.Case(ctx, by, CaseID(id))
		if polder.KindOf(err) == polder.NotFound && err != nil {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []web.Hit{searchHit(words, CaseRef{ID: v.ID, Title: v.Title, Status: v.Status, Level: v.Level}, true, "")}, nil
	}
	page, err := p.Cases(ctx, by, CaseFilter{Text: text, Limit: limit})
	if err != nil {
		return nil, err
	}
	var hits []web.Hit
	seen := map[CaseID]bool{}
	for _, v := range page.Cases {
		seen[v.ID] = true
		hits = append(hits, searchHit(words, CaseRef{ID: v.ID, Title: v.Title, Status: v.Status, Level: v.Level}, false, ""))
	}
	items, err := p.SearchItems(ctx, by, text, limit)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if len(hits) >= limit {
			break
		}
		hits = append(hits, web.Hit{Kind: words.T("cases.item." + string(it.Kind)), Icon: "flag", Title: web.Clip(caseItemTitle(words, it), 120), Href: casePath("/cases", string(it.Case), "items", it.ID), Text: words.T("cases.search.in-case"), TLP: it.Level})
	}
	return hits, nil
}

// searchHit is a case that was found.
func searchHit(words web.Words, c CaseRef, exact bool, why string) web.Hit {
	return web.Hit{Kind: words.T("cases.case"), Icon: "flag", Title: web.Clip(caseOr(c.Title, words.T("cases.untitled")), 120), Href: casePath("/cases", string(c.ID)), Text: strings.TrimSpace(words.T("cases.status."+string(c.Status)) + " " + why), TLP: c.Level, Exact: exact}
}
