package cases

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// Objects tells which values an object of the exchange names, as far as by may see it, so that its page shows the cases
// that hold the same values. node plugs it in.
type Objects interface {
	Values(ctx context.Context, by polder.Actor, object string) ([]string, error)
}

// panelValues is how many values of one object are looked for.
const panelValues = 20

// Panel shows, on the page of an object of the exchange, the cases in sight of the reader that hold one of its values.
func (p *Pages) Panel(ctx context.Context, by polder.Actor, object string, words web.Words) (web.Block, error) {
	if !web.Reader.Allows(by) {
		return web.Block{}, nil
	}
	refs, err := p.panelCases(ctx, by, object)
	if err != nil || len(refs) == 0 {
		return web.Block{}, err
	}
	var marks []web.Mark
	for _, c := range refs[:min(len(refs), caseShowsOthers)] {
		m := web.Mark{Icon: "flag", Text: words.T("cases.panel.from", "title", caseOr(c.Title, words.T("cases.untitled"))), Href: casePath("/cases", string(c.ID))}
		if c.Why != "" {
			m.Text = words.T("cases.panel.holds", "title", caseOr(c.Title, words.T("cases.untitled")), "value", web.Defang(web.Clip(c.Why, 80)))
		}
		marks = append(marks, m)
	}
	b := caseBlock(words.T("cases.panel"), words.T("cases.panel.note"), "case-marks", marks)
	b.Aside, b.Order = true, 40
	return b, nil
}

// panelCases are the case that an object left from, and those that hold one of its values.
func (p *Pages) panelCases(ctx context.Context, by polder.Actor, object string) (refs []CaseRef, err error) {
	left, found, err := p.CaseOfObject(ctx, by, object)
	if err != nil {
		return nil, err
	}
	if found {
		refs = append(refs, left)
	}
	if p.o.Objects == nil {
		return refs, nil
	}
	values, err := p.o.Objects.Values(ctx, by, object)
	if err != nil {
		return nil, err
	}
	for _, value := range values[:min(len(values), panelValues)] {
		more, err := p.CasesNaming(ctx, by, value)
		if err != nil {
			return nil, err
		}
		for _, c := range more {
			if !slices.ContainsFunc(refs, func(o CaseRef) bool { return o.ID == c.ID }) {
				refs = append(refs, c)
			}
		}
	}
	return refs, nil
}
