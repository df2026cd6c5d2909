package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenise cuts a folded text into tokens and says whether some of it was left out.
func (p *parser) tokenise(s string, t Type) (cut bool) {
	depth, comma := 0, t != Company && t != Vessel
	familyEnd := -1
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if inWord(r) {
			end := wordEnd(s, i)
			if len(p.tokens) >= 2*maxWords {
				return true
			}
			if far, ok := syllables(s, i, end); ok && t != Company && t != Vessel {
				cut = p.addWord(s[i:far], t, depth > 0) || cut
				i = far
				continue
			}
			cut = p.addWord(s[i:end], t, depth > 0) || cut
			i = end
			continue
		}
		switch {
		case r == '(' || r == '[' || r == '{':
			depth++
		case r == ')' || r == ']' || r == '}':
			depth = max(0, depth-1)
		case r == '&':
			p.tokens = append(p.tokens, token{text: "and", script: Latin, aside: depth > 0})
		case r == ',' && comma:
			comma, familyEnd = false, len(p.tokens)
		case r == '.' || r == '/':
			p.dot(s, i)
		}
		i += n
	}
	if familyEnd > 0 && familyEnd < len(p.tokens) {
		for i := range p.tokens[:familyEnd] {
			p.tokens[i].family = true
		}
	}
	return cut
}

// syllables says whether the word s[i:end] and the one that a hyphen joins to it, up to far, are the two syllables of one
// given name, as in Eun-ji and Ka-chiu.
func syllables(s string, i, end int) (far int, ok bool) {
	if end+1 >= len(s) || s[end] != '-' || i > 0 && s[i-1] == '-' {
		return 0, false
	}
	far = wordEnd(s, end+1)
	if far < len(s) && s[far] == '-' {
		return 0, false
	}
	_, first := plainSyllable(s[i:end])
	_, second := plainSyllable(s[end+1 : far])
	return far, first && second && !joinsNames(s[i:end])
}

// joinsNames says whether a syllable before a hyphen is an article, or says whose son somebody is.
func joinsNames(syllable string) bool {
	switch syllable {
	case "al", "el", "ul", "ol", "il", "ad", "ed", "ar", "er", "as", "es", "az", "ez", "an", "en", "at", "et", "ash", "esh", "ath",
		"bin", "ben", "bar", "van", "von", "de", "da", "di", "do", "du", "le", "la", "mac", "mc", "um":
		return true
	}
	return false
}

// dot notes that the last token, a single letter that ends just before s[i], has a dot or a stroke behind it.
func (p *parser) dot(s string, i int) {
	if len(p.tokens) == 0 {
		return
	}
	k := &p.tokens[len(p.tokens)-1]
	if isLetter(k.text) && strings.HasSuffix(s[:i], k.text) {
		k.dotted = true
	}
}

// inWord says whether r is a part of words.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// isApostrophe says whether r is one of the signs that stand within a word.
func isApostrophe(r rune) bool {
	switch r {
	case '\'', '’', '‘', '`', '´', 'ʼ', 'ʻ', 'ʿ', 'ʾ', '′', '՚', '＇':
		return true
	}
	return false
}

// wordEnd is where the word that begins at i ends: apostrophes between its letters are a part of it.
func wordEnd(s string, i int) int {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !inWord(r) && !(isApostrophe(r) && letterAt(s, i+n)) {
			break
		}
		i += n
	}
	return i
}

// letterAt says whether a letter begins at s[i].
func letterAt(s string, i int) bool {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return unicode.IsLetter(r)
}

// addWord adds the tokens of a word: itself, what an elision sets off (d'Arachide), what lies between changes of script.
func (p *parser) addWord(w string, t Type, aside bool) (cut bool) {
	if head, tail, ok := elision(w); ok {
		p.tokens = append(p.tokens, token{text: head, script: Latin, aside: aside})
		w = tail
	}
	w = strings.Map(func(r rune) rune {
		if isApostrophe(r) {
			return -1
		}
		return r
	}, w)
	for len(w) > 0 {
		end, script := scriptRun(w)
		run := w[:end]
		w = w[end:]
		if utf8.RuneCountInString(run) > maxWordRunes {
			run, cut = string([]rune(run)[:maxWordRunes]), true
		}
		for _, piece := range unspaced(run, script, t) {
			p.tokens = append(p.tokens, token{text: piece, script: script, aside: aside})
		}
	}
	return cut
}

// unspaced cuts up a run of a script that writes without spaces: what the lexicon knows from what it does not, and the
// surname from the given name where the run can be a person's name. A run of another script is one piece.
func unspaced(run string, s Script, t Type) []string {
	pieces := []string{run}
	if s == Han {
		pieces = segmentHan(run, t)
	}
	if len(pieces) == 1 && (t == Person || t == Any) {
		if n := surnameLength(run, s); n > 0 {
			given := strings.Join(strings.Split(run, "")[n:], "")
			return []string{strings.TrimSuffix(run, given), given}
		}
	}
	return pieces
}

// elision cuts the article or the preposition off "d'arachide" and "l'oreal".
func elision(w string) (head, tail string, ok bool) {
	if len(w) < 4 || w[0] != 'd' && w[0] != 'l' {
		return "", "", false
	}
	r, n := utf8.DecodeRuneInString(w[1:])
	return w[:1], w[1+n:], isApostrophe(r)
}

// scriptRun is the end of the first run of w that is of one script, and the script. Only the scripts that write without
// spaces are cut from others; a word that mixes alphabets stays whole and is of the script that most of it is in.
func scriptRun(w string) (end int, s Script) {
	var count [Digits + 1]int
	unspaced, first := false, true
	for i, r := range w {
		k := ScriptOf(r)
		if unicode.IsMark(r) && !first {
			continue
		}
		u := k == Han || k == Kana || k == Hangul
		if !first && u != unspaced {
			return i, mostOf(&count)
		}
		if u && !first && count[k] == 0 {
			return i, mostOf(&count)
		}
		if unicode.IsNumber(r) {
			k = Digits
		}
		unspaced, first = u, false
		count[k]++
	}
	return len(w), mostOf(&count)
}

// mostOf is the script of most letters, and Digits when there is no letter.
func mostOf(count *[Digits + 1]int) Script {
	best, letters := Digits, 0
	for s := range Digits {
		if count[s] > letters {
			best, letters = s, count[s]
		}
	}
	return best
}

// joinLetters makes one token of the letters of an abbreviation: "S.p.A.", "l l c", "A/S". Of a person such letters are
// initials, unless the lexicon knows them.
func (p *parser) joinLetters(t Type) {
	out := p.tokens[:0]
	for i := 0; i < len(p.tokens); {
		n := p.letterRun(i)
		for ; n > 1; n-- {
			joined := p.joined(i, n)
			m := lookup([]string{joined}, t)
			if m.n == 1 && m.kind == LegalForm || t == Company && p.allDotted(i, n) {
				k := p.tokens[i]
				k.text, k.dotted = joined, false
				out = append(out, k)
				break
			}
		}
		if n <= 1 {
			out = append(out, p.tokens[i])
			n = 1
		}
		i += n
	}
	p.tokens = out
}

// joinServant makes one token of "servant of" and the name of God after it in Arabic letters (عبد الله, Abdullah), which
// are one given name however they are spaced.
func (p *parser) joinServant() {
	out := p.tokens[:0]
	for i := 0; i < len(p.tokens); i++ {
		k := p.tokens[i]
		if k.text == "عبد" && i+1 < len(p.tokens) && p.tokens[i+1].script == Arabic {
			i++
			k.text += p.tokens[i].text
		}
		out = append(out, k)
	}
	p.tokens = out
}

// letterRun is how many single letters stand together from token i on.
func (p *parser) letterRun(i int) int {
	n := 0
	for n < maxInitials && i+n < len(p.tokens) && isLetter(p.tokens[i+n].text) && p.tokens[i+n].script != Han {
		n++
	}
	return n
}

// joined is the text of n tokens from i on as one.
func (p *parser) joined(i, n int) string {
	var b strings.Builder
	for _, k := range p.tokens[i : i+n] {
		b.WriteString(k.text)
	}
	return b.String()
}

// allDotted says whether dots tie n tokens from i on together; the last one needs none.
func (p *parser) allDotted(i, n int) bool {
	for _, k := range p.tokens[i : i+n-1] {
		if !k.dotted {
			return false
		}
	}
	return true
}
