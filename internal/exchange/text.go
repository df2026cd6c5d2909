package exchange

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sortableSeq is the sortable text of a number's time.
func sortableSeq(s polder.Seq) string { return sortable(stix.FormatTime(s.Time())) }

// firstID is the id of the first item that is new, for the audit: of what was shared, rather than of the definitions
// that came with it.
func firstID(items []Item) (id string) {
	for _, it := range items {
		if it.New && it.Type != "extension-definition" && it.Type != "marking-definition" {
			return it.ID
		}
		if it.New && id == "" {
			id = it.ID
		}
	}
	return id
}

// peekID is the id of an object that may be broken in every other way; "" when it has none.
func peekID(raw []byte) string {
	var v struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(raw, &v) // what cannot be read has no id
	return v.ID
}

// newUUID is a random UUID.
func newUUID() string { return strings.TrimPrefix(stix.NewID("x"), "x--") }

// title is what a person calls an object.
func title(o stix.Object) string {
	switch {
	case o.Name != "":
		return o.Name
	case o.Pattern != "":
		return o.Pattern
	}
	if o.Type == "note" && ofAttribute(text(o, "abstract")) && text(o, "content") != "" {
		return opening(text(o, "content"))
	}
	for _, p := range []string{"value", "path", "key", "question", "abstract", "content", "definition", "relationship_type", "source_name", "subject", "account_login", "display_name", "command_line"} {
		if said := text(o, p); said != "" {
			return clip(said, 120)
		}
	}
	return o.ID
}

// ofAttribute tells whether an abstract says no more than of which MISP type the note was: "MISP text".
func ofAttribute(abstract string) bool {
	kind, ok := strings.CutPrefix(abstract, "MISP ")
	return ok && !strings.Contains(kind, " ")
}

// opening is the first line of a text, in at most eighty characters.
func opening(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return clip(strings.TrimSpace(line), 80)
}

// clip shortens a text to n characters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// withoutID is an error's text without the object's id, which is said beside it.
func withoutID(e *stix.Error) string {
	return strings.TrimPrefix(strings.TrimPrefix(e.Error(), e.ID), ": ")
}
