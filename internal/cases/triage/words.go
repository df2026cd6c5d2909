package triage

// This file cuts a text into words. static/triage.js cuts the same way: both look at code points, never at what a
// platform calls a letter or a lower case, so that they cannot differ.

// most is how many code points of a text are read.
const most = 20000

// word is a word of a text, folded: lower case, without marks on Latin letters.
type word struct {
	text     string
	from, to int // in the text, in bytes
	sentence int
	clause   int
}

// letter folds a code point that is part of a word; a separator gives "".
func (r *ruleSet) letter(c rune) string {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return string(c)
	case 'A' <= c && c <= 'Z':
		return string(c + 'a' - 'A')
	case c < 0xc0, c == 0xd7, c == 0xf7, 0x2000 <= c && c <= 0x206f, 0x3000 <= c && c <= 0x303f, 0xd800 <= c && c <= 0xdfff, 0xfe00 <= c && c <= 0xfe0f, 0xff00 <= c && c <= 0xff0f, 0xfff0 <= c && c <= 0xffff:
		return ""
	}
	if f, ok := r.Fold[string(c)]; ok {
		return f
	}
	return string(c)
}

// ends says whether c closes a sentence (2), a clause (1) or neither, where next is what follows it (0 at the end).
func ends(c, next rune) int {
	switch c {
	case '\n', ';', '。', '؟':
		return 2
	case '.', '!', '?', ':':
		if next == 0 || next == ' ' || next == '\n' || next == '\r' || next == '\t' {
			return 2
		}
	case ',', '(', ')':
		return 1
	}
	return 0
}

// words are the words of text in order.
func (r *ruleSet) words(text string) []word {
	points, at := spread(text)
	var found []word
	open := false
	sentence, clause := 0, 0
	for i, c := range points {
		if f := r.letter(c); f != "" {
			if !open {
				found = append(found, word{from: at[i], sentence: sentence, clause: clause})
				open = true
			}
			w := &found[len(found)-1]
			w.text, w.to = w.text+f, at[i+1]
			continue
		}
		open = false
		next := rune(0)
		if i+1 < len(points) {
			next = points[i+1]
		}
		switch ends(c, next) {
		case 2:
			sentence, clause = sentence+1, clause+1
		case 1:
			clause++
		}
	}
	return found
}

// spread is the code points of text up to [most], and where each begins; the last entry of at is where the last ends.
func spread(text string) (points []rune, at []int) {
	for i, c := range text {
		at = append(at, i)
		if len(points) == most {
			return points, at
		}
		points = append(points, c)
	}
	return points, append(at, len(text))
}
