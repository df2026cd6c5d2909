package members

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
)

var older = regexp.MustCompile(`<a href="([^"]*next=[^"]*)">Older`)

// Pages of the audit follow each other without a gap, and what separates them is no number.
func TestAuditPages(t *testing.T) {
	w := newWorld(t)
	org := polder.OrgID(w.ids["bank"])
	var entries []audit.Entry
	for i := range 120 {
		entries = append(entries, audit.Entry{Org: org, Action: "org.change", Object: "x", Detail: map[string]string{"name": fmt.Sprintf("Entry-%03d", i)}})
	}
	w.record(t, entries...)
	seen, pages := map[string]int{}, 0
	for at := "/audit?action=org."; at != ""; pages++ {
		page := w.get(t, "foreign", at)
		for _, name := range regexp.MustCompile(`Entry-\d+`).FindAllString(page, -1) {
			seen[name]++
		}
		at = ""
		if m := older.FindStringSubmatch(page); m != nil {
			at = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 120 || pages != 3 {
		t.Errorf("%d entries on %d pages", len(seen), pages)
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", name, n)
		}
	}
	for _, bad := range []string{"x", "120", "AAAAAAAAAAAAAAAAAAAAAA", "%00", strings.Repeat("A", 5000)} {
		if a := w.ask(t, "foreign", http.MethodGet, "/audit?next="+bad, ""); a.StatusCode != http.StatusBadRequest {
			t.Errorf("cursor %.10q answers %d", bad, a.StatusCode)
		}
	}
	if a := w.ask(t, "foreign", http.MethodGet, "/audit?action=everything", ""); a.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown kind answers %d", a.StatusCode)
	}
	if a := w.ask(t, "foreign", http.MethodGet, "/audit?community=chip-supply-chain", ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("another's community answers %d", a.StatusCode)
	}
}

// X20: who is blind is "a member" to everybody but the own organisation.
func TestX20AuditHidesTheBlind(t *testing.T) {
	w := newWorld(t)
	chips := polder.CommunityID(w.ids["chips"])
	w.record(t, audit.Entry{Org: polder.OrgID(w.ids["optik"]), Person: "somebody", Action: "share", Community: chips, Object: "report--1", Blind: true},
		audit.Entry{Org: polder.OrgID(w.ids["klep"]), Person: polder.PersonID(w.ids["contributor"]), Action: "share", Community: chips, Object: "report--2", Blind: true})
	page := w.get(t, "steward", "/audit?action=share")
	if !strings.Contains(page, "A member") || strings.Contains(page, "Okular Optik") || !strings.Contains(page, "Contributor Jansen") {
		t.Error("the steward reads who shared without a name, or not what the own organisation did")
	}
	page = w.get(t, "reader", "/audit?action=share")
	if strings.Contains(page, "A member") || !strings.Contains(page, "Contributor Jansen") {
		t.Error("a reader reads another's share, or not the own organisation's")
	}
	page = w.get(t, "admin", "/audit?action=share")
	if strings.Contains(page, "report--") {
		t.Error("an administrator reads of objects")
	}
	if page := w.get(t, "steward", "/audit?community=chip-supply-chain"); !strings.Contains(page, "Made a member") || strings.Contains(page, "Created a token") {
		t.Error("the filter by community is no filter")
	}
	if page := w.get(t, "steward", "/audit?action=node."); !strings.Contains(page, "Nothing here") {
		t.Error("an empty list does not say so")
	}
}

// An entry about an object leads to it and says why; a token has its name for whoever may read it.
func TestAuditTells(t *testing.T) {
	w := newWorld(t)
	const id = "report--0dc10b4b-8bb2-4ffa-8202-890836ee8a0e"
	e := audit.Entry{Org: polder.OrgID(w.ids["klep"]), Token: polder.TokenID(w.ids["token"]), Community: polder.CommunityID(w.ids["chips"]), Object: id}
	shared, withdrawn := e, e
	shared.Action, withdrawn.Action = "share", "withdraw"
	withdrawn.Detail = map[string]string{"why": "It was a <test> machine."}
	w.record(t, shared, withdrawn)
	for _, c := range []struct {
		who, path, text string
		want            bool
		why             string
	}{
		{"contributor", "/audit?action=share", `href="/objects/` + id + `">report--0dc1…8a0e<`, true, "what was shared is one click away"},
		{"contributor", "/audit?action=share", "Token SIEM", true, "who made the token reads its name"},
		{"reader", "/audit?action=share", "Token " + w.ids["token"], true, "who may not read the token reads its id"},
		{"contributor", "/audit?action=withdraw", "It was a &lt;test&gt; machine.", true, "the reason is told, as text"},
		{"contributor", "/audit?action=withdraw", "/objects/" + id, false, "what was withdrawn is nowhere"},
	} {
		if got := strings.Contains(w.get(t, c.who, c.path), c.text); got != c.want {
			t.Errorf("%s as %s has %q: %v; %s", c.path, c.who, c.text, got, c.why)
		}
	}
}

// What is sealed opens again, and nothing else opens.
func TestSealedNumbers(t *testing.T) {
	key, other := make([]byte, 32), append(make([]byte, 31), 1)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 1<<53).Draw(t, "n")
		s, err := sealNumber(key, n)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := openNumber(key, s); err != nil || got != n {
			t.Fatalf("%d opens as %d, %v", n, got, err)
		}
		if got, err := openNumber(other, s); err == nil {
			t.Fatalf("another key opens it as %d", got)
		}
		if strings.Contains(s, fmt.Sprint(n)) && n > 999 {
			t.Fatalf("%d stands in %s", n, s)
		}
	})
}

func FuzzOpenNumber(f *testing.F) {
	key := make([]byte, 32)
	for _, s := range []string{"", "x", "AAAAAAAAAAAAAAAAAAAAAA", "%00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := openNumber(key, s)
		if err == nil && s != "" {
			if again, _ := sealNumber(key, n); again != s {
				t.Fatalf("%q opens as %d, which is sealed as %q", s, n, again)
			}
		}
	})
}
