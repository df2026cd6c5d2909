package node

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen"
)

// This file is the part of the story in which a maker of valves asks who its customers are. All lists and parties are
// made up.

// What the scenes of screening speak of.
const (
	controlList   = "control"                                // its name
	controlTitle  = "Demo control list"                      // and its title
	enquiries     = 5                                        // listings of Okular's own list
	controlParts  = 60                                       // parties on it
	consignee     = "Zaryagorskaja Kriogennaja Armatura"     // as the order spells it
	consigneeIs   = "ООО «Зарягорская Криогенная Арматура»"  // as the list does
	orderBuyer    = "Fjordvik Kryoteknikk AS"                // whom no list names
	orderFoundry  = "Waterloopkring Gieterij B.V."           // whom the list of verified suppliers names
	listedClient  = "Al Nuwayra Marine Services"             // a customer that is on the list
	newlyListed   = "Draupsholm Process Engineering"         // a customer that the list's next version names
	enquirer      = "Tichoretschenski Pribor"                // as somebody signs who is on Okular's own list
	officeManager = "office@klepwerk.example"                // decides first
	exportControl = "export@klepwerk.example"                // a steward, who decides second
	okularExport  = "export@okular.example"                  // imports Okular's own list
	secondFrom    = "0.8"                                    // from this score on, two people must agree
	sharedList    = chain + "/enquiries"                     // Okular's list, as other members see it
	askAbout      = "/api/v1/screen?name="                   // and a name
	reviewsAbout  = "/api/v1/screen/reviews?state=all&text=" // and a name
)

// asking are the scenes of screening.
func asking() []scene {
	return []scene{
		{name: "lists", says: "the node imports two lists, made up: 60 restricted parties in four scripts, and suppliers that were verified", do: importLists},
		{name: "known-parties", says: "Klepwerk keeps whom it knows: customers, suppliers, visitors, research partners; one customer meets a listing", do: keepKnown, check: clientIsMet},
		{name: "two-people", says: "its export control officer settles that a strong hit is refuted by two people, not by one", do: setFourEyes},
		{name: "order", says: "an order is pasted: of four parties one meets a Cyrillic listing spelt otherwise, one is verified, two are on neither list", do: pasteOrder, check: orderIsAnswered},
		{name: "four-eyes", says: "“not the same” counts when a second person agrees; the same pair is not raised again", do: refute, check: staysRefuted},
		{name: "true-hit", says: "the customer is the party on the list: a true hit, with the reason, for good", do: confirmClient},
		{name: "batch", says: "the addressees of last year's shipments go in as a file, and four meet a listing", do: askBatch},
		{name: "list-changes", says: "the list gets its next version: one added, one changed, one removed; only that is asked again, and a customer is met", do: nextVersion, check: onlyDifference},
		{name: "shared-list", says: "Okular shares its own list of odd enquiries at TLP:AMBER, without its name", by: "okular", sees: chainBut("okular"), do: shareEnquiries, check: enquirerIsMet},
		{name: "record", says: "the auditor's record says who asked, when, against which lists, and who decided: as a table and to print", do: nothing, check: recordIsThere},
	}
}

// day is a day before the demo, as lists write it.
func (st *stage) day(before int) string {
	return st.began.UTC().AddDate(0, 0, -before).Format(time.DateOnly)
}

// imported is what `polder lists import --json` prints.
type imported struct {
	Date                             string
	Entries, Added, Removed, Changed int
}

// importList makes a file of the story a list of the node, at the machine.
func (st *stage) importList(ctx context.Context, name, file, date string, flags ...string) (got imported, err error) {
	path, err := st.file(file)
	if err != nil {
		return got, err
	}
	args := []string{"lists", "import", "--data", st.dir, "--as", name, "--date", date, "--source", "made up for the demo", "--json", path}
	out, err := run(ctx, append(args, flags...)...)
	if err != nil {
		return got, err
	}
	return got, json.Unmarshal([]byte(out), &got)
}

func importLists(ctx context.Context, st *stage) (polder.Seq, error) {
	got, err := st.importList(ctx, controlList, "control.list.csv", st.day(5), "--title", controlTitle)
	if err != nil {
		return 0, err
	}
	if got.Entries != controlParts || got.Date != st.day(5) {
		return 0, fmt.Errorf("the control list came out as %+v", got)
	}
	got, err = st.importList(ctx, "verified", "suppliers.list.csv", st.day(3), "--title", "Demo verified suppliers", "--purpose", "verified")
	if err == nil && got.Entries != 12 {
		err = fmt.Errorf("the list of verified suppliers came out as %+v", got)
	}
	return 0, err
}

// keepKnown has three members make parties known, and waits until all were asked about.
func keepKnown(ctx context.Context, st *stage) (polder.Seq, error) {
	keepers := []struct {
		key    string
		groups []string
	}{{"klepwerk", screen.CommonGroups}, {"meridiaan", []string{screen.Visitors}}, {"maasland", []string{screen.Partners}}}
	for _, who := range keepers {
		for _, group := range who.groups {
			if err := st.keepGroup(ctx, who.key, group); err != nil {
				return 0, fmt.Errorf("%s: %s: %w", who.key, group, err)
			}
		}
	}
	for _, who := range keepers {
		err := st.until(ctx, who.key+"'s parties were asked about", func() (bool, error) {
			all, err := st.known(ctx, who.key, "due=yes")
			return len(all) == 0, err
		})
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func (st *stage) keepGroup(ctx context.Context, key, group string) error {
	text, err := st.text(group + ".parties.csv")
	if err != nil {
		return err
	}
	path := "/api/v1/screen/parties/import?group=" + group + "&name=" + group + ".csv"
	if err := demands(http.StatusForbidden, st.ask(ctx, st.players[key].reader, "POST", path, text, nil)); err != nil {
		return fmt.Errorf("a token that only reads makes parties known: %w", err)
	}
	var got struct{ Added, Refused int }
	err = st.ask(ctx, st.players[key].writer, "POST", path, text, &got)
	if want := strings.Count(string(text), "\n") - 1; err == nil && (got.Added != want || got.Refused != 0) {
		err = fmt.Errorf("%d of %d were taken in, %d refused", got.Added, want, got.Refused)
	}
	return err
}

// acquaintance is a known party as the REST API tells of it.
type acquaintance struct {
	ID      string
	Query   struct{ Name string }
	Against []struct{ Name, Date string }
	Waiting int
	True    int
	False   int
}

func (st *stage) known(ctx context.Context, key, query string) ([]acquaintance, error) {
	var got struct{ Parties []acquaintance }
	err := st.ask(ctx, st.players[key].reader, "GET", "/api/v1/screen/parties?limit=200&"+query, nil, &got)
	return got.Parties, err
}

// knownAs is the one known party of Klepwerk with a text in its name.
func (st *stage) knownAs(ctx context.Context, text string) (acquaintance, error) {
	all, err := st.known(ctx, "klepwerk", "text="+url.QueryEscape(text))
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%d known parties are called %s", len(all), text)
	}
	if err != nil {
		return acquaintance{}, err
	}
	return all[0], nil
}

// inQueue is a review as the REST API tells of it.
type inQueue struct {
	ID, Group, List, Name, State, By string
	Query                            struct{ Name string }
	Score                            float64
	Version                          int
}

// review is the one review of Klepwerk about a party and a list.
func (st *stage) review(ctx context.Context, party, list string) (inQueue, error) {
	var got struct{ Reviews []inQueue }
	err := st.ask(ctx, st.players["klepwerk"].reader, "GET", reviewsAbout+url.QueryEscape(party)+"&list="+list, nil, &got)
	if err == nil && len(got.Reviews) != 1 {
		err = fmt.Errorf("%s has %d reviews on %s", party, len(got.Reviews), list)
	}
	if err != nil {
		return inQueue{}, err
	}
	return got.Reviews[0], nil
}

// clientIsMet checks that a known customer waits in the queue of Klepwerk, and in nobody else's.
func clientIsMet(ctx context.Context, st *stage) error {
	r, err := st.review(ctx, listedClient, controlList)
	if err != nil {
		return err
	}
	if r.State != "open" || r.Group != screen.Customers || r.Score < 0.9 {
		return fmt.Errorf("the review is %+v", r)
	}
	st.held["client"] = r.ID
	for _, key := range partsBut("klepwerk") {
		err := st.ask(ctx, st.players[key].writer, "GET", "/api/v1/screen/reviews/"+r.ID, nil, nil)
		if err := demands(http.StatusNotFound, err); err != nil {
			return fmt.Errorf("%s asks for Klepwerk's review: %w", key, err)
		}
	}
	return nil
}

// setFourEyes changes the settings at the console, which asks for a steward.
func setFourEyes(ctx context.Context, st *stage) (polder.Seq, error) {
	form := url.Values{"threshold": {strconv.FormatFloat(screen.DefaultThreshold, 'f', -1, 64)}, "second": {secondFrom}, "decided": {"1825"}, "undecided": {"1825"}, "seen": {"0"}}
	office, err := st.visitAs(ctx, officeManager)
	if err != nil {
		return 0, err
	}
	if err := demands(http.StatusForbidden, office.send(ctx, "/screen/settings", form)); err != nil {
		return 0, fmt.Errorf("a contributor changes the settings: %w", err)
	}
	officer, err := st.visitAs(ctx, exportControl)
	if err != nil {
		return 0, err
	}
	return 0, officer.send(ctx, "/screen/settings", form)
}

// orderForm is the order as it is pasted into the box, and all four parties that are found in it ticked.
func orderForm(st *stage) (url.Values, error) {
	text, err := st.text("order.txt")
	return url.Values{"text": {string(text)}, "ask": {"0", "1", "2", "3"}}, err
}

// pasteOrder pastes an order at the console, asks about the parties that are found in it, and keeps the answer.
func pasteOrder(ctx context.Context, st *stage) (polder.Seq, error) {
	form, err := orderForm(st)
	if err != nil {
		return 0, err
	}
	office, err := st.visitAs(ctx, officeManager)
	if err != nil {
		return 0, err
	}
	found, err := office.post(ctx, "/screen", url.Values{"text": form["text"]})
	if err == nil {
		err = says("the parties of the order", found, orderBuyer, consignee, orderFoundry, "Ingrid Solhaug")
	}
	if err != nil {
		return 0, err
	}
	answer, err := office.post(ctx, "/screen", form)
	if err == nil {
		err = says("the answer about the order", answer, "One of 4 parties resembles an entry", consigneeIs, "That speaks for a party, and no more", "No entry resembles this party", "This says what these lists hold, and no more.")
	}
	if err != nil {
		return 0, err
	}
	form.Set("for", "Order KW-0417")
	return 0, office.send(ctx, "/screen/keep", form)
}

// says demands that texts are in a page.
func says(what, page string, all ...string) error {
	for _, text := range all {
		if !strings.Contains(page, text) {
			return fmt.Errorf("%s: the page does not say %q", what, text)
		}
	}
	return nil
}

// answered is an answer of the REST API.
type answered struct {
	Hits []struct {
		ID, List, Name string
		Score          float64
	}
	Lists []struct{ Name, Date string }
}

// orderIsAnswered holds what the page said against the REST API, and finds the review that the order led to.
func orderIsAnswered(ctx context.Context, st *stage) error {
	for name, want := range map[string]string{consignee: controlList, orderFoundry: "verified", orderBuyer: "", "Ingrid Solhaug": ""} {
		var got answered
		if err := st.ask(ctx, st.players["klepwerk"].reader, "GET", askAbout+url.QueryEscape(name), nil, &got); err != nil {
			return err
		}
		if len(got.Lists) != 2 || got.Lists[0].Name != controlList || got.Lists[0].Date != st.day(5) {
			return fmt.Errorf("%s was asked against %+v", name, got.Lists)
		}
		if want == "" && len(got.Hits) > 0 || want != "" && (len(got.Hits) != 1 || got.Hits[0].List != want) {
			return fmt.Errorf("%s meets %+v", name, got.Hits)
		}
	}
	r, err := st.review(ctx, consignee, controlList)
	st.held["consignee"] = r.ID
	if err == nil && (r.State != "open" || r.Name != consigneeIs) {
		err = fmt.Errorf("the review is %+v", r)
	}
	return err
}

// decide says at the console what a review is.
func (v *visitor) decide(ctx context.Context, r inQueue, verdict, reason string) error {
	return v.send(ctx, "/screen/reviews/"+r.ID, url.Values{"decision": {verdict}, "reason": {reason}, "seen": {strconv.Itoa(r.Version)}})
}

// refute has two people say that the consignee is not the listed one. Twice the same person is one, and a token is none.
func refute(ctx context.Context, st *stage) (polder.Seq, error) {
	const why = "The register of companies has a dairy at that address; another number, other owners."
	office, err := st.visitAs(ctx, officeManager)
	if err != nil {
		return 0, err
	}
	officer, err := st.visitAs(ctx, exportControl)
	if err != nil {
		return 0, err
	}
	r, err := st.review(ctx, consignee, controlList)
	if err == nil {
		err = office.decide(ctx, r, "false", why)
	}
	if err != nil {
		return 0, err
	}
	if r, err = st.review(ctx, consignee, controlList); err != nil || r.State != "second" {
		return 0, fmt.Errorf("after one person the review is %+v: %w", r, err)
	}
	if err := demands(http.StatusForbidden, office.decide(ctx, r, "false", why)); err != nil {
		return 0, fmt.Errorf("the same person decides twice: %w", err)
	}
	token := st.ask(ctx, st.players["klepwerk"].writer, "POST", "/api/v1/screen/reviews/"+r.ID+"/decision", map[string]any{"verdict": "false", "reason": why, "version": r.Version}, nil)
	if err := demands(http.StatusForbidden, token); err != nil {
		return 0, fmt.Errorf("a token is the second person: %w", err)
	}
	return 0, officer.decide(ctx, r, "false", "Seen the extract of the register; the seal and the directors are others.")
}

// staysRefuted asks the order again: it is on record again, and nobody needs to decide again.
func staysRefuted(ctx context.Context, st *stage) error {
	before, err := st.review(ctx, consignee, controlList)
	if err != nil || before.State != "false" || before.ID != st.held["consignee"] {
		return fmt.Errorf("after two people the review is %+v: %w", before, err)
	}
	form, err := orderForm(st)
	if err != nil {
		return err
	}
	form.Set("for", "Order KW-0417, second part")
	office, err := st.visitAs(ctx, officeManager)
	if err == nil {
		err = office.send(ctx, "/screen/keep", form)
	}
	if err != nil {
		return err
	}
	if after, err := st.review(ctx, consignee, controlList); err != nil || after != before {
		return fmt.Errorf("asked again the review is %+v: %w", after, err)
	}
	return nil
}

// confirmClient decides that the customer is the listed party.
func confirmClient(ctx context.Context, st *stage) (polder.Seq, error) {
	r, err := st.review(ctx, listedClient, controlList)
	if err != nil {
		return 0, err
	}
	officer, err := st.visitAs(ctx, exportControl)
	if err != nil {
		return 0, err
	}
	if err := officer.shows(ctx, "/screen/reviews/"+r.ID, []string{"شركة النويرة", listedClient, "No dealings; assets are frozen"}, nil); err != nil {
		return 0, err
	}
	if err := officer.decide(ctx, r, "true", "Same LEI, same port office. Deliveries stop today; the bank is told."); err != nil {
		return 0, err
	}
	p, err := st.knownAs(ctx, listedClient)
	if err == nil && (p.True != 1 || p.Waiting != 0) {
		err = fmt.Errorf("the customer is %+v", p)
	}
	return 0, err
}

// askBatch asks about a file in the background.
func askBatch(ctx context.Context, st *stage) (polder.Seq, error) {
	text, err := st.text("shipments.parties.csv")
	if err != nil {
		return 0, err
	}
	var b struct {
		ID, State        string
		Total, Done, Met int
	}
	if err := st.ask(ctx, st.players["klepwerk"].writer, "POST", "/api/v1/screen/batches?name=Shipments+of+last+year", text, &b); err != nil {
		return 0, err
	}
	err = st.until(ctx, "the batch is done", func() (bool, error) {
		err := st.ask(ctx, st.players["klepwerk"].reader, "GET", "/api/v1/screen/batches/"+b.ID, nil, &b)
		return b.State == "done", err
	})
	if err == nil && (b.Total != 10 || b.Done != 10 || b.Met != 4) {
		err = fmt.Errorf("the batch is %+v", b)
	}
	return 0, err
}

// nextVersion imports the list's next version, and waits until known parties are asked against it.
func nextVersion(ctx context.Context, st *stage) (polder.Seq, error) {
	got, err := st.importList(ctx, controlList, "control-next.list.csv", st.day(0), "--title", controlTitle)
	if err != nil {
		return 0, err
	}
	if got.Added != 1 || got.Changed != 1 || got.Removed != 1 {
		return 0, fmt.Errorf("the next version came out as %+v", got)
	}
	// The node looks every two seconds; whoever asks has it look at once.
	if err := st.ask(ctx, st.players["klepwerk"].reader, "GET", askAbout+url.QueryEscape(orderBuyer), nil, nil); err != nil {
		return 0, err
	}
	return 0, st.until(ctx, "known parties are asked against the new version", func() (bool, error) {
		all, err := st.known(ctx, "klepwerk", "")
		late := func(p acquaintance) bool { return len(p.Against) == 0 || p.Against[0].Date != st.day(0) }
		return len(all) > 0 && !slices.ContainsFunc(all, late), err
	})
}

// onlyDifference checks that two listings were asked about again and not sixty, that they raised a customer, and that
// what was decided stays so.
func onlyDifference(ctx context.Context, st *stage) error {
	by, err := st.node.Accounts.Authenticate(ctx, st.players["klepwerk"].reader, netip.IPv6Loopback())
	if err != nil {
		return err
	}
	var runs []screen.Rescreening
	err = st.until(ctx, "asking again is over", func() (bool, error) {
		runs, err = st.node.screening.service.Rescreenings(ctx, by, 1)
		return len(runs) == 1 && !runs[0].Ended.IsZero(), err
	})
	if err != nil {
		return err
	}
	if r := runs[0]; r.Entries != 2 || r.Opened != 1 || r.Reopened != 0 {
		return fmt.Errorf("asking again came to %+v", r)
	}
	r, err := st.review(ctx, newlyListed, controlList)
	if err != nil || r.State != "open" || r.Group != screen.Customers {
		return fmt.Errorf("the customer's review is %+v: %w", r, err)
	}
	for party, state := range map[string]string{consignee: "false", listedClient: "true"} {
		if r, err := st.review(ctx, party, controlList); err != nil || r.State != state {
			return fmt.Errorf("what was decided is now %+v: %w", r, err)
		}
	}
	officer, err := st.visitAs(ctx, exportControl)
	if err != nil {
		return err
	}
	return officer.shows(ctx, "/screen/lists/"+controlList, []string{"Draupsholm Procesteknik A/S", "Halvorsgate Marine Instruments AS", "Velkanta Precision Trading L.L.C."}, nil)
}

// shareEnquiries brings Okular's own list into the node at the console, and shares it from the command line.
func shareEnquiries(ctx context.Context, st *stage) (polder.Seq, error) {
	text, err := st.text("enquiries.list.csv")
	if err != nil {
		return 0, err
	}
	officer, err := st.visitAs(ctx, okularExport)
	if err != nil {
		return 0, err
	}
	form := map[string]string{"name": "enquiries", "purpose": "restricted", "title": "Odd enquiries", "date": st.day(1)}
	if err := officer.upload(ctx, "/screen/lists", "enquiries.csv", text, form); err != nil {
		return 0, err
	}
	if err := st.meets(ctx, "klepwerk", enquirer, ""); err != nil {
		return 0, fmt.Errorf("before it is shared: %w", err)
	}
	seen := st.players["okular"].seen
	before := seen.between(0, math.MaxInt64)
	last := before[len(before)-1].seq
	if _, err := st.command(ctx, "okular", "lists", "share", "--community", chain, "--tlp", "amber", "enquiries"); err != nil {
		return 0, err
	}
	var stored page // the command does not print numbers; the stream tells them
	if err := st.ask(ctx, st.players["okular"].reader, "GET", fmt.Sprintf("/api/v1/objects?version=all&limit=1000&after=%d", last), nil, &stored); err != nil {
		return 0, err
	}
	if len(stored.Objects) < enquiries {
		return 0, fmt.Errorf("%d objects were shared of %d listings", len(stored.Objects), enquiries)
	}
	var news []heard
	err = st.until(ctx, "Okular hears of what it shared", func() (bool, error) {
		news = seen.between(last, math.MaxInt64)
		return len(news) >= len(stored.Objects), nil
	})
	if err != nil {
		return 0, err
	}
	return news[len(news)-1].seq, nil
}

// meets asks about a party as a member: it meets one listing of a list, or with "" nothing. The answer does not say whose
// list it is.
func (st *stage) meets(ctx context.Context, key, name, list string) error {
	var text string
	if err := st.ask(ctx, st.players[key].reader, "GET", askAbout+url.QueryEscape(name), nil, &text); err != nil {
		return err
	}
	var got answered
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		return err
	}
	if list == "" && len(got.Hits) > 0 || list != "" && (len(got.Hits) != 1 || got.Hits[0].List != list) {
		return fmt.Errorf("%s asks about %s and meets %+v", key, name, got.Hits)
	}
	return st.named(st.players[key], heard{id: "the answer about " + name, body: text})
}

// enquirerIsMet checks that members meet the shared listing, and that the bank, in the other community, does not.
func enquirerIsMet(ctx context.Context, st *stage) error {
	for key, list := range map[string]string{"klepwerk": sharedList, "meridiaan": sharedList, "bank": ""} {
		if err := st.meets(ctx, key, enquirer, list); err != nil {
			return err
		}
	}
	officer, err := st.visitAs(ctx, exportControl)
	if err != nil {
		return err
	}
	return officer.shows(ctx, "/screen/lists", []string{"Odd enquiries", controlTitle}, []string{st.players["okular"].name, string(st.players["okular"].org.ID)})
}

// recordIsThere takes the auditor's record as a table and to print, and looks for it as somebody else.
func recordIsThere(ctx context.Context, st *stage) error {
	var table, paper, other string
	days := "?from=" + st.day(1) + "&to=" + st.day(-1)
	for form, into := range map[string]*string{"csv": &table, "pdf": &paper} {
		if err := st.ask(ctx, st.players["klepwerk"].reader, "GET", "/api/v1/screen/record."+form+days, nil, into); err != nil {
			return err
		}
	}
	if err := says("the auditor's record", table, consignee, consigneeIs, "Order KW-0417", "Wim Dekkers", "Noor Hendriks", newlyListed, "Same LEI, same port office", st.day(5), st.day(0)); err != nil {
		return err
	}
	if !strings.HasPrefix(paper, "%PDF-") || len(paper) < 4<<10 {
		return fmt.Errorf("record to print: has %d bytes and begins with %.8q", len(paper), paper)
	}
	if err := st.ask(ctx, st.players["meridiaan"].reader, "GET", "/api/v1/screen/record.csv"+days, nil, &other); err != nil {
		return err
	}
	for _, word := range []string{"Zaryagorsk", "KW-0417", "Dekkers"} {
		if strings.Contains(other, word) {
			return fmt.Errorf("the record: Meridiaan's record says %q, which is Klepwerk's", word)
		}
	}
	return nil
}
