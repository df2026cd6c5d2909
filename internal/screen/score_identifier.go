package screen

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/polder-exchange/polder/internal/screen/lists"
)

// idKind says what an identifier of a kind is worth.
type idKind struct {
	name    string  // in words
	decides bool    // an equal one decides
	differ  float64 // what the score is multiplied with when both sides have one and they differ; 1 is nothing
	unique  bool    // it is one in the world, whoever gave it
}

// idKinds are the kinds that are compared. Ships and aircraft change their radio and tail numbers, people have several
// passports: such numbers speak when they agree and are silent when they differ.
var idKinds = map[string]idKind{
	lists.IDLEI:          {"LEI", true, 0.55, true},
	lists.IDIMO:          {"IMO number", true, 0.55, true},
	lists.IDRegistration: {"registration number", true, 0.60, false},
	lists.IDTax:          {"tax number", true, 0.60, false},
	lists.IDBIC:          {"BIC", true, 1, true},
	lists.IDNational:     {"national number", true, 0.70, false},
	lists.IDMMSI:         {"MMSI", true, 1, true},
	lists.IDAircraft:     {"aircraft number", true, 1, true},
	lists.IDPassport:     {"passport", true, 1, false},
	lists.IDOther:        {"number", false, 1, false},
}

// lowerDoubtful is what differing numbers do where one side does not say who gave them: they may be of two registers.
const lowerDoubtful = 0.85

// leastID is how many letters and digits an identifier has at least; shorter ones are no evidence.
const leastID = 4

// plainID is the letters and digits of an identifier, in capitals; "" for what cannot be one, as "n/a" or "0000".
func plainID(kind, value string) string {
	if len(value) > 200 {
		return ""
	}
	var b strings.Builder
	for _, r := range norm.NFKC.String(value) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	out := b.String()
	switch kind {
	case lists.IDIMO, lists.IDMMSI:
		out = strings.TrimLeftFunc(out, unicode.IsLetter) // "IMO 9187629"
	}
	if len(out) < leastID || strings.Trim(out, out[:1]) == "" || !strings.ContainsAny(out, "0123456789") && kind != lists.IDBIC {
		return ""
	}
	if kind == lists.IDBIC && len(out) == 11 {
		out = strings.TrimSuffix(out, strings.Repeat("X", 3)) // the head office, written in full
	}
	return out
}

// compareIdentifiers looks for an identifier that both have; else for two of one kind that differ.
func (q *asked) compareIdentifiers(e *lists.Entry) (move, bool) {
	var differ, other move
	for _, a := range q.ids {
		kind := idKinds[a.Kind]
		for i := range e.Identifiers {
			b := &e.Identifiers[i]
			if b.Kind != a.Kind {
				continue
			}
			value := plainID(b.Kind, b.Value)
			ca, cb := countryCode(a.Country), countryCode(b.Country)
			if value == "" || !kind.unique && ca != "" && cb != "" && ca != cb {
				continue
			}
			m := move{kind: "identifier", query: a.Value, listed: b.Value}
			switch {
			case value == a.plain && kind.decides:
				m.alike, m.decide, m.how, m.why = 1, true, "the same "+kind.name, "the "+kind.name+" is the same"
				return m, true
			case value == a.plain:
				m.alike, m.raise, m.how, m.why = 1, raiseOtherID, "the same number", "a number is the same"
				other = m
			case kind.differ < 1:
				m.lower, m.how = kind.differ, "another "+kind.name
				if !kind.unique && (ca == "" || cb == "") {
					m.lower = lowerDoubtful
				}
				m.why = fmt.Sprintf("the %s differs (%s, listed %s)", kind.name, clip(a.Value, 40), clip(b.Value, 40))
				if differ.kind == "" || m.lower < differ.lower {
					differ = m
				}
			}
		}
	}
	if differ.kind != "" && other.kind == "" {
		return differ, true
	}
	return other, other.kind != ""
}

// askedID is an identifier of a query, ready to be compared.
type askedID struct {
	lists.Identifier
	plain string
}

// askedIDs are those of a query that can be compared.
func askedIDs(ids []lists.Identifier) []askedID {
	var out []askedID
	for _, id := range ids[:min(len(ids), maxIdentifiers)] {
		id.Kind = strings.ToLower(strings.TrimSpace(id.Kind))
		if _, known := idKinds[id.Kind]; !known {
			continue
		}
		if p := plainID(id.Kind, id.Value); p != "" {
			out = append(out, askedID{id, p})
		}
	}
	return out
}

// maxIdentifiers is how many identifiers of a query are looked at.
const maxIdentifiers = 50

// idKey is under which an identifier is found in the index of a [Screener]; "" for one that is no way in.
func idKey(kind, value string) string {
	if !idKinds[kind].decides {
		return ""
	}
	p := plainID(kind, value)
	if p == "" {
		return ""
	}
	return kind + ":" + p
}

// ParseIdentifier reads "kind:value" or "kind:CC:value", where CC is the country that gave it.
func ParseIdentifier(text string) (lists.Identifier, error) {
	kind, value, ok := strings.Cut(text, ":")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if _, known := idKinds[kind]; !ok || !known {
		return lists.Identifier{}, fmt.Errorf("%q is no identifier; write kind:value, where kind is one of %s", clip(text, 80), strings.Join(idKindNames(), ", "))
	}
	id := lists.Identifier{Kind: kind, Value: strings.TrimSpace(value)}
	if cc, rest, ok := strings.Cut(value, ":"); ok && len(strings.TrimSpace(cc)) == 2 {
		if id.Country = countryCode(cc); id.Country != "" {
			id.Value = strings.TrimSpace(rest)
		}
	}
	if plainID(kind, id.Value) == "" {
		return lists.Identifier{}, fmt.Errorf("%q is no %s; it needs at least %d letters or digits", clip(id.Value, 80), idKinds[kind].name, leastID)
	}
	return id, nil
}

func idKindNames() []string {
	var out []string
	for k := range idKinds {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// clip shortens a text to at most n characters.
func clip(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
