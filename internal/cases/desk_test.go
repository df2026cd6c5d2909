package cases

import (
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// TestDeskOpen: who may open which desk, and what it is called then.
func TestDeskOpen(t *testing.T) {
	w := newDeskWorld(t)
	for _, c := range []struct {
		why, who string
		in       DeskSettings
		kind     polder.Kind
		alias    string
	}{
		{"a steward", "carla", DeskSettings{Name: "Vertrouwenspersoon Éindhoven"}, 0, "vertrouwenspersoon-eindhoven"},
		{"the same name again", "dirk", DeskSettings{Name: "Vertrouwenspersoon Eindhoven"}, 0, "vertrouwenspersoon-eindhoven-2"},
		{"another organisation: aliases are the node's", "olaf", DeskSettings{Name: "Vertrouwenspersoon Eindhoven"}, 0, "vertrouwenspersoon-eindhoven-3"},
		{"an alias of one's own", "carla", DeskSettings{Name: "Desk", Alias: "acme"}, 0, "acme"},
		{"an alias that is taken", "olaf", DeskSettings{Name: "Desk", Alias: "acme"}, polder.Conflict, ""},
		{"an alias that is none", "olaf", DeskSettings{Name: "Desk", Alias: "Acme Optics"}, polder.Invalid, ""},
		{"a name without letters", "carla", DeskSettings{Name: "信任"}, 0, "desk"},
		{"no name", "carla", DeskSettings{Name: " "}, polder.Invalid, ""},
		{"another kind", "carla", DeskSettings{Name: "Desk", Kind: "police"}, polder.Invalid, ""},
		{"a reader", "anna", DeskSettings{Name: "Desk"}, polder.Forbidden, ""},
		{"who manages the node", "admin", DeskSettings{Name: "Desk"}, polder.Forbidden, ""},
		{"for the pressed, unconfirmed", "carla", DeskSettings{Name: "Help", Kind: DeskPressed}, polder.Invalid, ""},
		{"for the pressed, confirmed", "tess", DeskSettings{Name: "Help", Kind: DeskPressed, Confirmed: true}, 0, "help"},
		{"a team that is none", "carla", DeskSettings{Name: "Desk", Team: "acme"}, polder.Invalid, ""},
		{"a promise without end", "carla", DeskSettings{Name: "Desk", Promise: strings.Repeat("x", 2001)}, polder.TooLarge, ""},
	} {
		d, err := w.OpenDesk(t.Context(), deskPeople[c.who], c.in)
		if c.kind != 0 {
			deskIs(t, c.why, err, c.kind)
		} else if err != nil || d.Alias != c.alias || d.Org != deskPeople[c.who].Org {
			t.Errorf("%s: %q of %s, %v; want %q", c.why, d.Alias, d.Org, err, c.alias)
		}
	}
	deskMust(t, w.CloseDesk(t.Context(), deskPeople["carla"], "acme"))
	_, err := w.OpenDesk(t.Context(), deskPeople["olaf"], DeskSettings{Name: "Desk", Alias: "acme"})
	deskIs(t, "the alias of a closed desk: it stands on posters", err, polder.Conflict)
}

// TestDeskPublic: only listed desks with readers are in the list; others are reached by alias, and what is not there
// answers in one shape.
func TestDeskPublic(t *testing.T) {
	w := newDeskWorld(t)
	w.desk("carla", DeskSettings{Name: "Listed", Listed: true}, "anna")
	w.desk("carla", DeskSettings{Name: "Hidden"}, "anna")
	w.desk("carla", DeskSettings{Name: "Gone", Listed: true}, "anna")
	w.desk("carla", DeskSettings{Name: "Unread", Listed: true})
	deskMust(t, w.CloseDesk(t.Context(), deskPeople["carla"], "gone"))
	all, err := w.Desks(t.Context())
	deskMust(t, err)
	if len(all) != 1 || all[0].Alias != "listed" {
		t.Errorf("listed are %+v", all)
	}
	if v := w.view("hidden"); v.Listed || len(v.Readers) != 1 {
		t.Errorf("the hidden desk is %+v", v)
	}
	nothing, gone := w.send("", "GET", "/api/v1/reports/desks/nine", nil), w.send("", "GET", "/api/v1/reports/desks/gone", nil)
	if nothing.Code != 404 || gone.Code != 404 || nothing.Body.Len() != gone.Body.Len() {
		t.Errorf("a desk of nothing %d %s, a closed one %d %s", nothing.Code, nothing.Body, gone.Code, gone.Body)
	}
	out := w.send("", "POST", "/api/v1/reports", ReportPost{To: "unread", Answers: &Answers{What: "x"}})
	if out.Code != 409 {
		t.Errorf("a report that nobody could open: %d", out.Code)
	}
	if out := w.send("", "POST", "/api/v1/reports", ReportPost{Answers: &Answers{What: "x"}}); out.Code != 201 {
		t.Errorf("a report to the only listed desk: %d %s", out.Code, out.Body)
	}
}

// deskLogHolds checks that the list of keys of a desk verifies, and that its keys in force are those of the readers.
func deskLogHolds(t *testing.T, w *deskWorld, alias string) {
	t.Helper()
	v := w.view(alias)
	deskMust(t, reportTrustDesk(v))
	var shown []seal.KeyID
	for _, r := range v.Readers {
		shown = append(shown, r.Key)
	}
	if in := seal.InForce(v.Log); !sameKeys(in, shown) {
		t.Errorf("in force by the list %v, shown %v", in, shown)
	}
}

// TestDeskReaders plays who may name, confirm and remove readers (two people decide), and holds the list of keys after
// every step.
func TestDeskReaders(t *testing.T) {
	w := newDeskWorld(t)
	const desk = "adviser"
	w.desk("carla", DeskSettings{Name: "Adviser", Listed: true})
	for _, name := range []string{"anna", "bram", "carla", "dirk", "olaf"} {
		w.key(name)
	}
	id := func(name string) seal.KeyID { return w.keys[name].Public().ID() }
	add := func(who, whom string) error {
		_, err := w.AddReader(t.Context(), deskPeople[who], desk, DeskReaderPost{Person: deskPeople[whom].Person})
		return err
	}
	confirm := func(who, whom string) error {
		_, err := w.ConfirmReader(t.Context(), deskPeople[who], desk, id(whom))
		return err
	}
	remove := func(who, whom string) error {
		_, err := w.RemoveReader(t.Context(), deskPeople[who], desk, id(whom))
		return err
	}
	for _, c := range []struct {
		why  string
		err  error
		kind polder.Kind // 0: done
	}{
		{"a person of another organisation", add("carla", "olaf"), polder.Invalid},
		{"a steward of another organisation sees no such desk", add("olaf", "olaf"), polder.NotFound},
		{"a reader names nobody", add("anna", "anna"), polder.Forbidden},
		{"who manages the node names nobody", add("admin", "anna"), polder.Forbidden},
		{"the first", add("carla", "carla"), 0},
		{"the first twice", add("carla", "carla"), polder.Conflict},
		{"a second waits", add("carla", "anna"), 0},
		{"who waits confirms nobody", confirm("anna", "anna"), polder.Forbidden},
		{"a steward who does not read confirms nobody", confirm("dirk", "anna"), polder.Forbidden},
		{"the only reader may confirm whom they named", confirm("carla", "anna"), 0},
		{"a third waits", add("carla", "bram"), 0},
		{"who named does not confirm, where another reader could", confirm("carla", "bram"), polder.Forbidden},
		{"a key of nobody", remove("carla", "dirk"), polder.NotFound},
		{"another reader confirms", confirm("anna", "bram"), 0},
		{"once", confirm("anna", "bram"), polder.NotFound},
		{"a stranger removes nobody", remove("olaf", "bram"), polder.NotFound},
		{"who manages the node removes nobody", remove("admin", "bram"), polder.Forbidden},
		{"a steward removes", remove("dirk", "bram"), 0},
		{"a reader goes", remove("carla", "carla"), 0},
		{"the last one stays, else a steward could put a reader in everyone's place", remove("dirk", "anna"), polder.Conflict},
		{"one who was removed waits again", add("dirk", "bram"), 0},
		{"and reads again", confirm("anna", "bram"), 0},
	} {
		if c.kind != 0 {
			deskIs(t, c.why, c.err, c.kind)
		} else if c.err != nil {
			t.Fatalf("%s: %v", c.why, c.err)
		}
	}
	deskLogHolds(t, w, desk)
	if n := len(w.view(desk).Log); n != 9 {
		t.Errorf("the list of keys has %d entries, want 9: nothing is ever taken out of it", n)
	}
	d, err := w.OwnDesk(t.Context(), deskPeople["anna"], desk)
	deskMust(t, err)
	if !d.Reads || d.Manages || len(d.Readers) != 3 || d.Readers[2].State != DeskReaderGone {
		t.Errorf("Anna sees %+v", d)
	}
	rows, err := w.audit.List(t.Context(), deskAudit(deskPeople["dirk"]))
	deskMust(t, err)
	if i := slices.IndexFunc(rows, func(r auditRecord) bool { return r.Action == "desk.reader.confirm" }); i < 0 || rows[i].Detail["reader"] == "" || rows[i].Person != "p-anna" {
		t.Errorf("the audit of %d entries does not say who let whom read", len(rows))
	}
}

// TestDeskPressed: who reads for people who are coerced is named by somebody who confirms that it is not their employer.
func TestDeskPressed(t *testing.T) {
	w := newDeskWorld(t)
	w.key("tess")
	_, err := w.OpenDesk(t.Context(), deskPeople["tess"], DeskSettings{Name: "Help", Kind: DeskPressed, Confirmed: true})
	deskMust(t, err)
	_, err = w.AddReader(t.Context(), deskPeople["tess"], "help", DeskReaderPost{Person: "p-tess"})
	deskIs(t, "a reader nobody vouched for", err, polder.Invalid)
	_, err = w.AddReader(t.Context(), deskPeople["tess"], "help", DeskReaderPost{Person: "p-tess", Name: "Listening ear", Confirmed: true})
	deskMust(t, err)
	if v := w.view("help"); v.Kind != DeskPressed || v.Readers[0].Name != "Listening ear" || v.Organisation != "National response team" {
		t.Errorf("the desk is %+v", v)
	}
	out := w.send("", "POST", "/api/v1/reports", ReportPost{To: "help", Answers: &Answers{What: "They have my mother"}})
	if out.Code != 201 || len(w.inbox("carla")) != 0 || len(w.inbox("tess")) != 1 {
		t.Errorf("a coerced person's report: %d; the employer reads %d, the desk %d", out.Code, len(w.inbox("carla")), len(w.inbox("tess")))
	}
}

// TestDeskKeyReplaced: a new key waits as a new reader does; the old one goes on opening what was sealed to it.
func TestDeskKeyReplaced(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	const desk = "confidential-adviser"
	old := w.keys["anna"]
	newDevice(w).report(w.view(desk), "Before")
	fresh := w.key("anna")
	var list reportKeyList
	w.ask("anna", "GET", "/api/v1/reports/keys", nil, &list, 200)
	if len(list.Keys) != 2 || !list.Keys[0].Current || list.Keys[0].ID != fresh.ID() || list.Keys[1].Current {
		t.Fatalf("keys %+v", list.Keys)
	}
	w.ask("bram", "GET", "/api/v1/reports/keys", nil, &list, 200)
	if len(list.Keys) != 1 || list.Keys[0].ID != w.keys["bram"].Public().ID() {
		t.Errorf("Bram reads the keys %+v", list.Keys)
	}
	_, err := w.PutKey(t.Context(), deskPeople["olaf"], deskLocked(t, old))
	deskIs(t, "a key that somebody has", err, polder.Conflict)
	newDevice(w).report(w.view(desk), "Still to the old key")
	_, err = w.AddReader(t.Context(), deskPeople["carla"], desk, DeskReaderPost{Person: "p-anna"})
	deskMust(t, err)
	_, err = w.ConfirmReader(t.Context(), deskPeople["anna"], desk, fresh.ID())
	deskIs(t, "one's own new key, where another reader could confirm", err, polder.Forbidden)
	_, err = w.ConfirmReader(t.Context(), deskPeople["bram"], desk, fresh.ID())
	deskMust(t, err)
	deskLogHolds(t, w, desk)
	newDevice(w).report(w.view(desk), "To the new key")
	got := map[string]bool{}
	for _, r := range w.inbox("anna") {
		key := old
		if r.Box.Wraps[0].To == fresh.ID() {
			key = w.keys["anna"]
		}
		got[deskAnswers(t, r.Box, key).What] = true
	}
	if len(got) != 3 {
		t.Errorf("Anna reads %v", got)
	}
	_, err = w.RemoveReader(t.Context(), deskPeople["carla"], desk, fresh.ID())
	deskMust(t, err)
	var left int
	deskMust(t, w.db.Read().QueryRow(`SELECT count(*) FROM cases_wrap WHERE key IN (?, ?)`, string(fresh.ID()), string(old.Public().ID())).Scan(&left))
	if left != 0 || len(w.inbox("anna")) != 0 {
		t.Errorf("%d wraps are left for who was removed", left)
	}
}

// TestS5DeskCounts (S5): how many reports a reader lacks is counted for readers alone; a steward and a colleague learn from
// it neither that there are reports nor how many.
func TestS5DeskCounts(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	newDevice(w).report(w.view("confidential-adviser"), "x")
	w.key("bram")
	_, err := w.AddReader(t.Context(), deskPeople["carla"], "confidential-adviser", DeskReaderPost{Person: deskPeople["bram"].Person})
	deskMust(t, err)
	_, err = w.ConfirmReader(t.Context(), deskPeople["anna"], "confidential-adviser", w.keys["bram"].Public().ID())
	deskMust(t, err)
	for _, c := range []struct {
		who  string
		want int
	}{{"anna", 1}, {"bram", 1}, {"carla", 0}, {"dirk", 0}} {
		d, err := w.OwnDesk(t.Context(), deskPeople[c.who], "confidential-adviser")
		deskMust(t, err)
		got := 0
		for _, r := range d.Readers {
			got += r.Missing
		}
		if got != c.want || (c.want == 0) == d.Reads {
			t.Errorf("%s is told that %d reports are missing (reads: %t), want %d", c.who, got, d.Reads, c.want)
		}
	}
}
