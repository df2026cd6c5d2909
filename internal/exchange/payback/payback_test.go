package payback

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/stix"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// TestAccount: what others do with an organisation's objects is counted once for each of them, and what it does itself is not.
func TestAccount(t *testing.T) {
	w := newWorld(t, 7)
	a, b := w.give("m0", exchange.Request{}, ""), w.give("m0", exchange.Request{}, "")
	w.give("m1", exchange.Request{}, "")
	for _, who := range []string{"m1", "m2", "m3", "m4", "m5"} {
		w.sight(who, a)
	}
	w.sight("m1", a)
	w.sight("m1", b)
	w.sight("m0", b)
	w.opine("m2", b, "agree")
	w.opine("m3", b, "strongly-disagree")
	w.opine("m3", a, "neutral")
	got := w.account("m0")
	for _, c := range []struct {
		why       string
		got, want any
	}{
		{"two of its own, not the neighbour's", got.Objects, 2},
		{"both were sighted", got.Sightings.Objects, 2},
		{"seven sightings of others, not its own", got.Sightings.Times, 7},
		{"by five members, each once", got.Sightings.Members.Count(), 5},
		{"one of them agreed with", got.Agreements.Objects, 1},
		{"one called false, by one member: not told", got.False.Members.Says(), "some"},
		{"the number of one member is not told", got.False.Members.Count(), 0},
		{"the neighbour has nothing of that", w.account("m1").Sightings.Times, 0},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.why, c.got, c.want)
		}
	}
	if len(got.Most) != 2 || got.Most[0].ID != a || got.Most[0].Title == "" || got.Most[0].Sightings.Count() != 5 || got.Most[1].Sightings.Says() != "some" {
		t.Errorf("the objects that did most: %+v", got.Most)
	}
	if last := got.Weeks[len(got.Weeks)-1]; last.Sightings != 7 || last.False != 1 || len(got.Weeks) != 12 {
		t.Errorf("weeks: %+v", got.Weeks)
	}
}

// TestSmallGroups: of members nothing is counted below five, wherever they are counted (X28).
func TestSmallGroups(t *testing.T) {
	for _, c := range []struct {
		n, others int
		says      string
		count     int
		why       string
	}{
		{0, -1, "none", 0, "that nobody did tells of nobody"},
		{1, -1, "some", 0, "one member is not told"},
		{4, -1, "some", 0, "nor are four"},
		{5, -1, "counted", 5, "five are"},
		{5, 4, "hidden", 0, "with four others every answer tells of them"},
		{0, 4, "hidden", 0, "none of four tells too"},
		{4, 5, "some", 0, "of five others, some"},
	} {
		m := MembersOf(c.n, c.others)
		if m.Says() != c.says || m.Count() != c.count {
			t.Errorf("%d of %d others: %s %d, want %s %d: %s", c.n, c.others, m.Says(), m.Count(), c.says, c.count, c.why)
		}
		text, err := json.Marshal(m)
		ok(t, err)
		var back Members
		ok(t, json.Unmarshal(text, &back))
		if back.Says() != c.says || back.Count() != c.count {
			t.Errorf("%s is read as %s %d", text, back.Says(), back.Count())
		}
	}
	for _, c := range []struct {
		k, n int
		want Part28
		why  string
	}{
		{2, 4, Part28{Says: "hidden"}, "a community of four has no statistic"},
		{0, 5, Part28{Says: "none", Of: 5}, "none of five tells of all alike"},
		{5, 5, Part28{Says: "all", Count: 5, Of: 5}, "so does all"},
		{4, 9, Part28{Says: "some", Of: 9}, "four who did"},
		{5, 9, Part28{Says: "most", Of: 9}, "four who did not"},
		{5, 10, Part28{Says: "counted", Count: 5, Of: 10}, "five and five"},
		{9, 10, Part28{Says: "most", Of: 10}, "one who did not"},
	} {
		if got := Part28Of(c.k, c.n); got != c.want {
			t.Errorf("%d of %d: %+v, want %+v: %s", c.k, c.n, got, c.want, c.why)
		}
	}
	for _, n := range []int{0, 4, 9} {
		if got := bands([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}[:n], n); len(got) != 0 {
			t.Errorf("%d members are compared in groups: %+v", n, got)
		}
	}
	for n := 10; n < 40; n++ {
		sum, share := 0, 0.0
		for _, b := range bands([]int{7, 3, 1}, n) {
			if b.Members < SmallGroup {
				t.Errorf("%d members: a group of %d", n, b.Members)
			}
			sum, share = sum+b.Members, share+b.Share
		}
		if sum != n || share < 0.999 || share > 1.001 {
			t.Errorf("%d members: groups of %d, shares of %v", n, sum, share)
		}
	}
}

// TestBlocksAreCounted: a block list that a member takes counts for the objects in it, once; and the custodian is told by
// groups of five, in a community in which others could have done it (X28).
func TestBlocksAreCounted(t *testing.T) {
	w := newWorld(t, 7)
	a := w.give("m0", exchange.Request{}, "")
	take := func(who string, f exchange.ExportFormat) {
		t.Helper()
		_, err := w.x.Export(context.Background(), w.who[who], w.where.Alias, f, io.Discard)
		ok(t, err)
	}
	take("m0", exchange.AsPlain)
	take("m1", exchange.AsCSV)
	if got := w.account("m0").Blocks; got.Objects != 0 || got.Members.Says() != "none" {
		t.Errorf("its own list and a table are no blocks of others: %+v", got)
	}
	for i := 1; i <= 4; i++ {
		for range 3 {
			take(fmt.Sprintf("m%d", i), exchange.AsSuricata)
		}
	}
	if got := w.account("m0"); got.Blocks.Objects != 1 || got.Blocks.Members.Says() != "some" || got.Most[0].Blocks.Says() != "some" {
		t.Errorf("four members: %+v", got.Blocks)
	}
	take("m5", exchange.AsRPZ)
	got := w.account("m0")
	if got.Blocks.Members.Count() != 5 || len(got.Most) != 1 || got.Most[0].Blocks.Count() != 5 || got.Most[0].ID != a {
		t.Errorf("five members: %+v %+v", got.Blocks, got.Most)
	}
	w.withdraw("m0", a)
	if got := w.account("m0"); got.Blocks.Objects != 0 || len(got.Most) != 0 || got.Blocks.Members.Count() != 0 {
		t.Errorf("after the withdrawal: %+v", got)
	}
	small := newWorld(t, 5)
	small.give("m0", exchange.Request{}, "")
	w = small
	take("m1", exchange.AsPlain)
	if got := w.account("m0"); got.Blocks.Members.Says() != "hidden" || got.Blocks.Objects != 0 || len(got.Most) != 0 {
		t.Errorf("in a community of four others: %+v", got)
	}
}

// TestBlockedSighting: who wants to tell that it blocks says so in a sighting, and that counts as one.
func TestBlockedSighting(t *testing.T) {
	w := newWorld(t, 3)
	id := w.give("m0", exchange.Request{}, "")
	w.did(w.x.MakeSighting(context.Background(), w.who["m1"], exchange.Sighting{About: w.about(id), Blocked: true}))
	got := w.account("m0")
	if got.Blocks.Objects != 1 || got.Blocks.Members.Says() != "some" || got.Sightings.Objects != 1 {
		t.Errorf("%+v", got)
	}
}

// TestS22PaybackLeaks: what was for some is counted for nobody else: neither in an account, nor in a score, nor in the health of the
// community, nor by the way in which an answer fails.
func TestS22PaybackLeaks(t *testing.T) {
	w := newWorld(t, 12)
	org := func(name string) polder.OrgID { return w.who[name].Org }
	open := w.give("m0", exchange.Request{Named: true}, "")
	before := []any{w.account("m5"), w.health("m5"), w.contributors("m5")}
	narrow := w.give("m0", exchange.Request{To: []polder.OrgID{org("m1")}, Named: true}, "")
	w.sight("m1", narrow)
	w.opine("m1", narrow, "disagree")
	// m1 tells m2 alone about an object that all see: its custodian learns nothing of that.
	raw := fmt.Appendf(nil, `{"type":"sighting","spec_version":"2.1","id":"sighting--00000000-0000-4000-8000-000000000001","created":"2026-11-20T08:00:00.000Z","modified":"2026-11-20T08:00:00.000Z","sighting_of_ref":%q,"object_marking_refs":[%q]}`, open, stix.Amber.ID())
	_, err := w.x.Share(context.Background(), w.who["m1"], exchange.Request{Community: w.where.Alias, Objects: []exchange.Incoming{{Raw: raw, Made: true}}, To: []polder.OrgID{org("m2")}, Confirmed: true})
	ok(t, err)
	w.withdraw("m0", w.give("m0", exchange.Request{To: []polder.OrgID{org("m1")}}, ""))
	if after := []any{w.account("m5"), w.health("m5"), w.contributors("m5")}; !reflect.DeepEqual(before, after) {
		t.Errorf("somebody else reads\n%+v\nand before that\n%+v", after, before)
	}
	got := w.account("m0")
	if got.Sightings.Times != 1 || got.Sightings.Objects != 1 || got.False.Times != 1 || got.Objects != 2 {
		t.Errorf("its custodian reads %+v", got)
	}
	for _, c := range []struct{ who, contributor, why string }{
		{"m5", "identity--00000000-0000-4000-8000-000000000009", "nobody of that id"}, {"m5", string(org("m1")), "a member that gave no name to anything"},
	} {
		if _, err := w.Quality(context.Background(), w.who[c.who], "", c.contributor); polder.KindOf(err) != polder.NotFound {
			t.Errorf("%s: %v, want not found", c.why, err)
		}
	}
	out, err := w.accounts.AddOrg(context.Background(), accounts.Local(), accounts.NewOrg{Name: "Out"})
	ok(t, err)
	stranger := polder.Actor{Org: out.ID, Role: polder.RoleSteward}
	for _, community := range []string{w.where.Alias, string(w.where.ID), "elsewhere"} {
		if _, err := w.Health(context.Background(), stranger, community); polder.KindOf(err) != polder.NotFound {
			t.Errorf("a stranger asks for %s: %v, want not found", community, err)
		}
	}
}

func (w *world) contributors(name string) []Contributor {
	w.t.Helper()
	out, err := w.Contributors(context.Background(), w.who[name], w.where.Alias)
	ok(w.t, err)
	return out
}

// TestWithdrawalRemovesCounts: what is withdrawn did nothing any more, be it an object or what was said about it.
func TestWithdrawalRemovesCounts(t *testing.T) {
	w := newWorld(t, 4)
	a, b := w.give("m0", exchange.Request{}, ""), w.give("m0", exchange.Request{}, "")
	seen := w.sight("m1", a)
	w.sight("m1", b)
	w.opine("m2", b, "disagree")
	w.withdraw("m1", seen)
	if got := w.account("m0"); got.Sightings.Times != 1 || got.Sightings.Objects != 1 {
		t.Errorf("after a sighting was withdrawn: %+v", got.Sightings)
	}
	w.withdraw("m0", b)
	if got := w.account("m0"); got.Objects != 1 || got.Sightings.Times != 0 || got.False.Times != 0 || len(got.Most) != 0 {
		t.Errorf("after the object was withdrawn: %+v", got)
	}
	if got := w.health("m1").Withdrawn; got != (ShareOf{1, 2}) {
		t.Errorf("withdrawn: %+v, want 1 of 2", got)
	}
}

// TestRebuild: the index may be deleted; made again from number 0 it says the same.
func TestRebuild(t *testing.T) {
	w := newWorld(t, 8)
	ctx := context.Background()
	var ids []string
	for i := range 8 {
		ids = append(ids, w.give("m0", exchange.Request{Named: i%2 == 0}, ""))
		w.sight("m1", ids[i])
		w.opine("m2", ids[i], []string{"agree", "disagree"}[i%2])
		w.account("m0")
	}
	_, err := w.accounts.Join(ctx, accounts.Local(), w.where.ID, w.who["m7"].Org, polder.RoleSteward)
	ok(t, err)
	steward := w.member("steward", polder.RoleSteward)
	ok(t, w.x.Reassign(ctx, steward, w.where.Alias, ids[2], w.who["m3"].Org))
	w.account("m0")
	w.withdraw("m0", ids[0])
	_, err = w.x.Withdraw(ctx, steward, exchange.Withdrawal{Community: w.where.Alias, ID: ids[1], Erase: true})
	ok(t, err)
	all := func() []any {
		return []any{w.account("m0"), w.account("m3"), w.account("m1"), w.health("m4"), w.contributors("m4")}
	}
	before := all()
	if n := before[1].(Account); n.Objects != 1 || n.Sightings.Times != 1 {
		t.Errorf("who got custody reads %+v", n)
	}
	ok(t, w.Close())
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(w.dir, "payback.db"+end)); err != nil && end == "" {
			t.Fatal(err)
		}
	}
	w.open()
	if after := all(); !reflect.DeepEqual(before, after) {
		t.Errorf("made again:\n%+v\nbefore:\n%+v", after, before)
	}
	ok(t, w.Close())
	ok(t, os.WriteFile(filepath.Join(w.dir, "payback.db"), []byte("no database"), 0o600))
	w.open()
	if after := all(); !reflect.DeepEqual(before, after) {
		t.Errorf("a damaged file is made again:\n%+v\nbefore:\n%+v", after, before)
	}
}

// TestScoreNeedsEvidence: below five judged objects there is no number, for oneself and for others.
func TestScoreNeedsEvidence(t *testing.T) {
	w := newWorld(t, 6)
	for i := range 6 {
		id := w.give("m0", exchange.Request{Named: true}, "")
		if i < 4 {
			w.sight("m1", id)
		}
	}
	if q := w.account("m0").Quality; q.Known || q.Value != 0 || q.Judged != 4 || len(q.Parts) != 0 {
		t.Errorf("four judged objects: %+v", q)
	}
	id := w.give("m0", exchange.Request{Named: true}, "")
	w.sight("m1", id)
	q := w.account("m0").Quality
	if !q.Known || q.Judged != 5 || len(q.Parts) != 4 || q.Value < 1 {
		t.Errorf("five judged objects: %+v", q)
	}
	others := w.contributors("m3")
	if len(others) != 1 || others[0].Name != "Org m0" || !others[0].Quality.Known || others[0].You {
		t.Errorf("others read %+v", others)
	}
}

// TestScoreKnowsNoOrigin: the score is the same whatever the country and sector of the contributor and of what it shares
// (DESIGN 4.6).
func TestScoreKnowsNoOrigin(t *testing.T) {
	score := func(country, sector string) Score {
		w := newWorld(t, 6)
		ok(t, w.accounts.ChangeOrg(context.Background(), accounts.Local(), w.who["m0"].Org, accounts.NewOrg{Name: "Org m0", Country: country, Sector: sector}))
		for range 5 {
			id := w.give("m0", exchange.Request{Named: true}, "")
			w.sight("m1", id)
		}
		q := w.account("m0").Quality
		for _, p := range q.Parts {
			for i := range p.Behind {
				p.Behind[i].Community = "" // another world has another
			}
		}
		return q
	}
	want := score("NL", "energy")
	for _, c := range [][2]string{{"CN", "energy"}, {"RU", "education"}, {"US", "defense"}, {"", ""}} {
		if got := score(c[0], c[1]); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %d, want %d, or other parts", c, got.Value, want.Value)
		}
	}
	for _, forbidden := range []string{"country", "sector", "nation", "origin", "region", "language"} {
		text := strings.ToLower(string(qualityText))
		i := strings.Index(text, "\nversion")
		if strings.Contains(text[i:], forbidden) {
			t.Errorf("the rules speak of %q", forbidden)
		}
	}
}

// reached is a peer that acknowledges at once, late, or not at all.
type reached map[polder.Seq]time.Duration

func (r reached) ReachedAll(_ context.Context, _ polder.CommunityID, seq polder.Seq) (time.Time, bool, error) {
	d, ok := r[seq]
	return seq.Time().Add(d), ok, nil
}

// TestHealth: who gives, how much a week, how long it took, what became of it.
func TestHealth(t *testing.T) {
	w := newWorld(t, 12)
	ctx := context.Background()
	for i := range 6 {
		for range 6 - i {
			w.give(fmt.Sprintf("m%d", i), exchange.Request{}, "")
		}
	}
	w.give("m0", exchange.Request{}, `,"valid_until":"2026-11-20T00:00:00Z"`)
	q, err := w.x.Ask(ctx, w.who["m1"], exchange.Ask{Community: w.where.Alias, Question: "Who knows it?", Level: stix.Amber, Confirmed: true})
	question := w.did(q, err)
	_, err = w.x.Ask(ctx, w.who["m1"], exchange.Ask{Community: w.where.Alias, Question: "And this?", Level: stix.Amber, Confirmed: true})
	ok(t, err)
	w.did(w.x.MakeNote(ctx, w.who["m2"], exchange.Note{About: w.about(question), Text: "We do."}))
	h := w.health("m9")
	if h.Givers != (Part28{Says: "counted", Count: 6, Of: 12}) || h.Answerers.Says != "some" || h.Takers.Says != "none" {
		t.Errorf("givers %+v, answerers %+v, takers %+v", h.Givers, h.Answerers, h.Takers)
	}
	if len(h.Gives) != 2 || h.Gives[0].Members != 6 || h.Gives[0].Share != 1 || h.Gives[1].Share != 0 {
		t.Errorf("who gives: %+v", h.Gives)
	}
	if n := h.Weeks[len(h.Weeks)-1].Objects; n != 22 || h.Questions != (ShareOf{1, 2}) || h.Expired != (ShareOf{1, 22}) {
		t.Errorf("this week %d, questions %+v, expired %+v", n, h.Questions, h.Expired)
	}
	if h.ToShared.Of != 22 || h.ToShared.Seconds < 25*3600 || h.ToShared.Seconds > 26*3600 || h.ToLast != (Median{Of: 22}) {
		t.Errorf("first sight to shared %+v, to the last %+v", h.ToShared, h.ToLast)
	}
	page := w.account("m1")
	if page.Answers.Objects != 1 || page.Answers.Times != 1 || page.Objects != 5 {
		t.Errorf("answers: %+v", page)
	}
	peers := reached{}
	for i, seq := range w.sample(t) {
		if i%2 == 0 {
			peers[seq] = 40 * time.Millisecond
		}
	}
	w.Reaches(peers)
	if got := w.health("m9").ToLast; got.Of != 11 || got.Waiting != 11 || got.Seconds != 0.04 {
		t.Errorf("with peers: %+v", got)
	}
}

// sample are the numbers of everything that was given to all.
func (w *world) sample(t *testing.T) []polder.Seq {
	v, _, err := w.viewing(context.Background(), w.who["m9"], w.where.Alias)
	ok(t, err)
	f, err := w.figuresOf(context.Background(), v)
	ok(t, err)
	return slices.Clone(f.sample)
}
