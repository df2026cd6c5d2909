package exchange

import (
	"context"
	"testing"

	"github.com/polder-exchange/polder"
)

// FuzzSearchQuery: whatever is typed gets an answer, and nobody finds what it may not see.
func FuzzSearchQuery(f *testing.F) {
	for _, s := range []string{"evil.example.com", "hxxp://a[.]b/c", "T1059", "\"a\" AND b*", "203.0.113.0/0", "::/0", "光学", "-- ' OR 1=1", "a\x00b", "\xff\xfe", "ﬁ ß İ", "identity--x", "*"} {
		f.Add(s)
	}
	w := library(f)
	b, out := w.as("b", polder.RoleReader), w.as("out", polder.RoleReader)
	w.sync()
	f.Fuzz(func(t *testing.T, text string) {
		_, err := w.Search(context.Background(), b, SearchQuery{Text: text, Limit: 5})
		if k := polder.KindOf(err); err != nil && k != polder.Invalid {
			t.Fatalf("%q: %v", text, err)
		}
		found, err := w.Search(context.Background(), out, SearchQuery{Text: text})
		if len(found.Deliveries) > 0 || found.More {
			t.Fatalf("%q: a stranger finds %v, %v", text, found, err)
		}
	})
}
