package web

import (
	"context"
	"net/http"
	"slices"

	polder "github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Block is what one capability shows on a page of another. Its texts are in the reader's language.
type Block struct {
	Title, Note string
	More        Link   // in the head of the block; empty for none
	Template    string // a fragment, "part/name", that renders Data
	Data        any
	Order       int  // small first
	Aside       bool // belongs in the narrow column
}

// Panel shows what a capability knows about an object (a STIX id), for the object's page. The zero Block is nothing.
// It answers for by alone: what by may not see does not exist.
type Panel interface {
	Panel(ctx context.Context, by polder.Actor, object string, w Words) (Block, error)
}

// Card shows what a capability has for the overview of by. The zero Block is nothing.
type Card interface {
	Card(ctx context.Context, by polder.Actor, w Words) (Block, error)
}

// Search finds what a capability holds under a text that by typed: an indicator, a name, an id. At most limit hits.
type Search interface {
	Search(ctx context.Context, by polder.Actor, text string, limit int, w Words) ([]Hit, error)
}

// Hit is one thing that was found. Exact ones come first; an exact id goes straight to its page.
type Hit struct {
	Kind, Icon  string // what it is, in words, and its sign
	Title, Href string
	Text        string
	TLP         stix.Marking
	Exact       bool
}

// AddCards adds to the overview.
func (s *Site) AddCards(c ...Card) { s.cards = append(s.cards, c...) }

// AddPanels adds to the page of an object.
func (s *Site) AddPanels(p ...Panel) { s.panels = append(s.panels, p...) }

// AddSearches adds to the search.
func (s *Site) AddSearches(f ...Search) { s.searches = append(s.searches, f...) }

// Cards are the blocks of the overview for whoever asks. A capability that fails is logged and left out.
func (s *Site) Cards(r *http.Request) []Block {
	var blocks []Block
	for _, c := range s.cards {
		b, err := c.Card(r.Context(), ActorOf(r), WordsOf(r))
		blocks = s.take(r, blocks, b, err)
	}
	return sorted(blocks)
}

// Panels are the blocks of an object's page for whoever asks. A capability that fails is logged and left out.
func (s *Site) Panels(r *http.Request, object string) []Block {
	var blocks []Block
	for _, p := range s.panels {
		b, err := p.Panel(r.Context(), ActorOf(r), object, WordsOf(r))
		blocks = s.take(r, blocks, b, err)
	}
	return sorted(blocks)
}

func (s *Site) take(r *http.Request, blocks []Block, b Block, err error) []Block {
	if err != nil {
		s.log().ErrorContext(r.Context(), "block failed", "request", RequestID(r.Context()), "err", err)
		return blocks
	}
	if b.Template == "" {
		return blocks
	}
	return append(blocks, b)
}

func sorted(blocks []Block) []Block {
	slices.SortStableFunc(blocks, func(a, b Block) int { return a.Order - b.Order })
	return blocks
}

// Find asks every capability for a text. The hits are exact ones first, each capability's in its own order.
func (s *Site) Find(r *http.Request, text string, limit int) []Hit {
	var exact, others []Hit
	for _, f := range s.searches {
		hits, err := f.Search(r.Context(), ActorOf(r), text, limit, WordsOf(r))
		if err != nil {
			s.log().ErrorContext(r.Context(), "search failed", "request", RequestID(r.Context()), "err", err)
			continue
		}
		for _, h := range hits {
			if h.Exact {
				exact = append(exact, h)
			} else {
				others = append(others, h)
			}
		}
	}
	return append(exact, others...)
}
