package lists

import (
	"regexp"
	"strings"
	"unicode"
)

// Lists write further names into the name itself: "PEARL (A.K.A. NEI-CHIEN CHU) LI", "Nordlicht, f.k.a. Morgenstern",
// and phrases that are no name: "and any successor, sub-unit, or subsidiary thereof".
var (
	innerMark     = `(?:(?i:a\.\s?k\.\s?a\.?|f\.\s?k\.\s?a\.?|n\.\s?k\.\s?a\.?|also known as|formerly known as|formerly)|AKA|aka|FKA|fka|NKA|nka)`
	innerBrackets = regexp.MustCompile(`\s*[(\[]\s*(` + innerMark + `)[\s:,-]+([^)\]]+)[)\]]\s*`)
	innerList     = regexp.MustCompile(`\s*[;,-]\s*(?:and |or )?(` + innerMark + `)[\s:,-]+`)
	innerDotted   = regexp.MustCompile(`\s+((?i:a\.\s?k\.\s?a\.?|f\.\s?k\.\s?a\.?|n\.\s?k\.\s?a\.?|also known as|formerly known as))[\s:,]+`)
	innerPhrase   = regexp.MustCompile(`(?i)[;,]?\s+and\s+(?:any|its|all)\s+(?:successors?|sub-units?|subsidiar(?:y|ies))\b.*$`)
	innerOrigin   = regexp.MustCompile(`\s*\([A-Z][A-Za-z]+ (?:entity|national|individual|citizen)\)`)
	innerHints    = []string{"aka", "AKA", "fka", "FKA", "nka", "NKA", "k.a", "K.A", "k. a", "nown as", "ormerly", "uccessor", "ub-unit", " entity)", " national)", " individual)", " citizen)"}
)

// innerNames are the names within a name: what is left of it without the others and without phrases that are no name,
// and the others. None when the name holds nothing but itself.
func innerNames(name string) []Alias {
	if !hinted(name) {
		return nil
	}
	core := innerOrigin.ReplaceAllString(innerPhrase.ReplaceAllString(name, ""), " ")
	var out []Alias
	core = innerBrackets.ReplaceAllStringFunc(core, func(m string) string {
		p := innerBrackets.FindStringSubmatch(m)
		out = append(out, innerSplit(p[2], innerKind(p[1]))...)
		return " "
	})
	all := append(innerSplit(core, ""), out...)
	keep := all[:0]
	for _, a := range all {
		if a.Name != name && letters(a.Name) >= 3 {
			keep = append(keep, a)
		}
	}
	return keep
}

func hinted(name string) bool {
	for _, h := range innerHints {
		if strings.Contains(name, h) {
			return true
		}
	}
	return false
}

// innerSplit parts a text at marks such as ", a.k.a."; what follows a mark is of its kind.
func innerSplit(s, kind string) []Alias {
	var out []Alias
	for {
		at := innerList.FindStringSubmatchIndex(s)
		if dotted := innerDotted.FindStringSubmatchIndex(s); at == nil || dotted != nil && dotted[0] < at[0] {
			at = dotted
		}
		head := s
		if at != nil {
			head = s[:at[0]]
		}
		if head = strings.Trim(clean(head), " ,;:-"); head != "" && strings.ContainsFunc(head, unicode.IsLetter) {
			out = append(out, Alias{Name: head, Kind: kind})
		}
		if at == nil {
			return out
		}
		kind, s = innerKind(s[at[2]:at[3]]), s[at[1]:]
	}
}

func innerKind(mark string) string {
	switch mark[0] {
	case 'f', 'F':
		return "former"
	case 'n', 'N':
		return "now"
	}
	return ""
}
