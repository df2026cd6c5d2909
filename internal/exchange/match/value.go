package match

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/names"
)

// Kind is what the values of a set are: one of the kinds of package indicator, or [Party].
type Kind string

// Party is a firm, an authority or a person: a name, or an identifier of a register written "lei:…".
const Party Kind = "party"

// kindBudgets are the kinds of value with the elements that an organisation may send in a day, and what that leaves
// somebody who tries every value that there is.
var kindBudgets = []struct {
	Kind   Kind
	Budget int
	Leaves string
}{
	{Kind(indicator.IPv4), 10_000, "a /16 in 6.6 days, all of IPv4 in 1,177 years"},
	{Kind(indicator.IPv6), 10_000, "addresses that somebody knows: a million in 100 days"},
	{Kind(indicator.Domain), 10_000, "a list of the million best known in 100 days"},
	{Kind(indicator.URL), 20_000, "a list of a million in 50 days"},
	{Kind(indicator.Email), 10_000, "a list of a million in 100 days"},
	{Kind(indicator.MD5), 50_000, "a list of a million known files in 20 days"},
	{Kind(indicator.SHA1), 50_000, "a list of a million known files in 20 days"},
	{Kind(indicator.SHA256), 50_000, "a list of a million known files in 20 days"},
	{Kind(indicator.SHA512), 50_000, "a list of a million known files in 20 days"},
	{Party, 2_000, "a register of a million firms in 500 days"},
}

// Kinds are the kinds of value that a set can be of.
func Kinds() []Kind {
	out := make([]Kind, len(kindBudgets))
	for i, k := range kindBudgets {
		out[i] = k.Kind
	}
	return out
}

// Budget is how many elements an organisation may send to a set of a kind in a day, unless its owner says otherwise.
func Budget(k Kind) int {
	for _, b := range kindBudgets {
		if b.Kind == k {
			return b.Budget
		}
	}
	return 0
}

// ParseKind reads the name of a kind, as indicators name them too.
func ParseKind(s string) (Kind, error) {
	if strings.EqualFold(s, string(Party)) {
		return Party, nil
	}
	if k, err := indicator.ParseKind(s); err == nil && slices.Contains(Kinds(), Kind(k)) {
		return Kind(k), nil
	}
	var all []string
	for _, k := range Kinds() {
		all = append(all, string(k))
	}
	return "", polder.Errorf(polder.Invalid, "type: %.40q is no type of value that sets are made of; use one of %s", s, strings.Join(all, ", "))
}

// Normalise gives a value the one spelling under which it is compared, on both sides. Indicators are written as package
// indicator writes them, and a defanged one is read as the whole one.
//
// Of parties, names are equal that have the same words in the same order when: legal forms (Ltd, GmbH, B.V., ООО, 有限公司)
// are left out, unless nothing else remains; case, diacritics, punctuation and width do not count; words in other scripts
// are read in their usual romanisation, and words of the trade that several languages have (Technology, Технологии, 技术)
// by their meaning. Nothing else is equal: no misspelling, no other order, no part of a name. An identifier is "KIND:" and
// letters and digits, of which case and punctuation do not count; it equals the same of the same kind alone.
func Normalise(k Kind, value string) (string, error) {
	if k != Party {
		return indicator.Normalise(indicator.Kind(k), indicator.Refang(value))
	}
	switch v := strings.TrimSpace(value); {
	case v == "":
		return "", errors.New("the party is empty")
	case len(v) > indicator.MaxValue:
		return "", fmt.Errorf("the party has %d bytes; at most %d are read", len(v), indicator.MaxValue)
	case !utf8.ValidString(v):
		return "", errors.New("the party is not UTF-8")
	default:
		if id, ok := partyID(v); ok {
			return id, nil
		}
		return partyName(v)
	}
}

// partyID reads "lei:5299 00T8…" as "id:lei:529900T8…".
func partyID(v string) (string, bool) {
	kind, number, ok := strings.Cut(v, ":")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if !ok || len(kind) < 2 || len(kind) > 20 || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", false
	}
	number = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		case strings.ContainsRune(" .-/_\t", r):
			return -1
		}
		return '?'
	}, number)
	if number == "" || strings.Contains(number, "?") || !strings.ContainsAny(number, "0123456789") {
		return "", false
	}
	return "id:" + kind + ":" + number, true
}

func partyName(v string) (string, error) {
	parsed := names.Parse(v, names.Any)
	var all, kept []string
	for _, w := range parsed.Words {
		text := w.Latin
		if text == "" {
			text = w.Text
		}
		if w.Kind == names.Trade && w.Concept != 0 {
			text = strings.ToLower(w.Concept.String())
		}
		all = append(all, text)
		if w.Kind != names.LegalForm {
			kept = append(kept, text)
		}
	}
	if len(kept) == 0 {
		kept = all
	}
	if len(kept) == 0 {
		return "", fmt.Errorf("nothing can be read in %.60q as a name", v)
	}
	return "name:" + strings.Join(kept, " "), nil
}
