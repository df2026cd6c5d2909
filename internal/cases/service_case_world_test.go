package cases

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/stix"
)

// caseWorld is a service over a database, with three organisations whose people a test names.
type caseWorld struct {
	*Service
	t        testing.TB
	mu       sync.Mutex
	now      time.Time
	db       *db.DB
	audit    *audit.Log
	blobs    *blob.Store
	people   *casePeople
	exchange *caseExchange
	full     atomic.Bool // the disk
}

// The organisations of a [caseWorld], and their people.
const (
	optics polder.OrgID = "identity--0c000000-0000-4000-8000-000000000001" // in NL
	wafers polder.OrgID = "identity--0c000000-0000-4000-8000-000000000002" // in DE
	ncsc   polder.OrgID = "identity--0c000000-0000-4000-8000-000000000003" // in BE
)

func casePerson(org polder.OrgID, name string, role polder.Role) polder.Actor {
	return polder.Actor{Org: org, Person: polder.PersonID("person-" + name), Name: name, Role: role}
}

var (
	lead      = casePerson(optics, "Lotte", polder.RoleContributor)
	worker    = casePerson(optics, "Wim", polder.RoleContributor)
	looker    = casePerson(optics, "Rens", polder.RoleReader)
	chief     = casePerson(optics, "Stella", polder.RoleSteward)
	partner   = casePerson(wafers, "Paula", polder.RoleContributor)
	guest     = casePerson(wafers, "Gerd", polder.RoleReader)
	contact   = casePerson(ncsc, "Cas", polder.RoleContributor)
	nodeAdmin = polder.Actor{Org: optics, Person: "person-Ada", Name: "Ada", Role: polder.RoleAdmin}
	leadToken = polder.Actor{Org: optics, Token: "token-1", Role: polder.RoleReader}
)

// everyCaseActor are all kinds of reader that a door meets.
var everyCaseActor = map[string]polder.Actor{"lead": lead, "worker": worker, "looker": looker, "chief": chief, "partner": partner, "guest": guest, "contact": contact, "admin": nodeAdmin, "token": leadToken, "nobody": {}}

// casePeople are the accounts of a [caseWorld].
type casePeople struct {
	orgs   map[polder.OrgID]polder.Org
	people map[polder.PersonID]polder.Actor
}

func (p *casePeople) Org(_ context.Context, id polder.OrgID) (polder.Org, error) {
	o, ok := p.orgs[id]
	if !ok {
		return o, polder.Errorf(polder.NotFound, "no such organisation")
	}
	return o, nil
}

func (p *casePeople) Doer(_ context.Context, by polder.Actor) (polder.PersonID, error) {
	if by.Token == leadToken.Token {
		return lead.Person, nil
	}
	return by.Person, nil
}

func (p *casePeople) Named(_ context.Context, id polder.PersonID) (string, polder.OrgID, error) {
	a, ok := p.people[id]
	if !ok {
		return "", "", polder.Errorf(polder.NotFound, "no such person")
	}
	return a.Name, a.Org, nil
}

func (p *casePeople) Works(_ context.Context, id polder.PersonID, org polder.OrgID) (bool, error) {
	a, ok := p.people[id]
	return ok && a.Org == org && a.Role.OnObjects() >= polder.RoleReader, nil
}

func (p *casePeople) Colleagues(_ context.Context, by polder.Actor) (out []Colleague, _ error) {
	for _, id := range slices.Sorted(maps.Keys(p.people)) {
		if a := p.people[id]; a.Org == by.Org {
			out = append(out, Colleague{ID: id, Name: a.Name, Role: a.Role})
		}
	}
	return out, nil
}

// caseExchange knows one object about each value that a test names.
type caseExchange struct {
	known map[string]KnownObject
	asked []string
}

func (e *caseExchange) Known(_ context.Context, _ polder.Actor, value string, _ int) (out []KnownObject, _ error) {
	e.asked = append(e.asked, value)
	if o, ok := e.known[value]; ok {
		out = append(out, o)
	}
	return out, nil
}

func (e *caseExchange) Places(context.Context, polder.Actor) ([]Place, []stix.Marking, error) {
	return nil, nil, nil
}

func (e *caseExchange) Release(context.Context, polder.Actor, Release) (Released, error) {
	return Released{}, polder.Errorf(polder.Unavailable, "there is no exchange here")
}

func newCaseWorld(t testing.TB) *caseWorld { return openCaseWorld(t, t.TempDir(), blob.Options{}) }

// openCaseWorld is a world in a folder that may hold one already.
func openCaseWorld(t testing.TB, dir string, files blob.Options) *caseWorld {
	t.Helper()
	w := &caseWorld{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), people: &casePeople{map[polder.OrgID]polder.Org{}, map[polder.PersonID]polder.Actor{}}, exchange: &caseExchange{known: map[string]KnownObject{}}}
	for id, o := range map[polder.OrgID]polder.Org{optics: {Name: "Acme Optics", Country: "NL"}, wafers: {Name: "Wafer Werke", Country: "DE"}, ncsc: {Name: "Contact Point BE", Country: "BE"}} {
		o.ID = id
		w.people.orgs[id] = o
	}
	for _, a := range everyCaseActor {
		if a.Person != "" {
			w.people.people[a.Person] = a
		}
	}
	ctx := context.Background()
	d, err := db.Open(ctx, filepath.Join(dir, "polder.db"), db.Options{Free: func(string) (int64, error) {
		if w.full.Load() {
			return 1, nil
		}
		return 1 << 40, nil
	}})
	caseMust(t, err)
	t.Cleanup(func() { d.Close() })
	w.db, w.audit = d, audit.New(d, w.tick)
	caseMust(t, w.audit.Migrate(ctx))
	files.Now = w.tick
	w.blobs, err = blob.Open(d, filepath.Join(dir, "files"), files)
	caseMust(t, err)
	t.Cleanup(func() { w.blobs.Close() })
	caseMust(t, w.blobs.Migrate(ctx))
	j := jobs.New(d, jobs.Options{Now: w.tick})
	caseMust(t, j.Migrate(ctx))
	caseMust(t, Migrate(ctx, d))
	w.Service = NewService(ServiceOptions{DB: d, Audit: w.audit, Now: w.tick, Blobs: w.blobs, Jobs: j, Accounts: w.people, Exchange: w.exchange, Secret: []byte(strings.Repeat("s", 32))})
	return w
}

// tick is the time, a millisecond after the last one.
func (w *caseWorld) tick() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

func caseMust(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// caseIs checks that an error is of a kind and says something.
func caseIs(t testing.TB, err error, k polder.Kind, says string) {
	t.Helper()
	if err == nil || polder.KindOf(err) != k || !strings.Contains(err.Error(), says) {
		t.Fatalf("error %v, want one of kind %s that says %q", err, k, says)
	}
}

// open opens a case of lead's.
func (w *caseWorld) open(level stix.Marking, title string) CaseView {
	w.t.Helper()
	c, err := w.OpenCase(w.t.Context(), lead, CaseNew{Title: title, Level: level})
	caseMust(w.t, err)
	return c
}

// let lets somebody into a case.
func (w *caseWorld) let(id CaseID, who polder.Actor, part Part, ceiling stix.Marking) {
	w.t.Helper()
	m := CaseWithWhom{Person: who.Person, Part: part, Ceiling: ceiling}
	if who.Org != optics {
		m = CaseWithWhom{Org: who.Org, Part: part, Ceiling: ceiling}
	}
	_, err := w.SetMember(w.t.Context(), lead, id, m)
	caseMust(w.t, err)
}

// add adds an item.
func (w *caseWorld) add(by polder.Actor, id CaseID, it Item) Item {
	w.t.Helper()
	out, err := w.AddItem(w.t.Context(), by, id, it)
	caseMust(w.t, err)
	return out
}
