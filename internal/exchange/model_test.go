package exchange

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/internal/policy/sightmodel"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

var netipLoopback = netip.MustParseAddr("127.0.0.1")

// follower is a reader that has followed the stream from the start and keeps what it was told.
type follower struct {
	cursor polder.Seq
	has    map[sightmodel.Key]bool
}

// TestSightModelEverywhere (X6–X18): after every share, widening and withdrawal, page, stream, TAXII, search and export
// give each reader exactly what the model says.
func TestSightModelEverywhere(t *testing.T) {
	fewer(t)
	w := newWorld(t)
	names := []string{"a", "b", "c", "d"}
	actors := map[string]polder.Actor{}
	for _, n := range names {
		actors[n] = w.as(n, polder.RoleContributor)
	}
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := sightmodel.New(w.orgs["a"].ID, w.orgs["b"].ID, w.orgs["c"].ID, w.orgs["d"].ID, "identity--whoever-joins-later")
		id := fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", run)
		followers := map[string]*follower{}
		for _, n := range names {
			followers[n] = &follower{cursor: w.journal.Top(), has: map[sightmodel.Key]bool{}}
		}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			by := rapid.SampledFrom(names).Draw(rt, "by")
			v := rapid.IntRange(1, 3).Draw(rt, "version")
			if rapid.IntRange(0, 3).Draw(rt, "kind") == 0 {
				withdrawBoth(rt, w, m, actors[by], id, v, rapid.Bool().Draw(rt, "one"))
			} else {
				shareBoth(rt, w, m, actors[by], run, v)
			}
			for _, n := range names {
				agree(rt, w, m, actors[n], id, followers[n])
			}
		}
	})
}

// fewer lets rapid try fewer cases in a short run: each step here writes to the disk.
func fewer(t *testing.T) {
	if testing.Short() {
		ok(t, flag.Set("rapid.checks", "15"))
	}
}

func withdrawBoth(t *rapid.T, w *world, m *sightmodel.Model, a polder.Actor, id string, v int, one bool) {
	wd := Withdrawal{Community: w.where.Alias, ID: id}
	var versions []string
	if one {
		text := fmt.Sprintf("2026-01-01T00:00:%02d.000", v)
		wd.Versions.Exact, versions = []string{text}, []string{text}
	}
	want := m.Withdraw(a.Org, false, id, versions...)
	_, err := w.Withdraw(context.Background(), a, wd)
	if (err == nil) != want {
		t.Fatalf("withdraw by %s: %v; the model says %v", a.Org, err, want)
	}
}

func shareBoth(t *rapid.T, w *world, m *sightmodel.Model, a polder.Actor, run, v int) {
	var to []polder.OrgID
	for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 2, rapid.ID[string]).Draw(t, "to") {
		to = append(to, w.orgs[n].ID)
	}
	level := rapid.SampledFrom([]stix.Marking{stix.None, stix.Amber, stix.Red}).Draw(t, "level") // narrows the object's GREEN
	content := rapid.SampledFrom([]string{"p", "p", "p", "q"}).Draw(t, "content")
	extra := ""
	if rapid.IntRange(0, 9).Draw(t, "revoked") == 0 {
		extra = `,"revoked":true`
	}
	id := fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", run)
	got, err := w.Share(context.Background(), a, Request{Community: w.where.Alias, Objects: one(someIndicator(run, v, content, stix.Green, extra)), Level: level, To: to})
	if err != nil {
		t.Fatal(err)
	}
	eff := max(level, stix.Green)
	want := m.Share(a.Org, id, fmt.Sprintf("2026-01-01T00:00:%02d.000", v), content+extra, extra != "", policy.Nominal(a.Org, to, eff), eff)
	have := sightmodel.Stored
	switch {
	case len(got.Refused) > 0:
		have = sightmodel.Refused
	case got.Duplicates > 0:
		have = sightmodel.Duplicate
	}
	if have != want {
		t.Fatalf("share %d by %s to %v at %v: %+v; the model says %v", v, a.Org, to, level, got, want)
	}
}

// agree compares every way out with the model, for one reader.
func agree(t *rapid.T, w *world, m *sightmodel.Model, a polder.Actor, id string, f *follower) {
	ctx := context.Background()
	sight, err := w.Sight(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	want := m.Sees(a.Org)
	page, err := w.journal.Page(ctx, sight, journal.Query{IDs: []string{id}, All: true, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	got := map[sightmodel.Key]stix.Marking{}
	for _, d := range page.Deliveries {
		k := sightmodel.Key{ID: d.ID, Version: d.Version}
		if _, twice := got[k]; twice {
			t.Fatalf("page: %v twice", k)
		}
		got[k] = d.Level
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("page for %s: %v; the model says %v", a.Org, got, want)
	}
	agreeLast(t, w, m, a, id)
	agreeSearch(t, w, m, a, id)
	f.read(t, w, sight, id)
	keys := map[sightmodel.Key]bool{}
	for k := range want {
		keys[k] = true
	}
	if fmt.Sprint(f.has) != fmt.Sprint(keys) {
		t.Fatalf("stream for %s: %v; the model says %v", a.Org, f.has, keys)
	}
}

func agreeLast(t *rapid.T, w *world, m *sightmodel.Model, a polder.Actor, id string) {
	want, sees := m.Last(a.Org)[id]
	page, err := TAXII{w.Service}.Records(context.Background(), Subject(a), string(w.where.ID), taxii.Query{Limit: 10, Bodies: true, Object: id, Versions: taxii.VersionFilter{Last: true}})
	if !sees {
		if err == nil {
			t.Fatalf("TAXII tells %s of an object that it may not see", a.Org)
		}
		return
	}
	if err != nil || len(page.Records) != 1 || page.Records[0].Version != want+"Z" {
		t.Fatalf("last for %s: %+v %v; the model says %s", a.Org, page, err, want)
	}
}

// agreeSearch: by id, by value and by name, a search gives the last version that the reader may see and no other.
func agreeSearch(t *rapid.T, w *world, m *sightmodel.Model, a polder.Actor, id string) {
	want, sees := m.Last(a.Org)[id]
	var n int
	if _, err := fmt.Sscanf(id[len(id)-12:], "%d", &n); err != nil {
		t.Fatal(err)
	}
	for text, all := range map[string]bool{id: true, fmt.Sprintf("x%d.example", n): true, "p": false, "q": false} {
		found, err := w.Search(context.Background(), a, SearchQuery{Text: text, Limit: MaxFound})
		if err != nil {
			t.Fatal(err)
		}
		hits := 0
		for _, d := range found.Deliveries {
			if d.ID != id {
				continue
			}
			hits++
			if !sees || d.Version != want {
				t.Fatalf("search %q for %s: version %s; the model says %q", text, a.Org, d.Version, want)
			}
		}
		if hits > 1 || sees && all && hits != 1 {
			t.Fatalf("search %q for %s: %d hits; the model says %q", text, a.Org, hits, want)
		}
	}
}

// read follows on from the reader's cursor, as the stream does.
func (f *follower) read(t *rapid.T, w *world, sight polder.Sight, id string) {
	for f.cursor < w.journal.Top() {
		batch, next, err := w.journal.Follow(context.Background(), sight, f.cursor, 256, nil, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range batch {
			k := sightmodel.Key{ID: d.ID, Version: d.Version}
			if d.ID != id {
				t.Fatalf("stream: %s is of another run", d.ID)
			}
			switch {
			case d.Kind == journal.Withdrawn:
				delete(f.has, k)
			case f.has[k]:
				t.Fatalf("stream: %v twice", k)
			default:
				f.has[k] = true
			}
		}
		f.cursor = next
	}
}

// TestStreamDataIsOneLine: whatever white space an object came with, its event is one line of the same JSON.
func TestStreamDataIsOneLine(t *testing.T) {
	d := journal.Delivery{Seq: 7, ID: "indicator--00000000-0000-4000-8000-000000000001", Level: stix.Amber, Raw: []byte("{\n \"a\": \"b\\n\"\r\n}\n")}
	data, err := streamData(d, "ring")
	ok(t, err)
	if slices.Contains(data, '\n') || slices.Contains(data, '\r') || !json.Valid(data) {
		t.Fatalf("got %s", data)
	}
}
