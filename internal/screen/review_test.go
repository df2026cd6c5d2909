package screen

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// TestFourEyes is the rule of two people, case by case.
func TestFourEyes(t *testing.T) {
	both := DefaultSettings()
	both.SecondFrom, both.SecondForTrue = 0.8, true
	falseOnly := DefaultSettings()
	falseOnly.SecondFrom = 0.95
	type said struct {
		by polder.Actor
		v  Verdict
	}
	for _, c := range []struct {
		why   string
		set   Settings
		score float64
		says  []said
		state State
		err   polder.Kind // of the last; 255 for none
	}{
		{"nobody asks for a second person", DefaultSettings(), 1, []said{{anna, VerdictFalse}}, StateFalse, 255},
		{"a token may decide what needs one", DefaultSettings(), 1, []said{{robot, VerdictFalse}}, StateFalse, 255},
		{"the first waits for the second", both, 0.9, []said{{anna, VerdictFalse}}, StateSecond, 255},
		{"so does the same party", both, 0.9, []said{{anna, VerdictTrue}}, StateSecond, 255},
		{"a low score needs one person", falseOnly, 0.9, []said{{anna, VerdictFalse}}, StateFalse, 255},
		{"a score at the bound needs two", falseOnly, 0.95, []said{{anna, VerdictFalse}}, StateSecond, 255},
		{"the same party needs one here", falseOnly, 0.99, []said{{anna, VerdictTrue}}, StateTrue, 255},
		{"another person agrees", both, 0.9, []said{{anna, VerdictFalse}, {bram, VerdictFalse}}, StateFalse, 255},
		{"nobody is his own second", both, 0.9, []said{{anna, VerdictFalse}, {anna, VerdictFalse}}, StateSecond, polder.Forbidden},
		{"nor by changing his mind", both, 0.9, []said{{anna, VerdictFalse}, {anna, VerdictTrue}}, StateSecond, polder.Forbidden},
		{"nor with a token of his", both, 0.9, []said{{anna, VerdictFalse}, {polder.Actor{Org: ours, Person: "anna", Token: "t", Role: polder.RoleContributor}, VerdictFalse}}, StateSecond, polder.Forbidden},
		{"a token is no second person", both, 0.9, []said{{anna, VerdictFalse}, {robot, VerdictFalse}}, StateSecond, polder.Forbidden},
		{"nor a first one", both, 0.9, []said{{robot, VerdictFalse}}, StateOpen, polder.Forbidden},
		{"who disagrees opens it", both, 0.9, []said{{anna, VerdictFalse}, {bram, VerdictTrue}}, StateOpen, 255},
		{"then the first may begin again", both, 0.9, []said{{anna, VerdictFalse}, {bram, VerdictTrue}, {anna, VerdictTrue}, {bram, VerdictTrue}}, StateTrue, 255},
		{"the first may take it back", both, 0.9, []said{{anna, VerdictFalse}, {anna, VerdictMore}}, StateOpen, 255},
		{"a question leaves it open", both, 0.9, []said{{anna, VerdictMore}}, StateOpen, 255},
		{"what is decided is not decided again", falseOnly, 0.5, []said{{anna, VerdictFalse}, {bram, VerdictFalse}}, StateFalse, polder.Conflict},
		{"what was decided may be decided otherwise", falseOnly, 0.5, []said{{anna, VerdictFalse}, {bram, VerdictTrue}}, StateTrue, 255},
		{"and needs two where the policy says so", both, 0.9, []said{{anna, VerdictFalse}, {bram, VerdictFalse}, {anna, VerdictTrue}}, StateSecond, 255},
	} {
		r, last := Review{State: StateOpen, Version: 1, Score: c.score}, polder.Kind(255)
		for _, s := range c.says {
			after, err := r.judge(s.by, Judgement{s.v, "a good reason", r.Version}, c.set, r.Made)
			last = 255
			if err != nil {
				last = polder.KindOf(err)
				continue
			}
			if after.Version != r.Version+1 {
				t.Errorf("%s: version %d after %d", c.why, after.Version, r.Version)
			}
			r = after
		}
		if r.State != c.state || last != c.err {
			t.Errorf("%s: %s and %v, want %s and %v", c.why, r.State, last, c.state, c.err)
		}
	}
}

func TestJudgementIsChecked(t *testing.T) {
	for _, c := range []struct {
		j    Judgement
		want polder.Kind
		why  string
	}{
		{Judgement{VerdictFalse, "too short", 1}, polder.Invalid, "nine characters say nothing"},
		{Judgement{VerdictFalse, "   spaces      ", 1}, polder.Invalid, "spaces are no reason"},
		{Judgement{VerdictFalse, "другая фирма", 1}, 255, "characters count, not bytes"},
		{Judgement{VerdictFalse, "其他公司", 1}, polder.Invalid, "four characters of twelve bytes"},
		{Judgement{VerdictMore, "", 1}, polder.Invalid, "a question must be asked"},
		{Judgement{"maybe", "a long reason", 1}, polder.Invalid, "there is no such verdict"},
		{Judgement{StepOpened, "a long reason", 1}, polder.Invalid, "that is the node's to say"},
		{Judgement{VerdictTrue, strings.Repeat("x", maxReason+1), 1}, polder.TooLarge, "a reason is bounded"},
		{Judgement{VerdictTrue, "reason \xff\xfe here", 1}, polder.Invalid, "no text"},
	} {
		err := c.j.check()
		if got := polder.KindOf(err); err == nil && c.want != 255 || err != nil && got != c.want {
			t.Errorf("%q: %v; %s", c.j.Reason, err, c.why)
		}
	}
}

// TestTwoDeciders: of many who decide the same version of a review at once, one does, and the others are told that it
// has changed.
func TestTwoDeciders(t *testing.T) {
	w := ready(t)
	r := w.review(company("", firmOne))
	const many = 8
	errs := make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			v := []Verdict{VerdictTrue, VerdictFalse}[i%2]
			_, errs[i] = w.Decide(t.Context(), actor(ours, fmt.Sprint("p", i), polder.RoleContributor), r.ID, Judgement{v, "decided at the same time", r.Version})
		})
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), "read it again") {
			t.Errorf("a late decision is told %v", err)
		}
	}
	d, err := w.Review(t.Context(), dirk, r.ID)
	must(t, err)
	if done != 1 || d.Version != 2 || len(d.History) != 2 {
		t.Errorf("%d decided, version %d, history %v", done, d.Version, d.History)
	}
}

// TestReviewLaw plays people, lists and parties against the service and holds it against a plain model: what is decided
// stands exactly until the party or the listing changes, two pairs of eyes are two people, history only grows.
func TestReviewLaw(t *testing.T) {
	if os.Getenv("POLDER_SOAK") == "" {
		must(t, flag.Set("rapid.checks", "30")) // the flag is rapid's own
		defer func() { must(t, flag.Set("rapid.checks", "100")) }()
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := ready(t)
		set := DefaultSettings()
		set.SecondForTrue = rapid.Bool().Draw(rt, "second for true")
		set.SecondFrom = rapid.SampledFrom([]float64{0, 0.5}).Draw(rt, "second from")
		_, err := w.Set(t.Context(), carla, set)
		must(t, err)
		m := &reviewModel{w: w, listed: true}
		p, err := w.AddParty(t.Context(), anna, Customers, company("C", firmOne))
		must(t, err)
		m.party, m.version = p.ID, 1
		w.work()
		m.id, m.state = w.all("")[0].ID, StateOpen
		rt.Repeat(map[string]func(*rapid.T){"decide": m.decide, "party": m.changeParty, "listing": m.changeListing, "unlist": m.unlist, "again": m.again, "": m.check})
	})
}

// reviewModel is what a review should be.
type reviewModel struct {
	w        *serviceWorld
	id       string
	party    string
	version  int // of the party
	state    State
	proposed Verdict
	by       polder.PersonID
	listed   bool
	tick     int
	history  []Decision
}

func (m *reviewModel) decide(t *rapid.T) {
	by := rapid.SampledFrom([]polder.Actor{anna, bram, robot}).Draw(t, "by")
	v := rapid.SampledFrom([]Verdict{VerdictTrue, VerdictFalse, VerdictMore}).Draw(t, "verdict")
	set, err := m.w.Settings(m.w.t.Context(), dirk)
	must(m.w.t, err)
	needs := v == VerdictTrue && set.SecondForTrue || v == VerdictFalse && set.SecondFrom > 0
	want := m.state
	ok := true
	switch {
	case m.state == StateClosed, m.state == State(v):
		ok = false
	case v == VerdictMore:
		want = StateOpen
	case m.state == StateSecond:
		ok = by.Person != "" && by.Person != m.by
		if want = StateOpen; m.proposed == v {
			want = State(v)
		}
	case needs:
		ok, want = by.Person != "", StateSecond
	default:
		want = State(v)
	}
	_, err = m.w.say(by, m.id, v)
	if (err == nil) != ok {
		t.Fatalf("%s says %s in state %s: %v", by.Person, v, m.state, err)
	}
	if ok {
		m.state, m.proposed, m.by = want, v, by.Person
	}
}

func (m *reviewModel) changeParty(t *rapid.T) {
	m.tick++
	q := company("C", firmOne)
	q.Birth = fmt.Sprint(1900 + m.tick) // says nothing of a firm, and is another fingerprint
	_, err := m.w.ChangeParty(m.w.t.Context(), anna, m.party, PartyChange{Query: q, Seen: m.version})
	must(m.w.t, err)
	m.version++
	m.w.work()
	if m.listed && (m.state == StateFalse || m.state == StateSecond) {
		m.state = StateOpen
	}
}

func (m *reviewModel) put() {
	e := entry("1", firmOne)
	e.Note = fmt.Sprint("version ", m.tick)
	others := []lists.Entry{entry("2", firmTwo), entry("3", fmt.Sprint("Filler ", m.tick, m.listed))}
	if m.listed {
		others = append(others, e)
	}
	m.w.lists.put("alpha", fmt.Sprintf("2026-11-%02d", 2+m.tick%20), others...)
	m.w.work()
}

func (m *reviewModel) changeListing(t *rapid.T) {
	m.tick++
	was := m.listed
	m.listed = true
	m.put()
	switch {
	case m.state == StateFalse, m.state == StateSecond, m.state == StateClosed:
		m.state = StateOpen
	}
	_ = was
}

func (m *reviewModel) unlist(t *rapid.T) {
	if !m.listed {
		return
	}
	m.listed = false
	m.put()
	if m.state.Waits() {
		m.state = StateClosed
	}
}

// again asks all anew: nothing changed, so nothing changes.
func (m *reviewModel) again(t *rapid.T) {
	must(m.w.t, m.w.AskAgain(m.w.t.Context(), carla))
	m.w.work()
}

func (m *reviewModel) check(t *rapid.T) {
	d, err := m.w.Review(m.w.t.Context(), dirk, m.id)
	must(m.w.t, err)
	if d.State != m.state {
		t.Fatalf("the review is %s, want %s; note %q", d.State, m.state, d.Note)
	}
	if d.Gone.IsZero() != m.listed {
		t.Fatalf("listed %v, and gone since %v", m.listed, d.Gone)
	}
	if len(d.History) < len(m.history) || !slices.EqualFunc(d.History[:len(m.history)], m.history, func(a, b Decision) bool { return reflect.DeepEqual(a, b) }) {
		t.Fatalf("history was %v and is %v", m.history, d.History)
	}
	m.history = d.History
	if all := m.w.all("all"); len(all) != 1 {
		t.Fatalf("%d reviews of one party and one listing", len(all))
	}
	if c, err := m.w.Counts(m.w.t.Context(), dirk); err != nil || c.States[m.state] != 1 || len(c.States) != 1 {
		t.Fatalf("the counts are %v, want one that is %s: %v", c.States, m.state, err)
	}
	// Whoever decided what needed two people, two different people said so, one after the other.
	if d.State.decided() {
		set, err := m.w.Settings(m.w.t.Context(), dirk)
		must(m.w.t, err)
		if set.needsSecond(Verdict(d.State), d.Score) {
			var people []polder.PersonID
			for _, h := range slices.Backward(d.History) {
				if h.Verdict == Verdict(d.State) && len(people) < 2 {
					people = append(people, h.Person)
				}
			}
			if len(people) != 2 || people[0] == people[1] || slices.Contains(people, "") {
				t.Fatalf("decided by %v", people)
			}
		}
	}
}
