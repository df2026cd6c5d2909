package exchange

import (
	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// fading says what an indicator is worth now and why; nothing for other objects.
func (p *Pages) fading(sh *sheet) ([]web.Block, error) {
	if sh.now.Type() != "indicator" || sh.now.Raw == nil {
		return nil, nil
	}
	words := sh.rd.words
	f, err := p.WorthNow(sh.rd.ctx, sh.rd.by, string(sh.at.Community.ID), sh.now.ID)
	if err != nil {
		return nil, err
	}
	var marks []web.Mark
	for _, b := range f.Because {
		marks = append(marks, web.Mark{Icon: "info", Text: words.T(b.Key, b.Args...)})
	}
	return []web.Block{aside(words.T("exchange.decay.worth", "n", f.Worth), words.T("exchange.decay.because"), "notes", marks)}, nil
}

// balance says how opinions on the object stand, from five members up (X28).
func (p *Pages) balance(sh *sheet) ([]web.Block, error) {
	words := sh.rd.words
	speakers, who := NewSpeakers(p.accounts.IsOrg), map[string]bool{}
	count := map[Stance]int{}
	total := 0
	for _, s := range sh.refers {
		if s.Type() != "opinion" || s.Community != sh.at.Community.ID {
			continue
		}
		for _, said := range StatementsOf(s.o) {
			if said.About != sh.now.ID {
				continue
			}
			by, err := speakers.Of(sh.rd.ctx, s.Delivery, s.o)
			if err != nil {
				return nil, err
			}
			who[by] = true
			count[said.Stance]++
			total++
		}
	}
	if total == 0 {
		return nil, nil
	}
	if len(who) < smallGroup {
		return []web.Block{aside(words.T("exchange.balance"), "", "notes", []web.Mark{{Icon: "people", Text: words.T("exchange.balance.few")}})}, nil
	}
	pair := func(key string, s Stance) web.Pair {
		return web.Pair{Term: words.T("exchange.balance." + key), Text: words.T("exchange.balance.of", "n", count[s], "of", total)}
	}
	return []web.Block{aside(words.T("exchange.balance"), "", "facts", []web.Pair{pair("for", StanceAgrees), pair("neither", StanceNeutral), pair("against", StanceFalse)})}, nil
}

// judged are the blocks of an object's page that say what it is worth, what members think of it, and what they would change.
func (p *Pages) judged(sh *sheet) ([]web.Block, error) {
	worth, err := p.fading(sh)
	if err != nil && polder.KindOf(err) != polder.NotFound { // it was withdrawn while the page was made
		return nil, err
	}
	balance, err := p.balance(sh)
	if err != nil {
		return nil, err
	}
	out := append(worth, balance...)
	if marks := p.proposed(sh); len(marks) > 0 {
		out = append(out, aside(sh.rd.words.T("exchange.proposals"), "", "notes", marks))
	}
	return out, nil
}
