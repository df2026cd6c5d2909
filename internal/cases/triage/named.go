package triage

import "strings"

// What a report names: every run of letters, digits and . : - _ @ / that looks like an address, a domain, a hash, a
// vulnerability's number or the name of a system. Defanged forms ("[.]", "hxxp") are read as what they stand for.

// namedMost is how many named things of a report are compared.
const namedMost = 200

// names are those of a text, lower case, each once, in order.
func names(points []rune, at []int, text string) []string {
	var found []string
	seen := map[string]bool{}
	start := -1
	flush := func(end int) {
		if start < 0 {
			return
		}
		n := named(text[at[start]:at[end]])
		start = -1
		if n != "" && !seen[n] && len(found) < namedMost {
			seen[n] = true
			found = append(found, n)
		}
	}
	for i, c := range points {
		if inName(c) {
			if start < 0 {
				start = i
			}
			continue
		}
		flush(i)
	}
	flush(len(points))
	return found
}

func inName(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c < 0x80 && strings.ContainsRune(".:-_@/[]", c)
}

// named is the comparable form of a run, or "" where it names nothing.
func named(run string) string {
	s := lowerASCII(run)
	for _, pair := range [][2]string{{"[.]", "."}, {"[:]", ":"}, {"[@]", "@"}} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	s = strings.Trim(s, "[].:-_/@")
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	s, _, _ = strings.Cut(s, "/")
	if name, _, ok := strings.Cut(s, ":"); ok { // a port
		s = name
	}
	if _, host, ok := strings.Cut(s, "@"); ok {
		if isDomain(host) {
			return s
		}
		return ""
	}
	switch {
	case isHash(s), isIPv4(s), isDomain(s), isSystem(s):
		return s
	}
	return ""
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func only(s, set string) bool {
	for _, c := range s {
		if !strings.ContainsRune(set, c) {
			return false
		}
	}
	return s != ""
}

const (
	digits       = "0123456789"
	lettersASCII = "abcdefghijklmnopqrstuvwxyz"
)

func isHash(s string) bool {
	return (len(s) == 32 || len(s) == 40 || len(s) == 64 || len(s) == 128) && only(s, digits+"abcdef")
}

func isIPv4(s string) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if !only(p, digits) || len(p) > 3 {
			return false
		}
	}
	return len(parts) == 4
}

// isDomain: labels of letters, digits and hyphens, the last of at least two letters. A label of one letter or a word
// stuck to the next sentence ("door.De") is no domain: each label has two characters or more.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if len(l) < 2 || len(l) > 63 || !only(l, digits+lettersASCII+"-") {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(last) <= 24 && only(last, lettersASCII) && len(s) >= 6
}

// isSystem: letters with digits behind a hyphen or an underscore, like "plc-12", "srv_files01" or "cve-2024-3400".
func isSystem(s string) bool {
	return len(s) >= 5 && len(s) <= 64 && only(s, digits+lettersASCII+"-_") &&
		strings.ContainsAny(s, "-_") && strings.ContainsAny(s, digits) && strings.ContainsAny(s, lettersASCII) && lettersFirst(s)
}

func lettersFirst(s string) bool { return len(s) > 1 && only(s[:2], lettersASCII) }
