package cases

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// The organisations of these tests.
const (
	deskAcme  polder.OrgID = "identity--11111111-1111-4111-8111-111111111111"
	deskTulip polder.OrgID = "identity--22222222-2222-4222-8222-222222222222"
	deskHub   polder.OrgID = "identity--33333333-3333-4333-8333-333333333333"
)

var deskOrgNames = map[polder.OrgID]string{deskAcme: "Acme Optics", deskTulip: "Tulip Metrology", deskHub: "National response team"}

// deskPeople are by what they are called; the administrator belongs to Acme and reads nothing.
var deskPeople = map[string]polder.Actor{
	"anna":  {Org: deskAcme, Person: "p-anna", Name: "Anna Visser", Role: polder.RoleReader},
	"bram":  {Org: deskAcme, Person: "p-bram", Name: "Bram Kuiper", Role: polder.RoleContributor},
	"carla": {Org: deskAcme, Person: "p-carla", Name: "Carla Smit", Role: polder.RoleSteward},
	"dirk":  {Org: deskAcme, Person: "p-dirk", Name: "Dirk Bos", Role: polder.RoleSteward},
	"admin": {Org: deskAcme, Person: "p-admin", Name: "Admin", Role: polder.RoleAdmin},
	"olaf":  {Org: deskTulip, Person: "p-olaf", Name: "Olaf Berg", Role: polder.RoleSteward},
	"tess":  {Org: deskHub, Person: "p-tess", Name: "Tess de Jong", Role: polder.RoleSteward},
}

// deskNames are what [Accounts] answers in these tests.
type deskNames struct{}

func (deskNames) Org(_ context.Context, id polder.OrgID) (polder.Org, error) {
	name, held := deskOrgNames[id]
	if !held {
		return polder.Org{}, polder.Errorf(polder.NotFound, "no such organisation")
	}
	return polder.Org{ID: id, Name: name, Country: "NL"}, nil
}

func (deskNames) Doer(_ context.Context, by polder.Actor) (polder.PersonID, error) {
	return by.Person, nil
}

func (deskNames) Named(_ context.Context, id polder.PersonID) (string, polder.OrgID, error) {
	for _, p := range deskPeople {
		if p.Person == id {
			return p.Name, p.Org, nil
		}
	}
	return "", "", polder.Errorf(polder.NotFound, "no such person")
}

func (deskNames) Works(_ context.Context, id polder.PersonID, org polder.OrgID) (bool, error) {
	for _, p := range deskPeople {
		if p.Person == id {
			return p.Org == org, nil
		}
	}
	return false, nil
}

func (deskNames) Colleagues(context.Context, polder.Actor) ([]Colleague, error) { return nil, nil }

// deskWorld is a service over a database in a folder, with its REST API and everything it writes.
type deskWorld struct {
	*Service
	t     testing.TB
	dir   string
	db    *db.DB
	audit *audit.Log
	blobs *blob.Store
	log   *deskLogText
	keys  map[string]seal.PrivateKey // of people
	http  http.Handler
	from  string // address of requests

	mu  sync.Mutex
	now time.Time
}

// deskLogText is what is logged.
type deskLogText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *deskLogText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *deskLogText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// deskRates let a test do what it wants.
var deskRates = ReportRates{Post: accounts.Allowance{Burst: 1 << 20, Every: time.Microsecond}, Desk: accounts.Allowance{Burst: 1 << 20, Every: time.Microsecond},
	Node: accounts.Allowance{Burst: 1 << 16, Every: time.Microsecond}, Look: accounts.Allowance{Burst: 1 << 20, Every: time.Microsecond}, Looks: accounts.Allowance{Burst: 1 << 16, Every: time.Microsecond}}

// deskSecret is the secret of the node in these tests.
var deskSecret = []byte("the secret of a node in a test, 32 bytes and more")

func deskMust(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func deskIs(t testing.TB, what string, err error, k polder.Kind) {
	t.Helper()
	if err == nil || polder.KindOf(err) != k {
		t.Fatalf("%s: error %v, want one of kind %s", what, err, k)
	}
}

// newDeskWorld is a world with cheap receipts: [deskWorld.dear] makes them as dear as on a node.
func newDeskWorld(t testing.TB) *deskWorld { return openDeskWorld(t, t.TempDir(), ServiceOptions{}) }

func openDeskWorld(t testing.TB, dir string, o ServiceOptions) *deskWorld {
	t.Helper()
	return openDeskWorldOn(t, dir, o, db.Options{})
}

func openDeskWorldOn(t testing.TB, dir string, o ServiceOptions, disk db.Options) *deskWorld {
	t.Helper()
	w := &deskWorld{t: t, dir: dir, log: &deskLogText{}, keys: map[string]seal.PrivateKey{}, from: "203.0.113.77:4711", now: time.Date(2026, 11, 20, 9, 25, 0, 0, time.UTC)}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx := context.Background()
	var err error
	disk.Log = log
	w.db, err = db.Open(ctx, filepath.Join(dir, "polder.db"), disk)
	deskMust(t, err)
	t.Cleanup(func() { w.db.Close() })
	w.audit = audit.New(w.db, w.clock)
	deskMust(t, w.audit.Migrate(ctx))
	w.blobs, err = blob.Open(w.db, filepath.Join(dir, "files"), blob.Options{Log: log})
	deskMust(t, err)
	t.Cleanup(func() { w.blobs.Close() })
	deskMust(t, w.blobs.Migrate(ctx))
	work := jobs.New(w.db, jobs.Options{Now: w.clock, Log: log})
	deskMust(t, work.Migrate(ctx))
	deskMust(t, Migrate(ctx, w.db))
	o.DB, o.Audit, o.Now, o.Blobs, o.Jobs, o.Accounts, o.Log, o.Secret = w.db, w.audit, w.clock, w.blobs, work, deskNames{}, log, deskSecret
	if o.Rates == (ReportRates{}) {
		o.Rates = deskRates
	}
	w.Service = NewService(o)
	w.reports.derive = func(proof, pepper []byte) []byte { return reportKey(pepper, string(proof)) }
	w.serve(log)
	return w
}

func (w *deskWorld) serve(log *slog.Logger) {
	site, err := web.New(web.Options{Identify: w, Now: w.clock, Log: log})
	deskMust(w.t, err)
	w.http, err = site.Handler(NewAPI(w.Service).reportRoutes()...)
	deskMust(w.t, err)
}

func (w *deskWorld) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

// pass sets the clock on, or back.
func (w *deskWorld) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *deskWorld) BySession(_ context.Context, cookie string) (web.Identity, error) {
	who, held := deskPeople[cookie]
	if !held {
		return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
	}
	return web.Identity{Actor: who, OrgName: deskOrgNames[who.Org]}, nil
}

func (w *deskWorld) BySecret(ctx context.Context, secret string, _ netip.Addr) (web.Identity, error) {
	return w.BySession(ctx, secret)
}

// send asks the REST API as somebody, or as nobody, with a body as JSON.
func (w *deskWorld) send(who, method, path string, body any) *httptest.ResponseRecorder {
	w.t.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		text, err = json.Marshal(b)
		deskMust(w.t, err)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(text))
	r.RemoteAddr = w.from
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if text != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	out := httptest.NewRecorder()
	w.http.ServeHTTP(out, r)
	return out
}

// ask is send for an answer that must have a status, read into v.
func (w *deskWorld) ask(who, method, path string, body, v any, status int) []byte {
	w.t.Helper()
	out := w.send(who, method, path, body)
	if out.Code != status {
		w.t.Fatalf("%s %s as %q: %d, want %d: %.600s", method, path, who, out.Code, status, out.Body.String())
	}
	if v != nil {
		deskMust(w.t, json.Unmarshal(out.Body.Bytes(), v))
	}
	return out.Body.Bytes()
}

// key makes a key for somebody, locked by no passphrase that anybody knows, and keeps it.
func (w *deskWorld) key(name string) seal.PublicKey {
	w.t.Helper()
	k, err := seal.GenerateKey(rand.Reader)
	deskMust(w.t, err)
	w.keys[name] = k
	_, err = w.PutKey(w.t.Context(), deskPeople[name], deskLocked(w.t, k))
	deskMust(w.t, err)
	return k.Public()
}

// deskLocked is a key in the form that the node keeps. It is not derived from a passphrase, which takes long.
func deskLocked(t testing.TB, k seal.PrivateKey) seal.LockedKey {
	t.Helper()
	b := make([]byte, 16+12+48)
	_, err := rand.Read(b)
	deskMust(t, err)
	return seal.LockedKey{Public: k.Public(), Iterations: seal.Iterations, Salt: b[:16], Nonce: b[16:28], Key: b[28:]}
}

// desk opens a desk of somebody's organisation, read by readers.
func (w *deskWorld) desk(steward string, in DeskSettings, readers ...string) DeskDetail {
	w.t.Helper()
	d, err := w.OpenDesk(w.t.Context(), deskPeople[steward], in)
	deskMust(w.t, err)
	for i, name := range readers {
		if _, held := w.keys[name]; !held {
			w.key(name)
		}
		d, err = w.AddReader(w.t.Context(), deskPeople[steward], d.Alias, DeskReaderPost{Person: deskPeople[name].Person, Confirmed: true})
		deskMust(w.t, err)
		if i > 0 {
			d, err = w.ConfirmReader(w.t.Context(), deskPeople[readers[0]], d.Alias, w.keys[name].Public().ID())
			deskMust(w.t, err)
		}
	}
	return d
}

// acme is the usual desk: listed, read by Anna and Bram.
func (w *deskWorld) acme() DeskDetail {
	w.t.Helper()
	return w.desk("carla", DeskSettings{Name: "Confidential adviser", Listed: true, Promise: "Somebody reads this within a day", Phone: "+31 15 123 4567"}, "anna", "bram")
}

func (w *deskWorld) view(alias string) DeskView {
	w.t.Helper()
	var v DeskView
	w.ask("", "GET", "/api/v1/reports/desks/"+alias, nil, &v, 200)
	return v
}

// deskKeys are the keys to seal to, as a client takes them: those in force by the list of keys, and nobody else.
func deskKeys(t testing.TB, readers []Reader, log []seal.LogEntry) (keys []seal.PublicKey) {
	t.Helper()
	deskMust(t, seal.VerifyLog(log))
	for _, id := range seal.InForce(log) {
		for _, r := range readers {
			if r.Key == id && r.Public.ID() == id {
				keys = append(keys, r.Public)
			}
		}
	}
	if len(keys) != len(readers) {
		t.Fatalf("the desk shows %d readers, its list of keys has %d of them in force", len(readers), len(keys))
	}
	return keys
}

// device is a reporter's device: it seals, and it alone holds what opens.
type device struct {
	w     *deskWorld
	key   seal.PrivateKey
	proof string
}

func newDevice(w *deskWorld) *device {
	w.t.Helper()
	k, err := seal.GenerateKey(rand.Reader)
	deskMust(w.t, err)
	proof := make([]byte, 32)
	_, err = rand.Read(proof)
	deskMust(w.t, err)
	return &device{w, k, base64.StdEncoding.EncodeToString(proof)}
}

// box seals a text to the readers of a desk (and its team), and to the reporter.
func (d *device) box(v DeskView, team bool, purpose, text string) seal.Box {
	d.w.t.Helper()
	keys := deskKeys(d.w.t, v.Readers, v.Log)
	if team {
		keys = append(keys, deskKeys(d.w.t, v.Team.Readers, v.Team.Log)...)
	}
	if purpose != PurposeFile {
		keys = append(keys, d.key.Public())
	}
	b, err := seal.Seal(rand.Reader, purpose, []byte(text), SealLeast, keys...)
	deskMust(d.w.t, err)
	return b
}

// post is an anonymous report with files.
func (d *device) post(v DeskView, a Answers, files ...string) ReportPost {
	d.w.t.Helper()
	a.Reply = d.key.Public().String()
	text, err := json.Marshal(a)
	deskMust(d.w.t, err)
	box := d.box(v, false, PurposeReport, string(text))
	p := ReportPost{To: v.Alias, Box: &box, Thread: &ReportThread{Proof: d.proof, Public: d.key.Public()}}
	for _, f := range files {
		p.Files = append(p.Files, d.box(v, false, PurposeFile, "{\"name\":\"note.txt\",\"type\":\"text/plain\"}\n"+f))
	}
	return p
}

// report sends an anonymous report.
func (d *device) report(v DeskView, what string, files ...string) []byte {
	d.w.t.Helper()
	return d.w.ask("", "POST", "/api/v1/reports", d.post(v, Answers{What: what}, files...), nil, 201)
}

func (d *device) thread() ReportThreadView {
	d.w.t.Helper()
	var v ReportThreadView
	d.w.ask("", "POST", "/api/v1/reports/thread", ReportProof{d.proof}, &v, 200)
	return v
}

// deskText opens a box as text.
func deskText(t testing.TB, b seal.Box, purpose string, k seal.PrivateKey) string {
	t.Helper()
	text, err := b.Open(purpose, k)
	deskMust(t, err)
	return string(text)
}

// deskAnswers opens a report.
func deskAnswers(t testing.TB, b seal.Box, k seal.PrivateKey) (a Answers) {
	t.Helper()
	deskMust(t, json.Unmarshal([]byte(deskText(t, b, PurposeReport, k)), &a))
	return a
}

// inbox are the open reports that somebody reads.
func (w *deskWorld) inbox(who string) []ReportView {
	w.t.Helper()
	var page reportInboxPage
	w.ask(who, "GET", "/api/v1/reports/inbox?limit=200", nil, &page, 200)
	return page.Reports
}

// answer seals a message of somebody to the reporter and all readers, and sends it.
func (w *deskWorld) answer(who, id, text string) ReportView {
	w.t.Helper()
	v, err := w.Report(w.t.Context(), deskPeople[who], id)
	deskMust(w.t, err)
	_, keys := readerKeys(v.Readers)
	box, err := seal.Seal(rand.Reader, PurposeMessage, []byte(text), SealLeast, append(keys, *v.Reporter)...)
	deskMust(w.t, err)
	var out ReportView
	w.ask(who, "POST", "/api/v1/reports/inbox/"+id+"/messages", ReportAnswer{Box: box}, &out, 200)
	return out
}

func deskRead(t testing.TB, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	deskMust(t, err)
	return string(b)
}

// deskFrom is where reporters ask from, in tests of the service.
var deskFrom = netip.MustParseAddr("203.0.113.77")

func deskHolds(t testing.TB, what, text string, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(text, s) {
			t.Errorf("%s lacks %q: %.300s", what, s, text)
		}
	}
}

// deskZone is where the organisations of these tests are.
func deskZone(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	deskMust(t, err)
	return zone
}

// sealWrap is a wrap, for bodies that are written out.
type sealWrap = seal.Wrap

// auditRecord is an entry of the audit.
type auditRecord = audit.Record

// deskAudit asks for what somebody may read of the audit.
func deskAudit(by polder.Actor) audit.Filter { return audit.Filter{Viewer: by, Limit: 1000} }
