package sigma

import (
	"slices"
	"unicode/utf8"

	"github.com/polder-exchange/polder/event"
)

// Evidence is a field of an event and the value in it that made a rule match.
type Evidence struct{ Field, Value string }

// Bounds of evidence.
const (
	maxEvidence      = 32      // pairs
	maxEvidenceBytes = 8 << 10 // of one value
)

// Evidence is why a rule of the engine matches an event: each field, by its path in the event, and the value that
// answered one of the rule's questions with yes. What a rule finds absent has no value to show. It is empty when the
// rule does not match.
func (m *Matcher) Evidence(ev *event.Event, r *Rule) []Evidence {
	i := slices.Index(m.e.rules, r)
	if i < 0 || !m.begin(ev) || !slices.Contains(m.bucket.rules, int32(i)) {
		return nil
	}
	m.cand = append(m.cand[:0], m.bucket.open...)
	for _, slot := range m.filled {
		m.index(m.bucket.slots[slot], slot)
	}
	if !m.holds(&m.e.steps[i]) {
		return nil
	}
	var out []Evidence
	m.explain(ev, &m.e.steps[i], &out)
	return out
}

// explain adds what speaks for a step that holds.
func (m *Matcher) explain(ev *event.Event, s *branch, out *[]Evidence) {
	switch s.op {
	case isAtom:
		m.point(ev, s.q, out)
	case allOf, anyOf:
		for i := range s.kids {
			if m.holds(&s.kids[i]) {
				m.explain(ev, &s.kids[i], out)
			}
		}
	}
}

// point adds the first value, in the order of the event, that answers a question with yes.
func (m *Matcher) point(ev *event.Event, q *question, out *[]Evidence) {
	head := m.heads[q.slot]
	if head.now != m.now || q.atom.kind == isNull || len(*out) >= maxEvidence {
		return
	}
	first := int32(-1)
	for at := head.n; at >= 0; at = m.entries[at].next {
		v := m.entries[at].val
		if q.atom.kind == isThere || !m.vals[v].null && m.accepts(q, v) {
			first = v // entries go from the last to the first
		}
	}
	if first < 0 {
		return
	}
	v := &m.vals[first]
	e := Evidence{Field: ev.Fields[v.field].Name.String(), Value: shorten(m.text(v))}
	if !slices.Contains(*out, e) {
		*out = append(*out, e)
	}
}

// shorten is a text as evidence shows it.
func shorten(s []byte) string {
	if len(s) <= maxEvidenceBytes {
		return string(s)
	}
	n := maxEvidenceBytes
	for n > maxEvidenceBytes-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return string(s[:n]) + "…"
}
