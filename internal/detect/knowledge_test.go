package detect

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

func good(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// knowing is a knowledge of one file.
func knowing(t testing.TB, gate *indicator.Gate, text, name string) *Knowledge {
	t.Helper()
	k := NewKnowledge(gate)
	if _, err := k.LoadFile(strings.NewReader(text), indicator.LoadOptions{Name: name}); err != nil {
		t.Fatal(err)
	}
	return k
}

// hitsOn are the hits on one event of JSON: entry, level, gate.
func hitsOn(t testing.TB, k *Knowledge, text string) (out []string) {
	t.Helper()
	eventsOf(t, text+"\n", "x.json", "json", func(ev *event.Event) {
		for _, h := range k.Match(ev) {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", h.Entry, h.Level, h.Gate)))
		}
	})
	slices.Sort(out)
	return out
}

// sharedIndicator is an indicator object, with further members.
func sharedIndicator(n, version int, pattern, more string) string {
	return fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:%02d.000Z","name":"Name %d.%d","pattern":%q,"pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s}`,
		n, version, n, version, pattern, more)
}

func TestKnowledgeMatch(t *testing.T) {
	gate := indicator.NewGate()
	gate.AddBuiltin()
	k := knowing(t, gate, "evil.net;85\n45.1.1.1;10\n45.2.0.0/16\n8.8.8.8\nwindowsupdate.com\n192.168.0.4\n"+strings.Repeat("ab", 32)+";Some Malware\nEVIL.net;85\n", "list.txt")
	for _, c := range []struct {
		text string
		want []string
		why  string
	}{
		{`{"query":"www.evil.net"}`, []string{"evil.net high"}, "a name below it; 85 raises medium; that the list names it twice is no second hit"},
		{`{"query":"evil.net","url":"http://evil.net/x"}`, []string{"evil.net high"}, "the same value twice in one event is one hit"},
		{`{"src_ip":"45.1.1.1"}`, []string{"45.1.1.1 low"}, "10 lowers medium"},
		{`{"src_ip":"45.2.3.4"}`, []string{"45.2.0.0/16 low"}, "a network means little"},
		{`{"src_ip":"8.8.8.8"}`, []string{"8.8.8.8 medium " + indicator.ListResolvers}, "a resolver is gated, and says so"},
		{`{"query":"x.windowsupdate.com"}`, []string{"windowsupdate.com medium " + indicator.ListUpdates}, "the entry is gated"},
		{`{"Hashes":"SHA256=` + strings.Repeat("AB", 32) + `"}`, []string{strings.Repeat("ab", 32) + " high"}, "a hash is high"},
		{`{"src_ip":"192.168.0.4"}`, []string{"192.168.0.4 medium"}, "who lists a private address means that machine"},
		{`{"src_ip":"45.3.3.3","query":"good.org"}`, nil, "nothing"},
	} {
		if got := hitsOn(t, k, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q: %s", c.text, got, c.want, c.why)
		}
	}
	eventsOf(t, `{"x":"`+strings.Repeat("ab", 32)+`"}`+"\n", "x.json", "json", func(ev *event.Event) {
		h := k.Match(ev)
		if len(h) != 1 || h[0].ID != "list.txt:7" || h[0].Title != "Some Malware" || h[0].Field.String() != "x" || !strings.Contains(h[0].Why, "one file") || h[0].Origin.List != "list.txt" {
			t.Errorf("%+v", h)
		}
	})
}

// TestKnowledgeObjects: what an object says of validity, marking and confidence counts, and travels with the hit.
func TestKnowledgeObjects(t *testing.T) {
	text := sharedIndicator(1, 1, "[domain-name:value = 'evil.net']", `,"valid_until":"2026-02-01T00:00:00Z","confidence":85,"object_marking_refs":["`+stix.Amber.ID()+`","`+stix.PAPRed.ID()+`"]`) + "\n" +
		sharedIndicator(2, 1, "[file:name = 'a.exe' AND file:size > 5]", "") + "\n" +
		sharedIndicator(3, 1, "[domain-name:value = 'gone.net']", `,"revoked":true`) + "\n" +
		sharedIndicator(4, 1, "[domain-name:value = 'old.net']", "") + "\n" + sharedIndicator(4, 2, "[domain-name:value = 'new.net']", "") + "\n" +
		sharedIndicator(5, 1, "[file:name = 'b.exe' AND file:size > 5]", "") + "\n" + sharedIndicator(5, 2, "[file:name = 'b.exe' AND file:size > 5]", `,"revoked":true`) + "\n"
	text = strings.Replace(text, `"valid_from":"2026-01-01T00:00:00Z"`, `"valid_from":"2026-01-01T00:00:30Z"`, 1) // not the time of its making
	k := knowing(t, nil, text, "bundle.json")
	at := func(when, name string) string {
		return fmt.Sprintf(`{"@timestamp":"%s","query":"%s"}`, when, name)
	}
	for text, want := range map[string]int{
		at("2026-01-15T00:00:00Z", "evil.net"): 1, at("2025-12-31T23:59:59Z", "evil.net"): 0, at("2026-02-01T00:00:00Z", "evil.net"): 0, `{"query":"evil.net"}`: 1,
		at("2026-01-15T00:00:00Z", "gone.net"): 0, at("2026-01-15T00:00:00Z", "old.net"): 0, at("2026-01-15T00:00:00Z", "new.net"): 1,
	} {
		if got := hitsOn(t, k, text); len(got) != want {
			t.Errorf("%s: %q, want %d hits", text, got, want)
		}
	}
	eventsOf(t, at("2026-01-15T00:00:00Z", "evil.net")+"\n", "x.json", "json", func(ev *event.Event) {
		want := Origin{Object: "indicator--00000000-0000-4000-8000-000000000001", Level: stix.Amber, PAP: stix.PAPRed, List: "bundle.json"}
		h := k.Match(ev)[0]
		if got := h.Origin; got.Object != want.Object || got.Level != want.Level || got.PAP != want.PAP || got.List != want.List || h.ID != want.Object || h.Title != "Name 1.1" || h.Confidence != 85 {
			t.Errorf("%+v, want the origin %+v", h, want)
		}
	})
	patterns, version := k.Patterns()
	if len(patterns) != 1 || patterns[0].ID != "indicator--00000000-0000-4000-8000-000000000002" || version == 0 {
		t.Errorf("patterns %+v", patterns)
	}
}

func TestKnowledgeMISP(t *testing.T) {
	text := `{"Event":{"uuid":"11111111-1111-4111-8111-111111111111","info":"x","date":"2026-01-01","timestamp":"1767225600","Attribute":[
		{"uuid":"21111111-1111-4111-8111-111111111111","type":"domain","category":"Network activity","to_ids":true,"value":"evil.net","timestamp":"1767225600"},
		{"uuid":"31111111-1111-4111-8111-111111111111","type":"ip-dst","category":"Network activity","to_ids":false,"value":"45.1.1.1","timestamp":"1767225600"},
		{"uuid":"41111111-1111-4111-8111-111111111111","type":"filename|md5","category":"Payload delivery","to_ids":true,"value":"a.exe|` + strings.Repeat("ab", 16) + `","timestamp":"1767225600"}]}}`
	k := knowing(t, nil, text, "event.json")
	if got := hitsOn(t, k, `{"query":"a.evil.net","src_ip":"45.1.1.1"}`); !slices.Equal(got, []string{"evil.net medium"}) {
		t.Errorf("%q: what is not for detection is no indicator", got)
	}
	if patterns, _ := k.Patterns(); len(patterns) != 1 {
		t.Errorf("%d patterns, want the one of name and hash together", len(patterns))
	}
	if _, err := k.LoadFile(strings.NewReader("a.com\n45.1.0.0/16\n"), indicator.LoadOptions{Name: "b.txt"}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(k.Sources()); !strings.HasPrefix(got, "[{b.txt 2 ") || !strings.Contains(got, "{event.json 2 ") {
		t.Errorf("sources %s, want two of each", got)
	}
}

func TestKnowledgePaths(t *testing.T) {
	k := knowing(t, nil, "\\\\evil\\.exe$;80\n\\\\x\\.dll;20;\\\\Good\\\\\n", "filename-iocs.txt")
	for text, want := range map[string]string{`{"Image":"C:\\a\\evil.exe"}`: `[\\evil\.exe$ medium]`, `{"Image":"C:\\Bad\\x.dll"}`: `[\\x\.dll informational]`, `{"Image":"C:\\Good\\x.dll"}`: "[]", `{"y":"C:\\a\\evil.exe"}`: "[]"} {
		if got := fmt.Sprint(hitsOn(t, k, text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

const ring, square = polder.CommunityID("8c39ae5c-0a8a-4c0a-9a58-2c0d3a1f8f11"), polder.CommunityID("8c39ae5c-0a8a-4c0a-9a58-2c0d3a1f8f12")

// shelf is a journal with a follower of what organisation "own" may see.
type shelf struct {
	t        *testing.T
	db       *db.DB
	journal  *journal.Journal
	k        *Knowledge
	follower *Follower
	in       []polder.CommunityID
	told     []string
}

func newShelf(t *testing.T) *shelf {
	ctx := context.Background()
	d, err := db.Open(ctx, filepath.Join(t.TempDir(), "polder.db"), db.Options{})
	good(t, err)
	t.Cleanup(func() { d.Close() })
	good(t, journal.Migrate(ctx, d))
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	j, err := journal.Open(ctx, d, journal.Options{Now: func() time.Time { return now }, Step: func() int64 { return 1 }})
	good(t, err)
	t.Cleanup(func() { j.Close() })
	s := &shelf{t: t, db: d, journal: j, k: NewKnowledge(nil), in: []polder.CommunityID{ring}}
	s.follower = s.follow(s.k)
	s.follower.New = func(values []indicator.Known, patterns []*KnownPattern) {
		for _, v := range values {
			s.told = append(s.told, v.Value)
		}
	}
	return s
}

func (s *shelf) follow(k *Knowledge) *Follower {
	return NewFollower(k, s.journal, func(context.Context) ([]polder.Sight, map[polder.CommunityID]string, error) {
		return []polder.Sight{{Org: "own", Communities: s.in}}, map[polder.CommunityID]string{ring: "ring", square: "square"}, nil
	}, nil)
}

// share appends a version to an audience and makes it the last of its line.
func (s *shelf) share(c polder.CommunityID, n, version int, pattern string, to polder.Audience, more string) journal.Delivery {
	s.t.Helper()
	raw := sharedIndicator(n, version, pattern, more)
	o, err := stix.Parse([]byte(raw))
	good(s.t, err)
	d := journal.Delivery{Community: c, ID: o.ID, Version: o.Version(), Sharer: "a", Custodian: "a", Level: stix.Green, Nominal: to, Reached: to, Last: to, Raw: []byte(raw), Revoked: o.Revoked}
	good(s.t, s.db.Write(context.Background(), func(tx *db.Tx) error {
		held, err := s.journal.History(tx, c, []string{o.ID})
		if err != nil {
			return err
		}
		for _, old := range held[o.ID] {
			d.Line = old.Line
			if err := s.journal.SetLast(tx, c, old.Seq, old.Last.Minus(to)); err != nil {
				return err
			}
		}
		out, err := s.journal.Append(tx, []journal.Delivery{d})
		if err == nil {
			d = out[0]
		}
		return err
	}))
	return d
}

func (s *shelf) withdraw(d journal.Delivery, erase bool) {
	s.t.Helper()
	good(s.t, s.db.Write(context.Background(), func(tx *db.Tx) error {
		out, err := s.journal.Append(tx, []journal.Delivery{{Kind: journal.Withdrawn, Community: d.Community, Line: d.Line, ID: d.ID, Version: d.Version, Sharer: "a", Custodian: "a", Level: d.Level, Nominal: d.Nominal, Reached: d.Reached}})
		if err != nil {
			return err
		}
		if err := s.journal.Remove(tx, []polder.Seq{d.Seq}, out[0].Seq); err != nil || !erase {
			return err
		}
		return s.journal.Erase(tx, []polder.Seq{d.Seq})
	}))
}

// known checks which names hit after everything was taken in, and that a knowledge that starts anew knows the same.
func (s *shelf) known(why string, want ...string) {
	s.t.Helper()
	good(s.t, s.follower.Sync(context.Background()))
	anew := NewKnowledge(nil)
	good(s.t, s.follow(anew).Sync(context.Background()))
	for what, k := range map[string]*Knowledge{"follower": s.k, "one that starts anew": anew} {
		var got []string
		for _, name := range []string{"a.net", "b.net", "c.net", "d.net"} {
			got = append(got, hitsOn(s.t, k, fmt.Sprintf(`{"query":%q}`, name))...)
		}
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], " ")
		}
		if !slices.Equal(got, want) {
			s.t.Errorf("%s: the %s knows %q, want %q", why, what, got, want)
		}
	}
}

func is(name string) string { return "[domain-name:value = '" + name + "']" }

// TestFollower: the table holds at each moment what policy lets the own organisation use.
func TestFollower(t *testing.T) {
	s := newShelf(t)
	everyone := polder.Everyone()
	s.share(ring, 1, 1, is("a.net"), everyone, "")
	s.known("what stood before the start", "a.net")
	if len(s.told) != 0 {
		t.Errorf("told %q as new, which stood before the start", s.told)
	}
	b := s.share(ring, 2, 1, is("b.net"), everyone, "")
	s.share(ring, 3, 1, is("c.net"), polder.Only("other"), "")
	s.share(square, 4, 1, is("d.net"), everyone, "")
	s.known("not what is for others, nor what is in communities of others", "a.net", "b.net")
	if !slices.Equal(s.told, []string{"b.net"}) {
		t.Errorf("told %q as new, want b.net", s.told)
	}
	s.share(ring, 1, 2, is("c.net"), everyone, "")
	s.known("a new version replaces the old one", "b.net", "c.net")
	s.withdraw(b, false)
	s.known("what was withdrawn is gone", "c.net")
	b = s.share(ring, 2, 3, is("b.net"), everyone, "")
	s.known("and may come again", "b.net", "c.net")
	s.withdraw(b, true)
	s.known("what was erased is gone", "c.net")
	s.share(ring, 1, 4, is("c.net"), everyone, `,"revoked":true`)
	s.known("what was revoked is gone")
	s.in = []polder.CommunityID{ring, square}
	s.known("who joins sees the history", "d.net")
	s.in = nil
	s.known("who leaves sees nothing any more")
	if s.k.Table.Len() != 0 {
		for s.k.Table.Sweep(64) {
		}
		if n := s.k.Table.Len(); n != 0 {
			t.Errorf("%d values are left of communities that were left", n)
		}
	}
}

// TestFollowerSince: what came while nobody followed is told once, as soon as somebody listens, as far as it is in force.
func TestFollowerSince(t *testing.T) {
	s := newShelf(t)
	two := "[file:name = 'a.exe' AND file:size > 5]"
	before := s.share(ring, 1, 1, is("a.net"), polder.Everyone(), "")
	s.share(ring, 2, 1, is("b.net"), polder.Everyone(), "")
	s.share(ring, 3, 1, is("c.net"), polder.Only("other"), "")
	s.share(ring, 4, 1, is("d.net"), polder.Everyone(), `,"revoked":true`)
	s.share(ring, 5, 1, two, polder.Everyone(), "")
	f := s.follow(s.k)
	f.Since = before.Seq
	good(t, f.Sync(t.Context()))
	var told []string
	f.New = func(values []indicator.Known, patterns []*KnownPattern) {
		for _, v := range values {
			told = append(told, v.Value)
		}
		for _, p := range patterns {
			told = append(told, p.Title)
		}
	}
	for range 2 {
		good(t, f.Sync(t.Context()))
	}
	if want := []string{"b.net", "Name 5.1"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// TestFollowerValidFrom: a valid_from that only says when the object was made keeps nothing out; any other does.
func TestFollowerValidFrom(t *testing.T) {
	f := newShelf(t).follower
	for _, c := range []struct{ why, from, want string }{
		{"made by a form: from now on, which means nothing", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
		{"as of the last version", "2026-01-01T00:00:07Z", "0001-01-01T00:00:00Z"},
		{"before it was made", "2025-11-01T00:00:00Z", "2025-11-01T00:00:00Z"},
		{"after it was made", "2026-01-01T00:00:08Z", "2026-01-01T00:00:08Z"},
	} {
		raw := strings.Replace(sharedIndicator(1, 7, is("a.net"), ""), `"valid_from":"2026-01-01T00:00:00Z"`, `"valid_from":"`+c.from+`"`, 1)
		o, err := stix.Parse([]byte(raw))
		good(t, err)
		item, _, _, ok := readDelivery(f, journal.Delivery{Kind: journal.Object, ID: o.ID, Raw: []byte(raw)})
		if got := item.ValidFrom.UTC().Format(time.RFC3339); !ok || got != c.want {
			t.Errorf("%s: valid from %s, want %s", c.why, got, c.want)
		}
	}
}

// TestFollowerPatterns: patterns over several values come, change and go with their objects.
func TestFollowerPatterns(t *testing.T) {
	s := newShelf(t)
	two := "[file:name = 'a.exe' AND file:size > 5]"
	count := func() int { p, _ := s.k.Patterns(); return len(p) }
	d := s.share(ring, 1, 1, two, polder.Everyone(), `,"object_marking_refs":["`+stix.PAPAmber.ID()+`"]`)
	s.known("a pattern is no value")
	patterns, before := s.k.Patterns()
	if len(patterns) != 1 || patterns[0].Origin.Community != "ring" || patterns[0].Origin.PAP != stix.PAPAmber || patterns[0].Origin.Level != stix.Green {
		t.Fatalf("%+v", patterns)
	}
	s.withdraw(d, false)
	s.known("withdrawn")
	if count() != 0 || s.k.PatternsVersion() == before {
		t.Error("the pattern stayed")
	}
	s.share(ring, 2, 1, two, polder.Everyone(), "")
	s.share(ring, 2, 2, is("a.net"), polder.Everyone(), "")
	s.known("a pattern that became a value", "a.net")
	if count() != 0 {
		t.Error("the pattern of the older version stayed")
	}
}

// TestFollowerConfirm: a hit is looked up once more before somebody is told what it rests on.
func TestFollowerConfirm(t *testing.T) {
	s := newShelf(t)
	d := s.share(ring, 1, 1, is("a.net"), polder.Everyone(), "")
	s.known("shared", "a.net")
	var h Hit
	eventsOf(t, `{"query":"a.net"}`+"\n", "x.json", "json", func(ev *event.Event) { h = s.k.Match(ev)[0] })
	if h.Origin.Community != "ring" || h.Origin.Object != d.ID || h.Title != "Name 1.1" {
		t.Errorf("%+v", h)
	}
	if o, err := s.follower.Confirm(context.Background(), &h); err != nil || o.Name != "Name 1.1" {
		t.Errorf("%v, %v", o.Name, err)
	}
	s.withdraw(d, false)
	if _, err := s.follower.Confirm(context.Background(), &h); err != ErrGone {
		t.Errorf("%v, want ErrGone", err)
	}
}

// TestFollowerRuns: a shared indicator is in force soon after, without anybody asking.
func TestFollowerRuns(t *testing.T) {
	s := newShelf(t)
	ctx, cancel := context.WithCancel(context.Background())
	done, arrived := make(chan struct{}), make(chan struct{})
	s.known("empty")
	s.follower.New = func([]indicator.Known, []*KnownPattern) { close(arrived) }
	go func() { defer close(done); s.follower.Run(ctx) }()
	s.share(ring, 1, 1, is("a.net"), polder.Everyone(), "")
	select {
	case <-arrived:
	case <-time.After(20 * time.Second):
		t.Error("it did not arrive")
	}
	cancel()
	<-done
}

// TestSeverity: each step up or down is told in words.
func TestSeverity(t *testing.T) {
	for _, c := range []struct {
		kind       indicator.Kind
		confidence uint8
		want       Level
		words      string
	}{
		{indicator.SHA256, 90, Critical, "raises"}, {indicator.SHA256, indicator.NoConfidence, High, "no confidence is stated"}, {indicator.IPv4, 50, Medium, "is 50"},
		{indicator.CIDR, 5, Informational, "only 5"}, {indicator.UserAgent, 0, Informational, "only 0"}, {"", 80, High, "more than one value"},
	} {
		if level, why := severity(c.kind, c.confidence); level != c.want || !strings.Contains(why, c.words) {
			t.Errorf("%s at %d: %s because %s; want %s, %q", c.kind, c.confidence, level, why, c.want, c.words)
		}
	}
}
