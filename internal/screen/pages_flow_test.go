package screen

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/names"
)

// TestScreenEmpty: a node without lists, parties and decisions says on each page what to do first.
func TestScreenEmpty(t *testing.T) {
	w := newPageWorld(t)
	for path, want := range map[string]string{
		"/screen": "There is no list yet", "/screen/queue": "Nothing to decide", "/screen/parties": "Nobody is known yet", "/screen/batches": "No file yet",
		"/screen/lists": "polder lists import", "/screen/record": "Nothing is on record yet", "/screen/settings": "innocent name",
	} {
		for _, lang := range web.Languages {
			page := w.see("steward", path+"?lang="+lang)
			if lang == "en" {
				holds(t, page, want)
			}
			holdsNot(t, page, "screen.")
			for _, fault := range webtest.Broken([]byte(page)) {
				t.Errorf("%s in %s: %s", path, lang, fault)
			}
		}
	}
	out := answered(t, "asking without a list", w.post("reader", "/screen", "text", "Acme Optics"), 409)
	holds(t, out, "no list to ask")
}

// TestScreenAnswer: the answer comes first and in words, names the lists with their dates, and never clears.
func TestScreenAnswer(t *testing.T) {
	w := filled(t)
	page := answered(t, "a listed firm", w.post("reader", "/screen", "text", "Severnaya Vakuumnaya Tekhnika"), 200)
	holds(t, page, "One entry resembles this party", "Made-up Consolidated List", "18 Nov 2026", "ELVAC", "innocent name", "Never used: nationality", "/screen/compare")
	page = answered(t, "an innocent firm", w.post("reader", "/screen", "text", "Zuivelhoeve Pannekoek"), 200)
	holds(t, page, "No entry of the one list of restricted parties that was asked resembles this party", "Made-up Consolidated List (18 Nov 2026)", "Verified suppliers (1 Nov 2026)", "no more")
	for _, word := range []string{"cleared", "is clear", "all clear", "vrijgegeven"} {
		holdsNot(t, strings.ToLower(page), word)
	}
	page = answered(t, "in Dutch", w.post("reader", "/screen?lang=nl", "text", "Zuivelhoeve Pannekoek"), 200)
	holds(t, page, "Geen vermelding op de ene gevraagde lijst van beperkte partijen")
	page = answered(t, "a verified firm", w.post("reader", "/screen", "text", "Meerwijk Optics B.V."), 200)
	holds(t, page, "No entry of the one list of restricted parties", "One entry of a list of verified parties", "speaks for a party, and no more")
	for why, pairs := range map[string][]string{"nothing": {"text", " "}, "a type that is none": {"text", "Acme", "type", "planet"}, "a long text without parties": {"text", strings.Repeat("and so it was\n", 40)}, "a tick that is none": {"text", "Acme", "ask", "7"}} {
		out := w.post("reader", "/screen", pairs...)
		if out.Code != 400 {
			t.Errorf("%s: %d", why, out.Code)
		}
		holds(t, out.Body.String(), "It was not done")
	}
}

// TestScreenContract walks from a pasted contract over its parties to a decision.
func TestScreenContract(t *testing.T) {
	w := filled(t)
	page := answered(t, "the contract", w.post("contributor", "/screen", "text", contract), 200)
	holds(t, page, "Which of these parties", "Severnaya Vakuumnaya Tekhnika OOO", "Meerwijk Optics B.V.", "Ilya Petrovich Zarkontin", `name="ask"`)
	ticks := regexp.MustCompile(`name="ask" value="(\d+)"`).FindAllStringSubmatch(page, -1)
	pairs := []string{"text", contract}
	for _, m := range ticks {
		pairs = append(pairs, "ask", m[1])
	}
	page = answered(t, "the answer", w.post("contributor", "/screen", pairs...), 200)
	holds(t, page, "2 of "+itoaTest(len(ticks))+" parties resemble", "One entry of a list of verified parties", "/screen/keep")
	out := w.post("contributor", "/screen/keep", append(pairs, "for", "Order 88213")...)
	answered(t, "keeping", out, 303)
	at := out.Header().Get("Location")
	page = w.see("contributor", at)
	holds(t, page, "Is this the party on the list?", "How the names were compared", "Never used: nationality", "About the list entry", `name="decision"`, `value="true"`, "Recorded with your name", "aria-keyshortcuts=\"1\"")
	seen := regexp.MustCompile(`name="seen" value="(\d+)"`).FindStringSubmatch(page)
	if seen == nil {
		t.Fatal("the form does not say what was seen")
	}
	refused := answered(t, "a decision without a reason", w.post("contributor", at, "decision", "false", "reason", "no", "seen", seen[1]), 400)
	holds(t, refused, "at least 10 characters", "value=\"false\" checked")
	out = w.post("contributor", at, "decision", "true", "reason", "Street and number agree.", "seen", seen[1])
	answered(t, "deciding", out, 303)
	out2 := w.post("contributor", at, "decision", "false", "reason", "I saw an older state.", "seen", seen[1])
	holds(t, answered(t, "deciding what another changed", out2, 409), "has changed since you opened it")
	queue := w.see("reader", "/screen/queue?state=true")
	holds(t, queue, "The same")
	holds(t, w.see("reader", "/screen/record"), "Order 88213")
}

// TestScreenFourEyes: the page says plainly that a second person is needed, and who may not be it.
func TestScreenFourEyes(t *testing.T) {
	w := filled(t)
	set, err := w.Settings(t.Context(), carla)
	must(t, err)
	out := w.post("steward", "/screen/settings", "threshold", formatScore(set.Threshold), "second", "0.8", "also", "second-true", "decided", "400", "undecided", "90", "seen", itoaTest(set.Version))
	answered(t, "settings", out, 303)
	holds(t, w.see("reader", "/screen/settings"), "At 80 or more", "400")
	id := w.reviewIn(Query{Name: "Северная Вакуумная Техника"})
	page := w.see("contributor", "/screen/reviews/"+id)
	holds(t, page, "Either decision needs a second person")
	seen := regexp.MustCompile(`name="seen" value="(\d+)"`).FindStringSubmatch(page)[1]
	answered(t, "the first", w.post("contributor", "/screen/reviews/"+id, "decision", "false", "reason", "Another firm of that name.", "seen", seen), 303)
	holds(t, w.see("contributor", "/screen/reviews/"+id), "A second person must agree", "another person of your organisation")
	page = w.see("contributor.Bram", "/screen/reviews/"+id)
	holds(t, page, "You are the second person", "Another firm of that name.")
	seen = regexp.MustCompile(`name="seen" value="(\d+)"`).FindStringSubmatch(page)[1]
	answered(t, "the second", w.post("contributor.Bram", "/screen/reviews/"+id, "decision", "false", "reason", "The register says so too.", "seen", seen), 303)
	holds(t, w.see("reader", "/screen/reviews/"+id), "Not the same", "The register says so too.")
}

// TestScreenParties: a party is added, changed, screened, removed and erased.
func TestScreenParties(t *testing.T) {
	w := filled(t)
	out := w.post("contributor", "/screen/parties", "text", "Blue Gulf Navigation Company", "group", "suppliers", "ref", "S-77", "type", "company", "id", "998", "id-kind", "registration")
	answered(t, "adding", out, 303)
	at := out.Header().Get("Location")
	holds(t, w.see("reader", at), "It was not asked about yet", "S-77", "Suppliers")
	w.work()
	holds(t, w.see("reader", at), "One entry resembles it", "R-105")
	rtl := w.see("reader", "/screen/reviews/"+w.reviewIn(Query{Name: "شركة الخليج الأزرق للملاحة"}))
	holds(t, rtl, `<bdi dir="auto" lang="">شركة الخليج الأزرق للملاحة</bdi>`)
	holds(t, w.see("reader", "/screen/parties?group=suppliers"), "Blue Gulf Navigation Company", "One to decide", "Made-up Consolidated List (18 Nov 2026)")
	page := answered(t, "importing", w.upload("contributor", "/screen/parties/import", "customers.csv", "name,country,ref\nLindhorst Cargo GmbH,DE,C1\nMeerwijk Optics,NL,C2\n", "into", "customers"), 200)
	holds(t, page, "2 added", "Lindhorst Cargo GmbH")
	holds(t, answered(t, "an empty file", w.upload("contributor", "/screen/parties/import", "empty.csv", "", "into", "customers"), 400), "It was not done")
	page = answered(t, "finding", w.post("reader", "/screen/parties/find", "find", "lindhorst"), 200)
	holds(t, page, "Lindhorst Cargo GmbH")
	holdsNot(t, page, "Meerwijk Optics")
	holds(t, answered(t, "finding in the queue", w.post("reader", "/screen/queue", "find", "S-77"), 200), "Blue Gulf Navigation Company")
	answered(t, "no file", w.post("contributor", "/screen/parties/import"), 400)
	answered(t, "a group", w.post("steward", "/screen/groups", "group-name", "board", "title", "The board"), 303)
	holds(t, w.see("steward", "/screen/parties"), "The board")
	answered(t, "a group that is there", w.post("steward", "/screen/groups", "group-name", "customers"), 409)
	answered(t, "its end", w.post("steward", "/screen/groups/board/remove"), 303)
	answered(t, "changing what was not seen", w.post("contributor", at, "text", "Other", "seen", "99", "group", "suppliers"), 409)
	answered(t, "changing", w.post("contributor", at, "text", "Blue Gulf Shipping Company", "seen", "1", "group", "partners"), 303)
	holds(t, w.see("reader", at), "Blue Gulf Shipping Company", "Research partners")
	answered(t, "removing", w.post("contributor", at+"/remove"), 303)
	holds(t, w.see("reader", at), "no longer known")
	answered(t, "erasing", w.post("steward", at+"/erase", "ground", "request"), 303)
	answered(t, "what was erased", w.send("steward", "GET", at, "", nil), 404)
	holds(t, w.see("steward", "/screen/record"), "The person asked for it")
}

// TestScreenBatch: a file is asked in the background; its page says how far it is and what it met.
func TestScreenBatch(t *testing.T) {
	w := filled(t)
	out := w.upload("contributor", "/screen/batches", "orders.csv", "name,ref\nBrundelwick Photonics,A1\nZuivelhoeve Pannekoek,A2\n=cmd|' /C calc'!A0,A3\n")
	answered(t, "sending", out, 303)
	at := out.Header().Get("Location")
	holds(t, w.see("reader", at), "orders.csv", `data-watch="`+at+`/progress"`, "Nothing was asked yet")
	w.work()
	page := w.see("reader", at)
	holds(t, page, "One of 3 rows resembles an entry", "Brundelwick Photonics", "Done")
	holdsNot(t, page, "data-watch", "Zuivelhoeve")
	holds(t, w.see("reader", at+"?rows=all"), "Zuivelhoeve", "no entry resembles it")
	table := w.see("reader", at+"/results")
	holds(t, table, "row,ref,name", "Brundelwick Photonics")
	if regexp.MustCompile(`(?m)(^|,)"?=cmd`).MatchString(table) {
		t.Errorf("a cell begins a formula: %s", table)
	}
	holds(t, w.see("reader", "/screen/queue?batch="+strings.TrimPrefix(at, "/screen/batches/")), "Brundelwick")
	out = w.send("reader", "GET", at+"/progress", "", nil) // it has ended: one event, and the stream ends
	holds(t, out.Body.String(), "event: end", "Done")
	answered(t, "stopping what has ended", w.post("contributor", at+"/stop"), 409)
}

// TestScreenLists: lists with their age, a failing refresh said, versions and what changed between them.
func TestScreenLists(t *testing.T) {
	w := filled(t)
	page := w.see("steward", "/screen/lists")
	holds(t, page, "Made-up Consolidated List", "2 days old", "Restricted parties", "Verified parties", "Import a list", "Of this node")
	holdsNot(t, w.see("reader", "/screen/lists"), "Import a list")
	holds(t, w.see("reader", "/screen/lists/restricted"), "The first version", "CC0", "The file names no ships.", "5")
	changed := append([]lists.Entry{}, restrictedEntries[1:]...)
	changed[0].Means = "No dealings at all"
	changed = append(changed, lists.Entry{ID: "R-200", Type: names.Person, Name: "Oskar Vintergast"})
	w.put(listOf("restricted", "Made-up Consolidated List", "2026-11-19", lists.Restricted, changed...))
	page = w.see("reader", "/screen/lists/restricted")
	holds(t, page, "Oskar Vintergast", "Added", "Removed", "Северная Вакуумная Техника", "No dealings at all", "A licence is needed for all items", "Asked now", "From 18 Nov 2026 to 19 Nov 2026")
	out := w.upload("steward", "/screen/lists", "own.csv", "id,name,type\n1,Lindhorst Cargo GmbH,company\n", "name", "barred", "purpose", "restricted", "title", "Our own")
	answered(t, "importing", out, 303)
	holds(t, w.see("reader", out.Header().Get("Location")), "Our own")
	holds(t, answered(t, "asking it", w.post("reader", "/screen", "text", "Lindhorst Cargo GmbH"), 200), "One entry resembles")
	holdsNot(t, answered(t, "a neighbour asking", w.post("their-reader", "/screen", "text", "Lindhorst Cargo GmbH"), 200), "Our own", "One entry resembles")
	answered(t, "a neighbour's look", w.send("their-reader", "GET", "/screen/lists/barred", "", nil), 404)
	answered(t, "a list that is none", w.send("reader", "GET", "/screen/lists/none", "", nil), 404)
	for why, pairs := range map[string][]string{"a purpose that is none": {"purpose", "pleasant"}, "a date that is none": {"date", "yesterday"}} {
		holds(t, answered(t, why, w.upload("steward", "/screen/lists", "own.csv", "id,name\n1,A B\n", pairs...), 400), "It was not done")
	}
}

// TestListAges: what the pages say of a list that is stale, and of one whose refreshing fails.
func TestListAges(t *testing.T) {
	w := filled(t)
	words := w.site.Words("en")
	l := KeptList{Meta: lists.Meta{Name: "csl", Title: "Screening list", Date: "2026-11-12"}, Stale: true, Failures: 3, Failed: w.pass(0), Failure: "the publisher answered 503"}
	a := staleAlert(words, w.pages, l)
	holds(t, a.Title+" "+a.Text, "Screening list is older than it should be", "The refresh of Screening list failed 3 times", "the list of 12 Nov 2026 is still asked")
	if text := listAge(words, w.pages, l); !strings.Contains(text, "8 days old") || !strings.Contains(text, "failed 3 times") {
		t.Errorf("its age is said as %q", text)
	}
	said := ""
	for _, p := range refreshPairs(words, l) {
		said += p.Term + ": " + p.Text + "\n"
	}
	holds(t, said, "the publisher answered 503")
}

// TestScreenHostile: names that try to become markup, or to hide, come out as text on every page.
func TestScreenHostile(t *testing.T) {
	w := filled(t)
	var evil []lists.Entry
	bad := append(webtest.Strings(), "Kollwig \u202Egnp.exe Optics", "Zweigert"+strings.Repeat(" Vexillium", 1000))
	for i, s := range bad {
		evil = append(evil, lists.Entry{ID: "H-" + itoaTest(i) + "<b>", Name: "Quorvath " + s, Aliases: []lists.Alias{{Name: s}}, Means: s, Note: s, Addresses: []string{s}, Programmes: []string{s}, URL: "javascript:alert(1)"})
	}
	w.put(listOf("hostile", "<script>alert(1)</script>", "2026-11-19", lists.Restricted, evil...))
	for i, s := range bad {
		out := w.post("contributor", "/screen", "text", "Quorvath "+s, "whole", "yes", "country", s[:min(len(s), 20)])
		if out.Code != 200 {
			continue // a text that is no UTF-8, or too long for a country, is refused as such
		}
		checkHostile(t, "answer", out.Body.String())
		kept := w.post("contributor", "/screen/keep", "text", "Quorvath "+s, "whole", "yes", "for", s[:min(len(s), 200)])
		if at := kept.Header().Get("Location"); kept.Code == 303 && strings.Contains(at, "/reviews/") {
			checkHostile(t, "review", w.see("contributor", at))
		}
		if i > 8 {
			continue // enough of them are parties
		}
		if added := w.post("contributor", "/screen/parties", "text", "Quorvath "+s[:min(len(s), 1000)], "group", "customers", "ref", s[:min(len(s), 100)]); added.Code == 303 {
			checkHostile(t, "party", w.see("steward", added.Header().Get("Location")))
		}
	}
	for _, path := range []string{"/screen", "/screen/queue", "/screen/parties", "/screen/lists", "/screen/lists/hostile", "/screen/record"} {
		checkHostile(t, path, w.see("steward", path))
	}
}

func checkHostile(t *testing.T, where, page string) {
	t.Helper()
	for _, fault := range webtest.Broken([]byte(page)) {
		t.Errorf("%s: %s", where, fault)
	}
	page = regexp.MustCompile(`(?s) value="[^"]*"|<textarea.*?</textarea>`).ReplaceAllString(page, "") // what a form sends back stays as it was typed
	for _, s := range []string{"<script>alert", "<img", "\u202E", "href=\"javascript", "onerror=\"", "<svg onload"} {
		if strings.Contains(page, s) {
			t.Errorf("%s: the page holds %q", where, s)
		}
	}
	if len(page) > 600_000 {
		t.Errorf("%s: the page is %d bytes long", where, len(page))
	}
}

// TestScreenLongName: a name of 10,000 characters is asked about, and shown in part.
func TestScreenLongName(t *testing.T) {
	w := filled(t)
	page := answered(t, "a long name", w.post("reader", "/screen", "text", strings.Repeat("Brundelwick Photonics ", 460), "whole", "yes"), 200)
	if n := strings.Count(page, "Brundelwick"); n > 3000 {
		t.Errorf("the page repeats the name: %d words", n)
	}
	answered(t, "a name beyond all bounds", w.post("reader", "/screen", "text", strings.Repeat("Brundelwick ", 10_000), "whole", "yes"), 413)
}

// TestScreenRights: every route asks for its role, and tells another organisation nothing.
func TestScreenRights(t *testing.T) {
	w := filled(t)
	id := w.reviewIn(Query{Name: "Brundelwick Photonics"})
	party, err := w.AddParty(t.Context(), anna, Customers, company("X-9", "Grauwacht Turbinen"))
	must(t, err)
	batch, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "secretbatch"}, rowsOf(company("", "Grauwacht Turbinen")))
	must(t, err)
	recs, err := w.Screenings(t.Context(), anna, ScreeningFilter{})
	must(t, err)
	fill := strings.NewReplacer("/parties/{id}", "/parties/"+party.ID, "/reviews/{id}", "/reviews/"+id, "/batches/{id}", "/batches/"+batch.ID, "/record/{id}", "/record/"+recs.Screenings[0].ID, "/records/{id}", "/records/"+recs.Screenings[0].ID,
		"/lists/{name}/entries/{id}", "/lists/restricted/entries/R-101", "/groups/{name}", "/groups/board", "/lists/{name}", "/lists/restricted")
	routes := append(w.pages.Routes(), w.api.Routes()...)
	rank := map[string]web.Need{"reader": web.Reader, "contributor": web.Contributor, "steward": web.Steward}
	for _, r := range routes {
		path := fill.Replace(r.Pattern)
		if strings.HasSuffix(r.Pattern, "/screen") && r.Method == "GET" && r.API {
			path += "?name=Acme"
		}
		own := strings.Contains(r.Pattern, "{id}") && !strings.Contains(r.Pattern, "/lists/")
		if r.Stream {
			continue // TestScreenBatch reads it
		}
		for who, need := range rank {
			out := w.send(who, r.Method, path, "", nil)
			if need < r.Need && out.Code != 403 {
				t.Errorf("%s as %s: %d, want 403", r.Method+" "+path, who, out.Code)
			}
			alone := strings.HasSuffix(r.Pattern, "/share") && out.Code == 503 // there is no exchange here to share through
			if need >= r.Need && (out.Code == 401 || out.Code == 403 || out.Code >= 500) && !alone {
				t.Errorf("%s as %s: %d %.200s", r.Method+" "+path, who, out.Code, out.Body.String())
			}
		}
		for _, who := range []string{"admin", "their-admin"} { // whoever manages a node reads none of it
			if out := w.send(who, r.Method, path, "", nil); out.Code != 403 {
				t.Errorf("%s as %s: %d, want 403", r.Method+" "+path, who, out.Code)
			}
		}
		if out := w.send("", r.Method, path, "", nil); out.Code != 401 && out.Code != 303 {
			t.Errorf("%s by nobody: %d", r.Method+" "+path, out.Code)
		}
		kind, body := bodyFor(r.Pattern)
		out := w.send("their-steward", r.Method, path, kind, strings.NewReader(body))
		if own && out.Code != 404 {
			t.Errorf("%s as a neighbour: %d, want 404", r.Method+" "+path, out.Code)
		}
		for _, secret := range []string{"Grauwacht", "secretbatch", "X-9", "Order 88213"} {
			if strings.Contains(out.Body.String(), secret) {
				t.Errorf("%s tells a neighbour %q", r.Method+" "+path, secret)
			}
		}
	}
}

// bodyFor is what a neighbour sends, so that it is the right and not the form that refuses it.
func bodyFor(pattern string) (kind, body string) {
	switch {
	case !strings.HasPrefix(pattern, "/api/"):
		return "application/x-www-form-urlencoded", "ground=request&decision=false&reason=none+of+your+business&seen=1&text=Acme&group=customers"
	case strings.HasSuffix(pattern, "/decision"):
		return "application/json", `{"verdict":"false","reason":"none of your business","version":1}`
	case strings.HasSuffix(pattern, "/erase"):
		return "application/json", `{"ground":"request"}`
	}
	return "application/json", `{"query":{"name":"Acme"},"version":1}`
}

// TestScreenParts: what screening brings to the pages of others, for whom it is meant.
func TestScreenParts(t *testing.T) {
	w := filled(t)
	words := w.site.Words("en")
	w.reviewIn(Query{Name: "Brundelwick Photonics"})
	card, err := w.pages.Card(t.Context(), dirk, words)
	must(t, err)
	if card.Template != "screen/todos" || card.More.Text != "One to decide" {
		t.Errorf("the card is %+v", card)
	}
	if _, err := w.site.Fragment(words, card.Template, card.Data); err != nil {
		t.Error(err)
	}
	if card, err := w.pages.Card(t.Context(), actor(ours, "ada", polder.RoleAdmin), words); err != nil || card.Template != "" {
		t.Errorf("an administrator has a card: %+v, %v", card, err)
	}
	card, err = w.pages.Card(t.Context(), other, words)
	must(t, err)
	if text := fmt.Sprint(card); strings.Contains(text, "Brundelwick") {
		t.Errorf("a neighbour's card is %s", text)
	}
	for text, offered := range map[string]bool{"Acme Optics": true, "张伟": true, "شركة الخليج": true, "203.0.113.7": false, "example.com": false, "https://example.com/x": false, "indicator--5d3f0a52-8b6e-4d57-9a5d-2f1d8e4ba91c": false, "a": false, "9f2c41aa00bb11cc22dd33ee44ff5566": false, strings.Repeat("long ", 100): false} {
		hits, err := w.pages.Search(t.Context(), dirk, text, 10, words)
		must(t, err)
		if (len(hits) == 1) != offered {
			t.Errorf("%q: offered %v, want %v", text, len(hits) == 1, offered)
		}
		if offered && len(hits) == 1 {
			holds(t, w.see("reader", hits[0].Href), "Who is this party?", htmlOf(text))
			u, err := url.Parse(hits[0].Href)
			if err != nil || u.Path != "/screen" {
				t.Errorf("%q leads to %q", text, hits[0].Href)
			}
		}
	}
	if hits, err := w.pages.Search(t.Context(), actor(ours, "ada", polder.RoleAdmin), "Acme Optics", 10, words); err != nil || len(hits) > 0 {
		t.Errorf("an administrator is offered %+v, %v", hits, err)
	}
	if nav := w.pages.Nav(); nav[0].Group != web.Decide || nav[0].Key != "n" {
		t.Errorf("the nav is %+v", nav)
	} else if n, _ := nav[0].Count(t.Context(), dirk); n != 1 {
		t.Errorf("%d wait, want 1", n)
	}
}

// TestThresholdChoices: a stricter choice never stops more, and each says what it does.
func TestThresholdChoices(t *testing.T) {
	last := 1.1
	for _, n := range stoppedChoices {
		at := thresholdAt(n)
		if m := MeaningOf(at); m.Stopped > 1/float64(n)+1e-9 {
			t.Errorf("1 in %d: threshold %.2f stops %.4f", n, at, m.Stopped)
		}
		if at > last {
			t.Errorf("1 in %d: threshold %.2f is above that of the stricter choice", n, at)
		}
		last = at
	}
}

// TestHowInDutch: however two things met, the page says it in the reader's language.
func TestHowInDutch(t *testing.T) {
	w := filled(t)
	words := w.site.Words("nl")
	qs := []Query{{Name: "Severny Vakuum Tekhnika LLC", Country: "RU"}, {Name: "Severnaya Vakumnaya Tehnika", Country: "NL"}, {Name: "Северная Вакуумная Техника", Identifiers: []lists.Identifier{{Kind: lists.IDRegistration, Value: "1027735019001", Country: "RU"}}},
		{Name: "I. P. Zarkontin", Type: names.Person, Birth: "1961-04-30"}, {Name: "Ilja Zarkontin", Birth: "1961"}, {Name: "Zarkontin Ilya", Birth: "1961-04"}, {Name: "Zarkontin Ilya Petrovich", Birth: "1931"}, {Name: "Zarkontin Ilya Petrovich", Birth: "1962-04-30"}, {Name: "Zarkontin Ilya Petrovich", Birth: "1961-07-12"}, {Name: "Zarkontin Ilya Petrovich", Birth: "1961-04-03"},
		{Name: "Brundel Wick Photonics Trading"}, {Name: "Brundelwick Fotonics GmbH"}, {Name: "Brundelwik Photonics", Type: names.Vessel}, {Name: "Shenzhen Lanlu Optical Technologies"}, {Name: "深圳蓝鹭光学"}, {Name: "شركة الخليج الأزرق"}, {Name: "Blue Gulf Navigation No 7"}, {Name: "SVT"}, {Name: "Meerwijk Optics"}}
	answers, err := w.Screen(t.Context(), dirk, qs, Options{Threshold: 0.3, Limit: 20})
	must(t, err)
	n := 0
	for _, a := range answers {
		for _, h := range a.Hits {
			for _, p := range h.Parts {
				n++
				if said, english := howText(words, p.How); english {
					t.Errorf("%q beside %q: %q is said in English, as %q", a.Query.Name, h.Name, p.How, said)
				}
				if key := "screen.kind." + strings.ReplaceAll(p.Kind, " ", "-"); !words.Has(key) {
					t.Errorf("the kind %q has no word in Dutch", p.Kind)
				}
			}
		}
	}
	for kind, k := range idKinds {
		for _, how := range []string{"the same " + k.name, "another " + k.name} {
			if said, english := howText(words, how); english || !strings.Contains(said, idText(words, kind)) {
				t.Errorf("%q is said as %q", how, said)
			}
		}
	}
	for _, how := range []string{"the same, with day and month the other way round", "the same year; day or month differs", "3 letters differ", "romanised, 2 letters differ", "legal form, only in the second name", "same meaning: technology"} {
		if said, english := howText(words, how); english || said == how {
			t.Errorf("%q is said as %q", how, said)
		}
	}
	if _, english := howText(words, "by some new rule"); !english {
		t.Error("a phrase that no catalogue holds is not marked as English")
	}
	if n < 40 {
		t.Errorf("only %d parts were compared", n)
	}
}

// TestShownPointsAddUp: the points on a page add up to the score on it, however they round.
func TestShownPointsAddUp(t *testing.T) {
	for _, c := range []struct {
		why    string
		score  float64
		points []float64
	}{{"thirds", 0.8, []float64{0.8 / 3, 0.8 / 3, 0.8 / 3}}, {"something taken away", 0.755, []float64{0.5044, 0.3312, -0.0806}}, {"nothing", 0, nil}, {"one", 0.955, []float64{0.955}}} {
		h := Hit{Score: c.score}
		for _, p := range c.points {
			h.Parts = append(h.Parts, Part{Kind: "word", Points: p})
		}
		sum := 0
		for _, n := range comparePoints(h) {
			sum += n
		}
		if sum != pageHundred(c.score) {
			t.Errorf("%s: the points add up to %d, the score is %d", c.why, sum, pageHundred(c.score))
		}
	}
}
