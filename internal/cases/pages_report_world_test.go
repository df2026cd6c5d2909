package cases

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// reportWorld is a node with desks and readers, as far as reporters meet it: pages, API, and all that the network carries
// to it.
type reportWorld struct {
	*Service
	t      *testing.T
	dir    string
	site   *web.Site
	url    string
	keys   map[string]seal.PrivateKey // of readers, by person
	log    *bytes.Buffer
	mu     sync.Mutex
	seen   []reportSeen
	broken int             // posts to come whose answer the network loses
	lie    func(*DeskView) // what a dishonest server makes of a desk
}

// reportSeen is a request as it came over the wire, and what was answered.
type reportSeen struct {
	method, uri, referer, cookie string
	body                         []byte
	size                         int64 // of request and body
	status                       int
	header                       http.Header
}

const reportOrg = polder.OrgID("org-orion")

var (
	reportSteward = polder.Actor{Org: reportOrg, Person: "p-steward", Name: "Sanne de Wit", Role: polder.RoleSteward}
	reportDirk    = polder.Actor{Org: reportOrg, Person: "p-dirk", Name: "Dirk Bos", Role: polder.RoleSteward}
	reportAnna    = polder.Actor{Org: reportOrg, Person: "p-anna", Name: "Anna Visser", Role: polder.RoleContributor}
)

// reportPeople are the accounts of a reportWorld.
type reportPeople struct{}

func (reportPeople) Org(context.Context, polder.OrgID) (polder.Org, error) {
	return polder.Org{ID: reportOrg, Name: "Orion Group"}, nil
}
func (reportPeople) Doer(_ context.Context, by polder.Actor) (polder.PersonID, error) {
	return by.Person, nil
}
func (reportPeople) Named(_ context.Context, id polder.PersonID) (string, polder.OrgID, error) {
	if id == reportAnna.Person {
		return reportAnna.Name, reportOrg, nil
	}
	return "Sanne de Wit", reportOrg, nil
}
func (reportPeople) Works(_ context.Context, _ polder.PersonID, org polder.OrgID) (bool, error) {
	return org == reportOrg, nil
}
func (reportPeople) Colleagues(context.Context, polder.Actor) ([]Colleague, error) {
	return []Colleague{{reportAnna.Person, reportAnna.Name, reportAnna.Role}, {reportSteward.Person, reportSteward.Name, reportSteward.Role}}, nil
}

func newReportWorld(t *testing.T) *reportWorld {
	t.Helper()
	w := &reportWorld{t: t, dir: t.TempDir(), keys: map[string]seal.PrivateKey{}, log: &bytes.Buffer{}}
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := db.Open(t.Context(), filepath.Join(w.dir, "polder.db"), db.Options{})
	w.must(err)
	t.Cleanup(func() { d.Close() })
	clock := func() time.Time { return reportNow.Add(time.Minute) }
	trail := audit.New(d, clock)
	w.must(trail.Migrate(t.Context()))
	w.must(Migrate(t.Context(), d))
	blobs, err := blob.Open(d, filepath.Join(w.dir, "blobs"), blob.Options{Now: clock})
	w.must(err)
	w.must(blobs.Migrate(t.Context()))
	work := jobs.New(d, jobs.Options{Now: clock})
	w.must(work.Migrate(t.Context()))
	w.Service = NewService(ServiceOptions{DB: d, Audit: trail, Now: clock, Blobs: blobs, Jobs: work, Accounts: reportPeople{}, Secret: bytes.Repeat([]byte{7}, 32), Log: log})
	w.site, err = web.New(web.Options{Now: clock, Log: log}, reportParts()...)
	w.must(err)
	h, err := w.site.Handler(append(w.Pages(w.site).Routes(), NewAPI(w.Service).Routes()...)...)
	w.must(err)
	server := httptest.NewServer(w.record(h))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	w.url = server.URL
	return w
}

func (w *reportWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Write takes the node's log.
func (w *reportWorld) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

// record keeps what the network carries. It cuts as many requests as it is told to, after the node has had them.
func (w *reportWorld) record(h http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		kept := httptest.NewRecorder()
		h.ServeHTTP(kept, r)
		w.mu.Lock()
		cut := r.Method == http.MethodPost && w.broken > 0
		if cut {
			w.broken--
		}
		w.seen = append(w.seen, reportSeen{r.Method, r.URL.RequestURI(), r.Referer(), r.Header.Get("Cookie"), body, r.ContentLength, kept.Code, kept.Header().Clone()})
		w.mu.Unlock()
		if cut {
			panic(http.ErrAbortHandler)
		}
		for k, v := range kept.Header() {
			out.Header()[k] = v
		}
		out.Header().Del("Content-Length")
		out.WriteHeader(kept.Code)
		_, _ = out.Write(w.told(kept.Body.Bytes()))
	})
}

// reportView is where a form holds the desk.
var reportView = regexp.MustCompile(`data-view="([^"]*)"`)

// told is an answer as it leaves a server that may be dishonest.
func (w *reportWorld) told(page []byte) []byte {
	if w.lie == nil {
		return page
	}
	return reportView.ReplaceAllFunc(page, func(m []byte) []byte {
		var desk DeskView
		if err := json.Unmarshal([]byte(html.UnescapeString(string(reportView.FindSubmatch(m)[1]))), &desk); err != nil {
			return m
		}
		w.lie(&desk)
		text, err := json.Marshal(desk)
		if err != nil {
			return m
		}
		return []byte(`data-view="` + html.EscapeString(string(text)) + `"`)
	})
}

// cut loses the answers of the next posts.
func (w *reportWorld) cut(posts int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = posts
}

// took are the requests since it was last asked.
func (w *reportWorld) took() []reportSeen {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// openDesk makes a desk that anna reads for.
func (w *reportWorld) openDesk(in DeskSettings) Desk {
	w.t.Helper()
	in.Confirmed = in.Kind == DeskPressed
	desk, err := w.OpenDesk(w.t.Context(), reportSteward, in)
	w.must(err)
	if _, held := w.keys[string(reportAnna.Person)]; !held {
		key, err := seal.GenerateKey(rand.Reader)
		w.must(err)
		locked, err := seal.Lock(rand.Reader, key, "correct horse battery staple")
		w.must(err)
		_, err = w.PutKey(w.t.Context(), reportAnna, locked)
		w.must(err)
		w.keys[string(reportAnna.Person)] = key
	}
	_, err = w.AddReader(w.t.Context(), reportSteward, desk.Alias, DeskReaderPost{Person: reportAnna.Person, Confirmed: in.Kind == DeskPressed})
	w.must(err)
	return desk.Desk
}

// secondReader lets the steward read too, whom anna confirms.
func (w *reportWorld) secondReader(desk Desk) {
	w.t.Helper()
	key := seal.NewPrivateKey([32]byte{40})
	locked, err := seal.Lock(rand.Reader, key, "correct horse battery staple")
	w.must(err)
	_, err = w.PutKey(w.t.Context(), reportSteward, locked)
	w.must(err)
	_, err = w.AddReader(w.t.Context(), reportDirk, desk.Alias, DeskReaderPost{Person: reportSteward.Person})
	w.must(err)
	_, err = w.ConfirmReader(w.t.Context(), reportAnna, desk.Alias, key.Public().ID())
	w.must(err)
}

// reports are the open reports that anna reads, with their answers.
func (w *reportWorld) reportsOf() (views []ReportView, answers []string) {
	w.t.Helper()
	views, err := w.Reports(w.t.Context(), reportAnna, ReportFilter{})
	w.must(err)
	for i := range views {
		views[i], err = w.Report(w.t.Context(), reportAnna, views[i].ID)
		w.must(err)
		text, err := views[i].Box.Open(PurposeReport, w.keys[string(reportAnna.Person)])
		w.must(err)
		answers = append(answers, string(text))
	}
	return views, answers
}

// answer writes to a reporter as anna's browser would.
func (w *reportWorld) answer(v ReportView, text string) {
	w.t.Helper()
	to := []seal.PublicKey{*v.Reporter}
	for _, r := range v.Readers {
		to = append(to, r.Public)
	}
	box, err := seal.Seal(rand.Reader, PurposeMessage, []byte(text), SealLeast, to...)
	w.must(err)
	_, err = w.AnswerReport(w.t.Context(), reportAnna, v.ID, ReportAnswer{Box: box})
	w.must(err)
}

// holds tells whether a word stands anywhere in what the node keeps, has logged, or was sent.
func (w *reportWorld) holds(word string, files map[string][]byte) []string {
	var found []string
	for name, data := range files {
		if bytes.Contains(data, []byte(word)) {
			found = append(found, name)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.Contains(w.log.String(), word) {
		found = append(found, "the log")
	}
	return found
}

// page is what the node answers to a browser that asks for an address.
func (w *reportWorld) page(path string) string {
	w.t.Helper()
	r, err := http.Get(w.url + path)
	w.must(err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	w.must(err)
	return string(text)
}
