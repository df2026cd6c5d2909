package sigma

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quote shows a text of a rule in an error, cut when it is long.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most]
		for len(s) > 0 && !utf8.ValidString(s) && len(s) > most-utf8.UTFMax {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	return strconv.Quote(s)
}

// meant says which of the names was probably meant, or lists them: "did you mean contains?".
func meant(got string, names []string) string {
	best, least := "", 1+len(got)/2
	for _, n := range names {
		if d := distance(strings.ToLower(got), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	const most = 24
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return "there are " + strings.Join(names, ", ")
}

// distance is how many letters must be changed, added, dropped or swapped with the next to make b of a. Names longer
// than 64 bytes are as far apart as can be.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	var rows [3][65]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur, last, before := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(last[j]+1, cur[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
