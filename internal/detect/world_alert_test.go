package detect

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

type orgID = polder.OrgID

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// alertWorld is a service over a database, with an exchange that is made up.
type alertWorld struct {
	*Service
	t        testing.TB
	mu       sync.Mutex
	now      time.Time
	db       *db.DB
	audit    *audit.Log
	accounts *accounts.Service
	dir      string
	exchange *fakeExchange
}

// here and there are two organisations of the node.
const (
	here  orgID = "identity--11111111-1111-4111-8111-111111111111"
	there orgID = "identity--22222222-2222-4222-8222-222222222222"
)

func newAlertWorld(t testing.TB) *alertWorld {
	t.Helper()
	w := &alertWorld{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), dir: t.TempDir(), exchange: &fakeExchange{objects: map[string]Object{}, shared: map[string]Sighting{}}}
	clock := func() time.Time { return w.pass(0) }
	d, err := db.Open(t.Context(), filepath.Join(w.dir, "polder.db"), db.Options{})
	noErr(t, err)
	t.Cleanup(func() { d.Close() })
	w.db, w.audit = d, audit.New(d, clock)
	w.accounts = accounts.New(d, w.audit, accounts.Options{Now: clock, Password: accounts.PasswordCost{MemoryKiB: 64, Passes: 1, Lanes: 1}})
	noErr(t, w.audit.Migrate(t.Context()))
	noErr(t, w.accounts.Migrate(t.Context()))
	noErr(t, Migrate(t.Context(), d))
	w.Service = NewService(ServiceOptions{DB: d, Audit: w.audit, Now: clock, Objects: w.exchange, Release: w.exchange})
	return w
}

// pass lets time pass, and says what time it is then.
func (w *alertWorld) pass(d time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return w.now
}

func (w *alertWorld) as(org orgID, role polder.Role) polder.Actor {
	return polder.Actor{Org: org, Person: "p-" + polder.PersonID(role.String()), Name: "Sanne de Wit", Role: role}
}

func (w *alertWorld) reader(org orgID) polder.Actor { return w.as(org, polder.RoleReader) }

// record keeps findings of here, and gives the one group that they are in.
func (w *alertWorld) record(all ...Finding) Group {
	w.t.Helper()
	_, err := w.Record(w.t.Context(), here, all)
	noErr(w.t, err)
	g, err := readGroupOf(w.t.Context(), w.db, alertID(here, all[0]))
	noErr(w.t, err)
	return g
}

func readGroupOf(ctx context.Context, d *db.DB, alert string) (Group, error) {
	return scanGroup(d.Read().QueryRowContext(ctx, selectGroup+`WHERE n = (SELECT grp FROM alert WHERE id = ?)`, alert))
}

// found is a finding of a rule.
func (w *alertWorld) found(n int) Finding {
	return Finding{Kind: ByRule, ID: "6d1f8f1e-0000-4000-8000-000000000001", Title: "Archive made before upload", Level: High, Why: "the rule's own", File: "sysmon.json", Event: n, Time: w.pass(0).Add(-time.Hour),
		Evidence: []Evidence{{"Image", `C:\Tools\7z.exe`}, {"CommandLine", fmt.Sprintf("7z a -p out%d.7z designs", n)}}, Events: [][]byte{fmt.Appendf(nil, `{"EventID":1,"n":%d}`, n)},
		Host: "WS-041", Account: `MERIDIAAN\s.dewit`, Origin: Origin{Author: "A. Author", License: "DRL 1.1", References: []string{"https://rules.example/1"}, Tags: []string{"attack.t1560.001"}}}
}

// hit is a finding of a shared indicator, which the exchange holds.
func (w *alertWorld) hit(n int) Finding {
	id := fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n)
	w.exchange.put(Object{Ref: Ref{"chip", id}, Type: "indicator", Title: "firmware-klepwerk.example", Href: "/objects/" + id, CommunityName: "Chip supply chain", By: "A member", Level: stix.Amber, PAP: stix.PAPRed, Confidence: 82})
	return Finding{Kind: ByIndicator, ID: id, Title: "firmware-klepwerk.example", Level: High, Why: "the indicator's confidence is 82", File: "dns.log", Event: n, Time: w.pass(0).Add(-30 * time.Minute),
		Evidence: []Evidence{{"query", "firmware-klepwerk.example"}}, Events: [][]byte{fmt.Appendf(nil, `{"query":"firmware-klepwerk.example","n":%d}`, n)},
		Host: "10.41.7.114", Origin: Origin{Object: id, Community: "chip", Level: stix.Amber, PAP: stix.PAPRed}}
}

// fakeExchange is an exchange with objects that everybody sees until they are taken out.
type fakeExchange struct {
	mu      sync.Mutex
	objects map[string]Object
	shared  map[string]Sighting
	careful bool // warns until confirmed
}

func (x *fakeExchange) put(o Object) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.objects[o.ID] = o
}

func (x *fakeExchange) withdraw(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.objects, id)
}

func (x *fakeExchange) See(_ context.Context, _ polder.Actor, refs []Ref) (map[Ref]Object, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := map[Ref]Object{}
	if len(refs) > mostRefs {
		return nil, polder.Errorf(polder.TooLarge, "%d objects at once", len(refs))
	}
	for _, r := range refs {
		if o, ok := x.objects[r.ID]; ok {
			out[r] = o
		}
	}
	return out, nil
}

func (x *fakeExchange) Relations(context.Context, polder.Actor, Ref, int) ([]Relation, error) {
	return []Relation{{Text: "indicates", Type: "malware", Title: "Tidepipe", Href: "/objects/malware--1", Level: stix.Amber}}, nil
}

func (x *fakeExchange) Preview(_ context.Context, _ polder.Actor, s Sighting) (Leaving, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	o, ok := x.objects[s.ID]
	if !ok {
		return Leaving{}, polder.Errorf(polder.NotFound, "no such object")
	}
	out := Leaving{Raw: fmt.Appendf(nil, `{"type":"sighting","spec_version":"2.1","sighting_of_ref":%q,"count":%d,"first_seen":%q,"last_seen":%q,"description":%q}`,
		s.ID, s.Count, stix.FormatTime(s.First), stix.FormatTime(s.Last), s.Text), Level: o.Level, Readers: 14}
	if x.careful && !s.Confirmed {
		out.Warnings = []string{"10.0.0.1: an address inside"}
	}
	return out, nil
}

func (x *fakeExchange) Share(ctx context.Context, by polder.Actor, s Sighting) (string, error) {
	l, err := x.Preview(ctx, by, s)
	if err != nil {
		return "", err
	}
	if len(l.Warnings) > 0 {
		return "", polder.Errorf(polder.Conflict, "nothing is shared yet: %s", l.Warnings[0])
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.shared[s.Key] = s
	return "sighting--of-" + s.ID, nil
}
