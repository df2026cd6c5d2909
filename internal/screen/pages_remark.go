package screen

import (
	"errors"
	"strings"

	"github.com/polder-exchange/polder/internal/web"
)

// remarkText says in the reader's language what the node says of a review.
func remarkText(words web.Words, m Remark) string {
	date := pageDay(words, m.Date)
	switch {
	case m.Kind == "":
		return ""
	case m.Kind == RemarkUnlisted && m.Date != "":
		return words.T("screen.remark.unlisted-on", "list", words.T("screen.list.of-date", "list", m.List, "date", date))
	case m.Kind != RemarkChanged:
		return words.T("screen.remark." + string(m.Kind))
	}
	var said []string
	if len(m.Party) > 0 {
		said = append(said, words.T("screen.remark.party", "what", changedText(words, m.Party)))
	}
	if len(m.Listing) > 0 {
		said = append(said, words.T("screen.remark.listing", "since", pageDay(words, m.Since), "what", changedText(words, m.Listing)))
	}
	if len(said) == 0 {
		said = append(said, words.T("screen.remark.changed"))
	}
	if m.Unmet {
		said = append(said, words.T("screen.remark.unmet"))
	}
	return strings.Join(said, " ")
}

// changedText names what changed of a party or a listing.
func changedText(words web.Words, what []string) string {
	said := make([]string, len(what))
	for i, one := range what {
		said[i] = one
		if key := "screen.changed." + strings.ReplaceAll(one, " ", "-"); words.Has(key) {
			said[i] = words.T(key)
		}
	}
	return strings.Join(said, ", ")
}

// reasonText says in the reader's language why something is not done, where the catalogue has it.
func reasonText(words web.Words, err error) string {
	if f, ok := errors.AsType[*refusal](err); ok && words.Has("screen.refusal."+f.key) {
		return words.T("screen.refusal."+f.key, "why", remarkText(words, f.told), "n", minReason)
	}
	return web.Sentence(err.Error())
}
