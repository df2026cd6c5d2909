package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
)

// Form reads the form of a request; what stands in the address does not count.
func Form(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		if err = Translate(err); polder.KindOf(err) == polder.Internal {
			err = polder.Errorf(polder.Invalid, "the form cannot be read; open the page again")
		}
		return nil, err
	}
	return r.PostForm, nil
}

// Mendable tells whether an error is one that its reader can mend in the form that is shown again.
func Mendable(err error) bool {
	return err != nil && slices.Contains([]polder.Kind{polder.Invalid, polder.Conflict, polder.TooLarge}, polder.KindOf(err))
}

// Sentence is a message as a sentence: with a capital, and one full stop.
func Sentence(said string) string {
	first, size := utf8.DecodeRuneInString(said)
	if size == 0 {
		return ""
	}
	return strings.TrimSuffix(strings.ToUpper(string(first))+said[size:], ".") + "."
}

// Clip shortens a text to so many characters for the screen; what is kept stays whole.
func Clip(s string, runes int) string {
	if len(s) <= runes {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > runes {
			return s[:i] + "…"
		}
	}
	return s
}
