package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// scene is one step of the story.
type scene struct {
	name string // for scripts
	says string // for people
	// by is the part whose share it is, and sees are the parts that may see it beside. Both empty: nothing is delivered.
	by   string
	sees []string
	// do plays the scene and answers the highest number that was given, 0 if none.
	do func(context.Context, *stage) (polder.Seq, error)
	// check looks at what came of it, beside who heard it; nil if there is nothing more to look at.
	check func(context.Context, *stage) error
}

// patience is how long a delivery may take to reach a subscriber: far longer than it does, so that a slow machine fails
// no check, and short enough to wait for.
const patience = 20 * time.Second

// bookkeeping is what the scenes delivered so far and to whom it may go.
type bookkeeping struct {
	last    polder.Seq
	may     map[string]int // deliveries that a part may see
	objects int
	checked int // pairs of a delivery and a part that may not see it
	found   int // of these, those that the part saw
	late    []time.Duration
}

// play plays scenes one after the other and checks each. It stops at the first that fails; the error names it. tell
// hears of each scene when it is over.
func (st *stage) play(ctx context.Context, scenes []scene, tell func(scene, outcome)) (summary, error) {
	book := &bookkeeping{may: map[string]int{}}
	sum := summary{OK: true, Node: st.url, Steps: []outcome{}}
	var failed error
	for _, s := range scenes {
		began := time.Now()
		err := st.playOne(ctx, s, book)
		o := outcome{Step: s.name, OK: err == nil, MS: round(time.Since(began))}
		if err != nil {
			sum.OK, o.Error, failed = false, err.Error(), fmt.Errorf("demo: step %s: %w", s.name, err)
		}
		sum.Steps = append(sum.Steps, o)
		tell(s, o)
		if failed != nil {
			break
		}
	}
	sum.Objects, sum.Leaks = book.objects, leaks{book.checked, book.found}
	sum.Latency = latency{percentile(book.late, 50), percentile(book.late, 99)}
	for _, p := range cast {
		who := st.players[p.key]
		saw := len(who.seen.between(0, math.MaxInt64))
		sum.Organisations = append(sum.Organisations, orgSummary{p.name, who.org.ID, book.may[p.key], saw})
		if failed == nil && saw != book.may[p.key] { // something came late, after its scene was checked
			sum.OK, failed = false, fmt.Errorf("demo: in the end %s saw %d events, and may see %d", p.name, saw, book.may[p.key])
		}
	}
	return sum, failed
}

func (st *stage) playOne(ctx context.Context, s scene, book *bookkeeping) error {
	seq, err := s.do(ctx, st)
	if err != nil {
		return err
	}
	switch {
	case s.by == "" && seq != 0:
		return fmt.Errorf("something was stored, number %d, where nothing should be", seq)
	case s.by != "" && seq <= book.last:
		return fmt.Errorf("nothing was stored")
	case s.by != "":
		if err := st.audience(ctx, s, book, seq); err != nil {
			return err
		}
		book.last = seq
	}
	if s.check == nil {
		return nil
	}
	return s.check(ctx, st)
}

// audience checks that everybody who may heard what the scene delivered, and nobody else did. What comes to somebody
// else later is noticed in the end: [stage.play] counts again, and [nobodyElse] compares with the pages.
func (st *stage) audience(ctx context.Context, s scene, book *bookkeeping, seq polder.Seq) error {
	sharer := st.players[s.by]
	if err := sharer.seen.until(ctx, seq, patience); err != nil {
		return fmt.Errorf("%s, who shared it: %w", sharer.name, err)
	}
	shared := sharer.seen.between(book.last, seq)
	for _, h := range shared {
		if h.kind == "object" {
			book.objects++
		}
	}
	var wrong []error
	for _, p := range cast {
		who := st.players[p.key]
		if p.key == s.by || slices.Contains(s.sees, p.key) {
			book.may[p.key] += len(shared)
			wrong = append(wrong, heardAll(ctx, who, shared, book, seq))
			continue
		}
		book.checked += len(shared)
		if got := who.seen.between(book.last, seq); len(got) > 0 {
			book.found += len(got)
			wrong = append(wrong, fmt.Errorf("%s saw %s, which it may not", who.name, got[0].id))
		}
	}
	return errors.Join(wrong...)
}

// heardAll waits until a player has heard everything that was shared, and compares.
func heardAll(ctx context.Context, who *player, shared []heard, book *bookkeeping, seq polder.Seq) error {
	if err := who.seen.until(ctx, seq, patience); err != nil {
		return fmt.Errorf("%s: %w", who.name, err)
	}
	got := who.seen.between(book.last, seq)
	same := func(a, b heard) bool { return a.seq == b.seq && a.kind == b.kind && a.id == b.id }
	if !slices.EqualFunc(got, shared, same) {
		return fmt.Errorf("%s heard %d events of the %d that were shared, or others", who.name, len(got), len(shared))
	}
	for _, h := range got {
		book.late = append(book.late, h.late)
	}
	return nil
}

// percentile of times, in milliseconds; 0 of none.
func percentile(all []time.Duration, p int) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return round(sorted[(len(sorted)-1)*p/100])
}

// nobodyElse holds the whole of each live stream against what is in the pages: the same objects, no more and no fewer,
// and not the name of a member who stayed blind.
func nobodyElse(ctx context.Context, st *stage) error {
	for _, p := range cast {
		who := st.players[p.key]
		live := map[string]int{}
		for _, h := range who.seen.between(0, math.MaxInt64) {
			if h.kind == "object" {
				live[h.id]++
			} else {
				live[h.id] = 0
			}
			if err := st.named(who, h); err != nil {
				return err
			}
		}
		pages, err := st.pages(ctx, who)
		if err != nil {
			return err
		}
		for id, n := range live {
			if pages[id] != n {
				return fmt.Errorf("%s: %s came %d times by the stream and stands %d times in the pages", who.name, id, n, pages[id])
			}
		}
		for id := range pages {
			if live[id] == 0 {
				return fmt.Errorf("%s: %s is in the pages, and the stream does not have it", who.name, id)
			}
		}
	}
	return nil
}

// named tells of an event that names an organisation. Of the parts only the CSIRT speaks under its own name.
func (st *stage) named(reader *player, h heard) error {
	for _, p := range cast {
		if p.key != "csirt" && (strings.Contains(h.body, p.name) || strings.Contains(h.body, string(st.players[p.key].org.ID))) {
			return fmt.Errorf("%s reads the name of %s in %s", reader.name, p.name, h.id)
		}
	}
	return nil
}

// page is what a page of objects and the answer of a search have in common.
type page struct {
	Objects []struct {
		Object struct {
			ID string `json:"id"`
		} `json:"object"`
	} `json:"objects"`
	More  bool       `json:"more"`
	After polder.Seq `json:"after"`
}

// pages counts the versions of each object in the pages that a player reads.
func (st *stage) pages(ctx context.Context, who *player) (map[string]int, error) {
	out := map[string]int{}
	after := polder.Seq(0)
	for {
		var got page
		if err := st.ask(ctx, who.reader, "GET", fmt.Sprintf("/api/v1/objects?version=all&limit=1000&after=%d", after), nil, &got); err != nil {
			return nil, fmt.Errorf("%s: %w", who.name, err)
		}
		for _, o := range got.Objects {
			out[o.Object.ID]++
		}
		if !got.More {
			return out, nil
		}
		after = got.After
	}
}
