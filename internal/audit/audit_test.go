package audit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const (
	acme, bolt, core polder.OrgID       = "identity--a", "identity--b", "identity--c"
	chips, valves    polder.CommunityID = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
)

func newLog(t testing.TB) (*Log, *db.DB) {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "node.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	l := New(d, time.Now)
	if err := l.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l, d
}

func add(t testing.TB, l *Log, entries ...Entry) {
	t.Helper()
	err := l.d.Write(context.Background(), func(tx *db.Tx) error {
		for _, e := range entries {
			if err := l.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sample(n int) (out []Entry) {
	for i := range n {
		out = append(out, Entry{Org: acme, Person: "p1", Action: "share", Community: chips, Object: fmt.Sprintf("report--%d", i),
			Detail: map[string]string{"tlp": "amber", "objects": "3", "a": "<&>"}})
	}
	return out
}

func TestViewOf(t *testing.T) {
	reader := polder.Actor{Org: acme, Role: polder.RoleReader}
	admin := polder.Actor{Org: acme, Role: polder.RoleAdmin}
	steward := polder.Actor{Org: acme, Role: polder.RoleSteward}
	share := Entry{Org: bolt, Action: "share", Community: chips, Object: "report--1"}
	with := func(e Entry, change func(*Entry)) Entry { change(&e); return e }
	own := with(share, func(e *Entry) { e.Org = acme })
	blind := with(share, func(e *Entry) { e.Blind = true })
	narrow := with(share, func(e *Entry) { e.Narrow = true })
	for _, c := range []struct {
		why     string
		viewer  polder.Actor
		steward []polder.CommunityID
		e       Entry
		want    View
	}{
		{"nobody reads nothing", polder.Actor{}, nil, Entry{Action: "node.start"}, Nothing},
		{"a role of none reads not even its own", polder.Actor{Org: bolt}, nil, share, Nothing},
		{"one's own organisation", reader, nil, own, All},
		{"one's own, blind", reader, nil, with(own, func(e *Entry) { e.Blind = true }), All},
		{"one's own, narrow", reader, nil, with(own, func(e *Entry) { e.Narrow = true }), All},
		{"another's", reader, nil, share, Nothing},
		{"a steward reads his community", steward, []polder.CommunityID{chips}, share, All},
		{"a steward of another community does not", steward, []polder.CommunityID{valves}, share, Nothing},
		{"a blind share is by a member", steward, []polder.CommunityID{chips}, blind, WithoutName},
		{"a steward does not learn of what he may not see", steward, []polder.CommunityID{chips}, narrow, Nothing},
		{"an admin reads no object of another", admin, nil, share, Nothing},
		{"an admin reads no object, not even of his own organisation (X8)", admin, nil, own, Nothing},
		{"an admin who is called steward reads no object", admin, []polder.CommunityID{chips}, share, Nothing},
		{"an admin reads what the node does", admin, nil, Entry{Action: "node.start"}, All},
		{"an admin reads accounts", admin, nil, Entry{Org: bolt, Action: "token.create", Object: "tok1"}, All},
		{"an admin reads memberships", admin, nil, Entry{Org: bolt, Action: "community.join", Community: chips}, All},
		{"an admin does not learn who is blind", admin, nil, Entry{Org: bolt, Action: "x", Community: chips, Blind: true}, WithoutName},
		{"a reader does not read accounts of others", reader, nil, Entry{Org: bolt, Action: "token.create", Object: "tok1"}, Nothing},
		{"a reader does not read the node's own", reader, nil, Entry{Action: "node.start"}, Nothing},
		{"the node itself is no organisation to belong to", polder.Actor{Role: polder.RoleReader}, nil, Entry{Action: "node.start"}, Nothing},
		{"no community is no community to be steward of", steward, []polder.CommunityID{""}, Entry{Org: bolt, Action: "x"}, Nothing},
	} {
		if got := ViewOf(c.viewer, c.steward, c.e); got != c.want {
			t.Errorf("%s: got %d, want %d", c.why, got, c.want)
		}
	}
}

func TestX20List(t *testing.T) {
	l, _ := newLog(t)
	add(t, l, Entry{Org: bolt, Person: "bob", Token: "tok", Action: "share", Community: chips, Object: "x--1", Blind: true})
	got, err := l.List(t.Context(), Filter{Viewer: polder.Actor{Org: acme, Role: polder.RoleSteward}, Communities: []polder.CommunityID{chips}})
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if r := got[0]; r.Org != "" || r.Person != "" || r.Token != "" || r.Hash != [32]byte{} || r.Object != "x--1" {
		t.Fatalf("the steward reads %+v", r)
	}
	got, err = l.List(t.Context(), Filter{Viewer: polder.Actor{Org: bolt, Role: polder.RoleReader}})
	if err != nil || len(got) != 1 || got[0].Person != "bob" {
		t.Fatalf("its own organisation reads %v, %v", got, err)
	}
}

// The query and the pure rule are one: over random entries, readers and filters both give the same page.
func TestListIsTheRule(t *testing.T) {
	l, _ := newLog(t)
	orgs := []polder.OrgID{"", acme, bolt, core}
	places := []polder.CommunityID{"", chips, valves}
	objects := []string{"", "x--1", "x--2"}
	actions := []string{"share", "token.create", "token.revoke", "tokens"}
	var all []Entry
	for _, o := range orgs {
		for _, c := range places {
			for _, x := range objects {
				for i, a := range actions {
					all = append(all, Entry{Org: o, Person: "p", Action: a, Community: c, Object: x, Blind: i%2 == 0, Narrow: i == 3})
				}
			}
		}
	}
	add(t, l, all...)
	matches := func(f Filter, e Entry) bool {
		byAction := f.Action == "" || e.Action == f.Action || f.Action == "token." && len(e.Action) > 6 && e.Action[:6] == "token."
		return byAction && (f.Object == "" || e.Object == f.Object)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := Filter{
			Viewer:      polder.Actor{Org: rapid.SampledFrom(orgs).Draw(t, "org"), Role: polder.Role(rapid.IntRange(0, 4).Draw(t, "role"))},
			Communities: rapid.SliceOfNDistinct(rapid.SampledFrom(places), 0, 3, rapid.ID).Draw(t, "steward"),
			Before:      rapid.Int64Range(0, int64(len(all))+2).Draw(t, "before"),
			Limit:       rapid.IntRange(0, 20).Draw(t, "limit"),
			Action:      rapid.SampledFrom([]string{"", "share", "token."}).Draw(t, "action"),
			Object:      rapid.SampledFrom(objects).Draw(t, "object"),
		}
		if rapid.Bool().Draw(t, "many") {
			for i := range 60 {
				f.Communities = append(f.Communities, polder.CommunityID(fmt.Sprint("none", i)))
			}
		}
		var want []string
		limit := f.Limit
		if limit == 0 {
			limit = 100
		}
		for n := len(all); n > 0 && len(want) < limit; n-- {
			e := all[n-1]
			v := ViewOf(f.Viewer, f.Communities, e)
			if v == Nothing || !matches(f, e) || f.Before > 0 && int64(n) >= f.Before {
				continue
			}
			want = append(want, fmt.Sprint(n, v == All && e.Org == "" || v == WithoutName))
		}
		got, err := l.List(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, r := range got {
			have = append(have, fmt.Sprint(r.N, r.Org == ""))
		}
		if fmt.Sprint(have) != fmt.Sprint(want) {
			t.Fatalf("%+v: got %v, want %v", f, have, want)
		}
	})
}

// S25: whatever is done to the table by hand, the first wrong entry is named.
func TestS25Verify(t *testing.T) {
	const size = 20
	hand := func(query string) func(*testing.T, *db.DB) {
		return func(t *testing.T, d *db.DB) {
			if err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(query); return err }); err != nil {
				t.Fatal(err)
			}
		}
	}
	swap := func(t *testing.T, d *db.DB) {
		hand(`UPDATE audit SET n = -1 WHERE n = 8`)(t, d)
		hand(`UPDATE audit SET n = 8 WHERE n = 9`)(t, d)
		hand(`UPDATE audit SET n = 9 WHERE n = -1`)(t, d)
	}
	for _, c := range []struct {
		name string
		do   func(*testing.T, *db.DB)
		want int64 // 0: nothing is wrong within
	}{
		{"untouched", func(*testing.T, *db.DB) {}, 0},
		{"time changed", hand(`UPDATE audit SET time = time + 1 WHERE n = 7`), 7},
		{"org changed", hand(`UPDATE audit SET org = 'identity--b' WHERE n = 7`), 7},
		{"person changed", hand(`UPDATE audit SET person = 'p2' WHERE n = 1`), 1},
		{"token changed", hand(`UPDATE audit SET token = 't' WHERE n = 7`), 7},
		{"action changed", hand(`UPDATE audit SET action = 'read' WHERE n = 20`), 20},
		{"community changed", hand(`UPDATE audit SET community = '' WHERE n = 7`), 7},
		{"object changed", hand(`UPDATE audit SET object = 'x' WHERE n = 7`), 7},
		{"detail changed", hand(`UPDATE audit SET detail = replace(detail, 'amber', 'green') WHERE n = 7`), 7},
		{"flags changed", hand(`UPDATE audit SET flags = 1 WHERE n = 7`), 7},
		{"salt changed", hand(`UPDATE audit SET salt = randomblob(16) WHERE n = 7`), 7},
		{"hash changed", hand(`UPDATE audit SET hash = randomblob(32) WHERE n = 7`), 7},
		{"hash cut", hand(`UPDATE audit SET hash = x'00' WHERE n = 7`), 7},
		{"text moved from one field to the next", hand(`UPDATE audit SET org = 'identity--', person = 'ap1' WHERE n = 7`), 7},
		{"first deleted", hand(`DELETE FROM audit WHERE n = 1`), 1},
		{"one deleted", hand(`DELETE FROM audit WHERE n = 7`), 7},
		{"several deleted", hand(`DELETE FROM audit WHERE n BETWEEN 7 AND 9`), 7},
		{"one inserted at the end", hand(`INSERT INTO audit SELECT 21, time, org, person, token, action, community, object, detail, flags, salt, hash FROM audit WHERE n = 20`), 21},
		{"one inserted before the first", hand(`INSERT INTO audit SELECT 0, time, org, person, token, action, community, object, detail, flags, salt, hash FROM audit WHERE n = 20`), 0 - 1},
		{"two swapped", swap, 8},
		{"last renumbered", hand(`UPDATE audit SET n = 30 WHERE n = 20`), 20},
		{"deleted and closed up", func(t *testing.T, d *db.DB) {
			hand(`DELETE FROM audit WHERE n = 20`)(t, d)
			hand(`DELETE FROM audit WHERE n = 7`)(t, d)
			hand(`UPDATE audit SET n = -n WHERE n > 7`)(t, d)
			hand(`UPDATE audit SET n = -n - 1 WHERE n < 0`)(t, d)
		}, 7},
		{"cut short", hand(`DELETE FROM audit WHERE n > 12`), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, d := newLog(t)
			add(t, l, sample(size)...)
			c.do(t, d)
			n, err := l.Verify(t.Context(), nil)
			var b *Broken
			switch {
			case c.want == 0 && err != nil:
				t.Fatalf("verify: %v", err)
			case c.want == -1:
				if !errors.As(err, &b) || b.N != 0 {
					t.Fatalf("verify: %d, %v; want entry 0 named", n, err)
				}
			case c.want != 0 && (!errors.As(err, &b) || b.N != c.want):
				t.Fatalf("verify: %d, %v; want entry %d named", n, err, c.want)
			}
		})
	}
}

func TestS25CutShort(t *testing.T) {
	l, d := newLog(t)
	add(t, l, sample(20)...)
	n, hash, err := l.Head(t.Context())
	if err != nil || n != 20 {
		t.Fatal(n, err)
	}
	add(t, l, sample(5)...)
	if err := l.Contains(t.Context(), n, hash); err != nil {
		t.Fatalf("a log that grew: %v", err)
	}
	if err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM audit WHERE n > 12`); return err }); err != nil {
		t.Fatal(err)
	}
	var b *Broken
	if err := l.Contains(t.Context(), n, hash); !errors.As(err, &b) || b.N != 13 {
		t.Fatalf("a log cut short: %v", err)
	}
	add(t, l, sample(20)...) // written on from the cut: whole within, but another
	if _, err := l.Verify(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Contains(t.Context(), n, hash); !errors.As(err, &b) || b.N != n {
		t.Fatalf("a log written anew: %v", err)
	}
}

func TestVerifyReportsProgressOverChunks(t *testing.T) {
	l, _ := newLog(t)
	add(t, l, sample(2*chunk+3)...)
	var seen []int64
	n, err := l.Verify(t.Context(), func(n int64) { seen = append(seen, n) })
	if err != nil || n != 2*chunk+3 || len(seen) < 3 || seen[0] != chunk || seen[len(seen)-1] != n {
		t.Fatalf("%d, %v, progress %v", n, err, seen)
	}
}

func TestAppendIsUndoneWithItsAction(t *testing.T) {
	l, d := newLog(t)
	boom := errors.New("boom")
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		if err := l.Append(tx, Entry{Action: "a"}); err != nil {
			return err
		}
		return boom
	})
	if err != boom {
		t.Fatal(err)
	}
	add(t, l, Entry{Action: "b"})
	if n, err := l.Verify(t.Context(), nil); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return l.Append(tx, Entry{}) }); err == nil {
		t.Fatal("an entry without an action was taken")
	}
}

// The format is fixed: entries written by one version are verified by the next.
func TestHashIsStable(t *testing.T) {
	r, err := rowOf(7, time.UnixMicro(1_700_000_000_000_001), Entry{Org: acme, Person: "p", Token: "t", Action: "share",
		Community: chips, Object: "o", Detail: map[string]string{"b": "2", "a": "1"}, Blind: true}, make([]byte, saltSize))
	if err != nil {
		t.Fatal(err)
	}
	const want = "39894d8705dbfded25553ac57f2b6d1f3c330c9c154314f2343d94b862a678c1" // computed apart, from the package comment
	if got := fmt.Sprintf("%x", r.sum([32]byte{1})); got != want {
		t.Fatalf("hash %s, want %s", got, want)
	}
	if r.detail != `{"a":"1","b":"2"}` {
		t.Fatalf("detail %s", r.detail)
	}
}

func BenchmarkAppend(b *testing.B) {
	l, d := newLog(b)
	e := sample(1)[0]
	b.ReportAllocs()
	// Within one transaction, so that the fsync does not hide the cost.
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		for b.Loop() {
			if err := l.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
