package release

import "strings"

// patternPart is a stretch of a pattern.
type patternPart struct {
	text    string
	comment bool
}

// comments cuts a pattern into comments and what is none. In STIX they are /* … */ and // …, outside of quotes; in other
// languages whole lines that begin with # or //.
func comments(text, language string) (out []patternPart) {
	if language != "stix" {
		return lineComments(text)
	}
	from := 0
	put := func(to int, comment bool) {
		if to > from {
			out = append(out, patternPart{text[from:to], comment})
		}
		from = to
	}
	for i := 0; i < len(text); {
		switch {
		case text[i] == '\'':
			i = behindQuote(text, i)
		case strings.HasPrefix(text[i:], "/*"):
			put(i, false)
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				end = len(text) - i - 4
			}
			i += end + 4
			put(i, true)
		case strings.HasPrefix(text[i:], "//"):
			put(i, false)
			end := strings.IndexAny(text[i:], "\r\n")
			if end < 0 {
				end = len(text) - i
			}
			i += end
			put(i, true)
		default:
			i++
		}
	}
	put(len(text), false)
	return out
}

// behindQuote is behind the literal that begins at i.
func behindQuote(text string, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(text)
}

func lineComments(text string) (out []patternPart) {
	for line := range strings.SplitAfterSeq(text, "\n") {
		start := strings.TrimLeft(line, " \t")
		out = append(out, patternPart{line, strings.HasPrefix(start, "#") || strings.HasPrefix(start, "//")})
	}
	return out
}
