package names

import (
	"slices"
	"strings"
)

// mendForm puts a phrase together again, most often a legal form, that was torn when the words of a name were turned
// round: "stock company Agregat joint". It moves the words of its beginning, which stand last, to the front.
func (p *parser) mendForm(t Type) {
	const most = 3 // words of the beginning
	for torn := 1; torn <= most && torn+2 < len(p.texts); torn++ {
		cut := len(p.texts) - torn
		turned := append(slices.Clone(p.texts[cut:]), p.texts[:min(cut, 8)]...)
		m := lookup(turned, t)
		if m.kind != LegalForm && m.kind != Trade || m.weak || m.n <= torn {
			continue
		}
		if tail := lookup(p.texts[cut:], t); tail.n == torn {
			continue // it is one by itself
		}
		p.tokens = append(slices.Clone(p.tokens[cut:]), p.tokens[:cut]...)
		p.texts = append(slices.Clone(p.texts[cut:]), p.texts[:cut]...)
		return
	}
}

// formWords are the words that legal forms of several words are made of, which are long enough to be known again with an
// error in them.
var formWords = [...]string{
	"limited", "company", "corporation", "incorporated", "joint", "stock", "liability", "public", "private", "partnership",
	"gesellschaft", "aktiengesellschaft", "beschrankter", "haftung", "societe", "anonyme", "responsabilite", "limitada",
	"sociedad", "anonima", "responsabilidad", "sirketi", "anonim", "ticaret", "obshchestvo", "ogranichennoy",
	"otvetstvennostyu", "aktsionernoye", "aktsionernoe",
}

// mendErrors puts right, for lookup alone, words with an error in them that stand in a legal form: "jodint stok compyany".
// A word is one of those only when a legal form comes of it that has another word beside it, or when it is very long.
func (p *parser) mendErrors(t Type) {
	if t == Person {
		return
	}
	for i, text := range p.texts {
		if len(text) < 4 || p.tokens[i].script != Latin {
			continue
		}
		right := formWord(text)
		if right == "" || lookup(p.texts[i:i+1], t).n > 0 {
			continue
		}
		p.texts[i] = right
		if !p.inForm(i, t) {
			p.texts[i] = text
		}
	}
}

// formWord is the word of legal forms that text is with one error; "" for none.
func formWord(text string) string {
	const most = 1.4
	set := letterSet(text)
	for _, w := range formWords {
		if d := len(w) - len(text); d <= 1 && d >= -1 && near(set, letterSet(w), len(text), len(w)) && editDistance(text, w) <= most {
			return w
		}
	}
	return ""
}

// inForm says whether word i, as it was put right, is in a legal form.
func (p *parser) inForm(i int, t Type) bool {
	const veryLong = 10
	for from := max(0, i-5); from <= i; from++ {
		words := slices.Clone(p.texts[from:min(len(p.texts), from+8)])
		for k := range words { // the words after it may have errors of their own
			if right := formWord(words[k]); right != "" && from+k > i {
				words[k] = right
			}
		}
		m := lookup(words, t)
		if m.kind == LegalForm && !m.weak && from+m.n > i && (m.n > 1 || len(p.texts[i]) >= veryLong) {
			return true
		}
	}
	return i > 0 && len(p.texts[i]) >= veryLong && lookup(p.texts[i:i+1], t).kind == LegalForm
}

// writtenAs is n tokens from i on, as they are written.
func (p *parser) writtenAs(i, n int) string {
	if n == 1 {
		return p.tokens[i].text
	}
	var b strings.Builder
	for _, k := range p.tokens[i : i+n] {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(k.text)
	}
	return b.String()
}
