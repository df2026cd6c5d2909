package indicator

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Match is an indicator in a text.
type Match struct {
	Kind     Kind
	Value    string // normalised
	Start    int    // offset of its first byte in the text
	End      int    // offset after its last byte
	Defanged bool   // it was written so that nobody clicks it
}

// Find lists the indicators in a text in the order in which they stand, each as often as it stands there. The work
// grows with the length of the text, which the caller bounds.
//
// What looks like one thing and may be another is told apart so:
//
//   - Four numbers with dots are an address, unless more numbers follow (1.2.3.4.5) or the word before says that it is
//     a version ("version 1.2.3.4", "Chrome/120.0.0.0").
//   - A name is a domain if its last part is a top-level domain that exists. Where that is also the ending of a file
//     it counts as a file: with zip, mov and cab always; with app, sh, py, pl, rs, md, ps, so and pm if it has two parts
//     only. Not so if it is defanged or stands in a URL or a mail address.
//   - A sentence that goes on without a space ("done.It was") is no domain: a two-letter ending in Title case.
//   - A host with a path but no scheme is a URL with http.
//   - A file is found by an ending in which attacks travel (setup.exe, invoice.docm), not by any ending.
//   - Thirty-two digits without a letter are a number, not a hash.
//
// MAC addresses, mutexes and registry keys are not looked for.
func Find(text string) []Match {
	f := finder{clean: clean(text)}
	s := f.clean.text
	start := -1
	for i, r := range s {
		if !isBreak(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			f.run(start, i)
			start = -1
		}
	}
	if start >= 0 {
		f.run(start, len(s))
	}
	return f.found
}

// finder gathers matches from left to right.
type finder struct {
	clean cleaned
	found []Match
}

// isBreak says whether no indicator goes on over a character.
func isBreak(r rune) bool {
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7f || strings.ContainsRune("\"<>`|^", r)
	}
	return r == utf8.RuneError || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Po, r) ||
		unicode.Is(unicode.Ps, r) || unicode.Is(unicode.Pe, r) || unicode.Is(unicode.Pi, r) || unicode.Is(unicode.Pf, r)
}

// run looks at a stretch without white space: URLs first, atoms between them.
func (f *finder) run(from, to int) {
	s := f.clean.text
	at := from
	for at < to {
		i := strings.Index(s[at:to], "://")
		if i < 0 {
			break
		}
		scheme, length := schemeBefore(s[at:to], i)
		if scheme == "" {
			f.atoms(at, at+i+3)
			at += i + 3
			continue
		}
		start := at + i - length
		f.atoms(at, start)
		end := urlEnd(s, at+i+3, to)
		value, err := normaliseURL(scheme + s[at+i:end])
		if err == nil && urlHostCounts(value) {
			f.add(URL, value, start, end, scheme != strings.ToLower(s[start:at+i]))
		} else {
			end = at + i + 3
		}
		at = end
	}
	f.atoms(at, to)
}

// urlHostCounts leaves out URLs on names that only one network knows: http://localhost, http://intranet/.
func urlHostCounts(value string) bool {
	kind, host, ok := Host(URL, value)
	return ok && (kind != Domain || strings.Contains(host, ".") && hasKnownTLD(host))
}

// urlEnd is where a URL ends: before a bracket that it did not open, before a comma or semicolon that starts the next
// URL, and before closing punctuation.
func urlEnd(s string, from, to int) int {
	var open []byte
	end := to
scan:
	for i := from; i < to; i++ {
		switch c := s[i]; c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 {
				end = i
				break scan
			}
			open = open[:len(open)-1]
		case ',', ';':
			next := s[i+1 : min(i+12, to)]
			if j := strings.Index(next, "://"); j > 0 {
				if scheme, length := schemeBefore(next, j); scheme != "" && length == j {
					end = i
					break scan
				}
			}
		}
	}
	return from + len(strings.TrimRight(s[from:end], ".,;:!?'*_~\\"))
}

// atoms looks at the pieces between signs that stand in no address or name.
func (f *finder) atoms(from, to int) {
	s := f.clean.text
	for i := from; i < to; {
		end, size := i, 0
		for end < to {
			r, n := utf8.DecodeRuneInString(s[end:to])
			if size = n; !isAtom(r) {
				break
			}
			end += n
		}
		if end == i {
			i += size
			continue
		}
		i = max(f.atom(i, end, to), end)
	}
}

func isAtom(r rune) bool {
	if r < utf8.RuneSelf {
		return r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_@:/+%", r)
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// atom looks at one piece, whose path may go on up to limit, and returns where it stopped reading.
func (f *finder) atom(from, to, limit int) int {
	s := f.clean.text
	from, to = trimAtom(s, from, to)
	if from >= to {
		return to
	}
	piece := s[from:to]
	if end := f.address(from, to); end > 0 {
		return end
	}
	if strings.IndexByte(piece, '/') > 0 {
		if end := f.schemeless(from, to, limit); end > 0 {
			return end
		}
	}
	for part := range strings.FieldsFuncSeq(piece, func(r rune) bool { return r == ':' || r == '/' }) {
		at := from + strings.Index(s[from:to], part)
		f.part(at, at+len(part))
		from = at + len(part)
	}
	return to
}

// trimAtom drops the signs around a piece, but the colons of an IPv6 address.
func trimAtom(s string, from, to int) (int, int) {
	const around = ".-_@/+%"
	for from < to && strings.IndexByte(around, s[from]) >= 0 {
		from++
	}
	for to > from && strings.IndexByte(around, s[to-1]) >= 0 {
		to--
	}
	if to-from > 1 && s[to-1] == ':' && s[to-2] != ':' {
		to--
	}
	return from, to
}

// address adds an IPv6 address, a block, or a list of addresses with slashes; 0 if there is none.
func (f *finder) address(from, to int) int {
	piece := f.clean.text[from:to]
	if strings.Count(piece, "/") == 1 {
		if p, err := netip.ParsePrefix(piece); err == nil && (p.Addr().Is4() || plausibleIPv6(piece)) {
			f.add(CIDR, p.Masked().String(), from, to, false)
			return to
		}
	}
	head, _, _ := strings.Cut(piece, "%")
	if strings.Count(head, ":") >= 2 && plausibleIPv6(head) {
		if a, err := netip.ParseAddr(head); err == nil {
			f.add(IPv6, a.String(), from, from+len(head), false)
			return to
		}
	}
	if strings.Trim(piece, "0123456789./") != "" || !strings.Contains(piece, "/") {
		return 0
	}
	for part := range strings.SplitSeq(piece, "/") {
		if a, err := netip.ParseAddr(part); err != nil || !a.Is4() {
			return 0
		}
	}
	at := from
	for part := range strings.SplitSeq(piece, "/") {
		f.add(IPv4, part, at, at+len(part), false)
		at += len(part) + 1
	}
	return to
}

// plausibleIPv6 leaves out what program text and fingerprints look like: a::b has no digit, 00:11:22:33:44:55:66:77 has
// eight pairs.
func plausibleIPv6(s string) bool {
	if s == "::/0" {
		return true
	}
	if !strings.ContainsAny(s, "0123456789") {
		return strings.Count(s, ":") == 7
	}
	if strings.Count(s, ":") != 7 || strings.Contains(s, "::") {
		return true
	}
	for part := range strings.SplitSeq(s, ":") {
		if len(part) != 2 {
			return true
		}
	}
	return false
}

// schemeless adds a host with a path as a URL; 0 if there is none.
func (f *finder) schemeless(from, to, limit int) int {
	s := f.clean.text
	slash := from + strings.IndexByte(s[from:to], '/')
	if strings.Contains(s[from:slash], "@") || slash+1 >= to {
		return 0
	}
	host, _, err := splitHost(s[from:slash])
	if err != nil {
		return 0
	}
	if kind, _ := classifyName(host, s[from:slash], f.clean.changed(from, slash)); kind != Domain {
		if _, err := normaliseAddr(IPv4, host); err != nil {
			return 0
		}
	}
	end := slash
	for end < limit && s[end] != ',' && s[end] != ';' {
		end++
	}
	end = urlEnd(s, slash, end)
	value, err := normaliseURL("http://" + s[from:end])
	if err != nil || end <= slash+1 {
		return 0
	}
	f.add(URL, value, from, end, false)
	return end
}

// part looks at a piece without slash and colon.
func (f *finder) part(from, to int) {
	s := f.clean.text
	from, to = trimAtom(s, from, to)
	if from >= to {
		return
	}
	piece := s[from:to]
	kind, value := classify(piece, f.clean.changed(from, to))
	switch {
	case kind == "":
		f.addressRange(from, to)
	case kind == IPv4 && f.afterVersion(from) && !f.clean.changed(from, to):
	default:
		f.add(kind, value, from, to, false)
	}
}

// addressRange adds both ends of 192.0.2.1-192.0.2.9.
func (f *finder) addressRange(from, to int) {
	first, second, ok := strings.Cut(f.clean.text[from:to], "-")
	if !ok {
		return
	}
	a, errA := normaliseAddr(IPv4, first)
	b, errB := normaliseAddr(IPv4, second)
	if errA == nil && errB == nil {
		f.add(IPv4, a, from, from+len(first), false)
		f.add(IPv4, b, to-len(second), to, false)
	}
}

// versionWords stand before numbers that look like addresses.
var versionWords = map[string]bool{"version": true, "ver": true, "v": true, "versie": true, "release": true, "build": true, "firmware": true, "fw": true}

// afterVersion says whether what stands before an offset makes four numbers a version: a word, or a name and a slash.
func (f *finder) afterVersion(from int) bool {
	before := f.clean.text[max(0, from-20):from]
	if name, ok := strings.CutSuffix(before, "/"); ok {
		return lastWord(name) != ""
	}
	return versionWords[strings.ToLower(lastWord(strings.TrimRight(before, " .:=([")))]
}

// lastWord is the letters at the end of a text.
func lastWord(s string) string {
	return s[len(strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")):]
}

func (f *finder) add(kind Kind, value string, from, to int, defanged bool) {
	f.found = append(f.found, Match{
		Kind: kind, Value: value, Start: f.clean.origin(from), End: f.clean.origin(to),
		Defanged: defanged || f.clean.changed(from, to),
	})
}
