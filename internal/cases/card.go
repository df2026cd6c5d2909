package cases

import (
	"context"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// How much the card on the overview shows of each kind.
const (
	cardDeadlines = 4
	cardTasks     = 3
	cardOrder     = -10 // before what has no clock
)

// Card is what waits for the reader on the overview: the next deadlines first, then new reports, then the reader's own
// tasks.
func (p *Pages) Card(ctx context.Context, by polder.Actor, words web.Words) (web.Block, error) {
	if !web.Reader.Allows(by) {
		return web.Block{}, nil
	}
	now := p.o.Now()
	rows, open, err := p.cardDeadlines(ctx, by, words, now)
	if err != nil {
		return web.Block{}, err
	}
	waiting, err := p.Waiting(ctx, by)
	if err != nil && polder.KindOf(err) != polder.Forbidden {
		return web.Block{}, err
	}
	if waiting > 0 {
		rows = append(rows, web.Todo{Class: "warn", Icon: "bell", Title: words.T("cases.card.reports", "n", waiting), Href: "/cases/reports", Text: words.T("cases.card.reports-text")})
	}
	tasks, err := p.MyTasks(ctx, by)
	if err != nil {
		return web.Block{}, err
	}
	for _, k := range tasks[:min(len(tasks), cardTasks)] {
		row := web.Todo{Icon: "check", Title: web.Clip(caseItemTitle(words, k.Item), 120), Href: casePath("/cases", string(k.Case.ID), "items", k.Item.ID), Text: web.Clip(caseOr(k.Case.Title, words.T("cases.untitled")), 120)}
		if !k.Item.At.IsZero() {
			row.Tag, row.TagIcon = words.When(k.Item.At), "clock"
			if k.Item.At.Before(now) {
				row.Class, row.Tag, row.TagIcon = "bad", words.T("cases.task.late"), "alert"
			}
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return web.Block{}, nil
	}
	b := caseBlock(words.T("cases.nav"), "", "case-todos", rows)
	b.Order = cardOrder
	b.More = web.Link{Text: words.T("cases.card.deadlines", "n", open), Href: "/cases/deadlines"}
	if open == 0 {
		b.More = web.Link{Text: words.T("cases.card.all"), Href: "/cases"}
	}
	return b, nil
}

// cardDeadlines are the next ones with a time, the most urgent first; open is how many are open at all.
func (p *Pages) cardDeadlines(ctx context.Context, by polder.Actor, words web.Words, now time.Time) (rows []web.Todo, open int, err error) {
	page, err := p.OpenDeadlines(ctx, by, DeadlineFilter{Limit: 500})
	if err != nil {
		return nil, 0, err
	}
	for _, d := range page.Deadlines {
		if len(rows) == cardDeadlines || d.Due.IsZero() {
			continue
		}
		m := deadlineMarkOf(words, d, now)
		row := web.Todo{Class: m.Class, Icon: "flag", Title: words.T("cases.card.deadline", "what", deadlineCapital(d.Said(words.Lang())), "case", web.Clip(caseOr(d.CaseTitle, words.T("cases.untitled")), 80)), Href: formPath(d), Text: d.Regulation + " " + d.Article, Tag: deadlineLeft(words, d, now), TagIcon: m.Icon}
		rows = append(rows, row)
	}
	return rows, page.Open, nil
}
