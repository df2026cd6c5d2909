package screen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

const (
	orgA = polder.OrgID("identity--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
	orgB = polder.OrgID("identity--bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb")
)

// shelf is a registry with a clock of its own.
type shelf struct {
	*Registry
	t   *testing.T
	now time.Time
	dir string
}

func newShelf(t *testing.T, client *http.Client) *shelf {
	t.Helper()
	s := &shelf{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), dir: t.TempDir()}
	s.Registry = s.open(client)
	return s
}

// open opens the same folder once more, as another process would.
func (s *shelf) open(client *http.Client) *Registry {
	s.t.Helper()
	r, err := OpenRegistry(RegistryOptions{Dir: s.dir, Now: func() time.Time { return s.now }, Client: client})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// ownCSV is a list of one's own with these names.
func ownCSV(names ...string) string {
	var b strings.Builder
	b.WriteString("id,name,type\n")
	for i, n := range names {
		fmt.Fprintf(&b, "%d,%s,company\n", i+1, n)
	}
	return b.String()
}

func (s *shelf) put(owner polder.OrgID, name, text string, force bool) error {
	s.t.Helper()
	l, err := lists.Read(name+".csv", strings.NewReader(text), lists.ReadOptions{As: name})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Put(context.Background(), polder.Actor{Org: owner, Name: "Ines"}, owner, l, force)
}

// hits are the lists and names that a party meets, as org asks.
func hits(t *testing.T, r *Registry, org polder.OrgID, name string) (out []string) {
	t.Helper()
	sc, err := r.Screener(context.Background(), org)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range sc.Screen(Query{Name: name}, Options{Threshold: 0.8}).Hits {
		out = append(out, h.List+": "+h.Name)
	}
	return out
}

func wantHits(t *testing.T, why string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("%s: %v, want %v", why, got, want)
	}
}

func keptOne(t *testing.T, r *Registry, org polder.OrgID, name string) KeptList {
	t.Helper()
	all, err := r.Kept(context.Background(), org)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("there is no list %s among %d", name, len(all))
	return KeptList{}
}

func TestRegistryOwners(t *testing.T) {
	s := newShelf(t, nil)
	for _, err := range []error{s.put("", "everybody", ownCSV("Severny Vakuum Tekhnika"), false), s.put(orgA, "rivals", ownCSV("Zeldenrust Pompen"), false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantHits(t, "A asks the node's list", hits(t, s.Registry, orgA, "Severny Vakuum Tekhnika"), "everybody: Severny Vakuum Tekhnika")
	wantHits(t, "A asks its own", hits(t, s.Registry, orgA, "Zeldenrust Pompen"), "rivals: Zeldenrust Pompen")
	wantHits(t, "B does not ask A's", hits(t, s.Registry, orgB, "Zeldenrust Pompen"))
	wantHits(t, "nor does the node", hits(t, s.Registry, "", "Zeldenrust Pompen"))
	stranger := polder.Actor{Org: orgB, Role: polder.RoleSteward}
	if _, err := s.Versions(context.Background(), stranger, "rivals"); polder.KindOf(err) != polder.NotFound {
		t.Errorf("B asked for A's list and was told %v, want that there is none", err)
	}
	l, err := s.Lists(context.Background(), stranger)
	if err != nil || len(l) != 1 || l[0].Name != "everybody" {
		t.Errorf("B is shown %v, %v", l, err)
	}
	if err := s.put(orgA, "everybody", ownCSV("Somebody Else"), false); polder.KindOf(err) != polder.Conflict {
		t.Errorf("an own list hid one of the node: %v", err)
	}
	for _, name := range []string{"../escape", "a/b", "", ".hidden", strings.Repeat("x", 65), "nul\x00"} {
		if err := s.put(orgA, name, ownCSV("X Y"), false); err == nil && name != "" {
			t.Errorf("a list is named %q", name)
		}
	}
	if err := s.Remove(context.Background(), polder.Actor{}, orgB, "rivals"); polder.KindOf(err) != polder.NotFound {
		t.Errorf("B removed a list of A: %v", err)
	}
	if err := s.Remove(context.Background(), polder.Actor{}, orgA, "rivals"); err != nil {
		t.Fatal(err)
	}
	wantHits(t, "what was removed is not asked", hits(t, s.Registry, orgA, "Zeldenrust Pompen"))
}

// TestRegistryOtherProcess: what another process imports is asked from the next question on (X25), and whoever waits is told.
func TestRegistryOtherProcess(t *testing.T) {
	s := newShelf(t, nil)
	wantHits(t, "no list, no hit", hits(t, s.Registry, orgA, "Severny Vakuum Tekhnika"))
	changed := s.Changed()
	other := &shelf{Registry: s.open(nil), t: t, now: s.now, dir: s.dir}
	if err := other.put("", "csl", ownCSV("Severny Vakuum Tekhnika"), false); err != nil {
		t.Fatal(err)
	}
	wantHits(t, "from the next question on", hits(t, s.Registry, orgA, "Severny Vakuum Tekhnika"), "csl: Severny Vakuum Tekhnika")
	select {
	case <-changed:
	default:
		t.Error("nobody was told that a list changed")
	}
}

func TestRegistryVersions(t *testing.T) {
	s := newShelf(t, nil)
	ctx, by := context.Background(), polder.Actor{Org: orgA, Role: polder.RoleReader}
	for i := range 8 {
		var names []string
		for n := range 10 {
			names = append(names, fmt.Sprintf("Veldkamp Optiek %s", strings.Repeat("x", n+3)))
		}
		names[i] = "Borealis Kristal"
		if err := s.put("", "own", ownCSV(names...), false); err != nil {
			t.Fatal(err)
		}
	}
	v, err := s.Versions(ctx, by, "own")
	if err != nil || len(v) != keptVersions || !v[0].Now || v[1].Now || v[0].By != "Ines" {
		t.Fatalf("versions: %+v, %v", v, err)
	}
	d, err := s.Difference(ctx, by, "own", "", "", 100)
	if err != nil || d.ChangedCount != 2 || d.AddedCount != 0 || d.RemovedCount != 0 || d.New.SHA256 != v[0].SHA256 || d.Old.SHA256 != v[1].SHA256 {
		t.Fatalf("the last difference is %+v, %v", d, err)
	}
	if d, err = s.Difference(ctx, by, "own", v[4].SHA256, v[0].SHA256, 1); err != nil || d.ChangedCount != 2 || len(d.Changed) != 1 {
		t.Fatalf("over all kept versions, clipped to one: %+v, %v", d, err)
	}
	if _, err := s.Difference(ctx, by, "own", "gone", "", 1); polder.KindOf(err) != polder.NotFound {
		t.Errorf("a version that is not kept: %v", err)
	}
	if _, err := s.Version(ctx, orgA, "own", v[4].SHA256); err != nil {
		t.Error(err)
	}
	if e, err := s.Entry(ctx, by, "own", "8"); err != nil || e.Name != "Borealis Kristal" {
		t.Errorf("entry 8 is %+v, %v", e, err)
	}
}

// TestRegistryHalfWritten: what a crash leaves of a version is no version.
func TestRegistryHalfWritten(t *testing.T) {
	s := newShelf(t, nil)
	if err := s.put("", "own", ownCSV("Zeldenrust Pompen"), false); err != nil {
		t.Fatal(err)
	}
	f, _ := s.folder(place{"", "own"})
	for name, why := range map[string]string{
		"00000002.json":     "without its listings",
		"00000003.list.zst": "without what is known of it",
		".new-123":          "that has no name yet",
	} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		wantHits(t, "a version "+why, hits(t, s.open(nil), "", "Zeldenrust Pompen"), "own: Zeldenrust Pompen")
	}
}

// TestS45ImplausibleLists: a list that is empty, half or a page for people does not take the place of one in use.
func TestS45ImplausibleLists(t *testing.T) {
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("Firma %c%c Velda%c%c", 'B'+i%20, "aeiou"[i%5], "bdfgklmnprst"[i%12], "aeiou"[i/40]))
	}
	names[150] = "Borealis Kristal"
	s := newShelf(t, nil)
	if err := s.put("", "own", ownCSV(names...), false); err != nil {
		t.Fatal(err)
	}
	if err := s.put("", "own", ownCSV(names[:20]...), false); polder.KindOf(err) != polder.Conflict {
		t.Errorf("a tenth of the list took its place: %v", err)
	}
	wantHits(t, "the old list is asked", hits(t, s.Registry, "", "Borealis Kristal"), "own: Borealis Kristal")
	if err := s.put("", "own", ownCSV(names[:20]...), true); err != nil {
		t.Errorf("by force: %v", err)
	}
	wantHits(t, "the shorter list is asked", hits(t, s.Registry, "", "Borealis Kristal"))
}

// publisher serves a list, or something else.
type publisher struct {
	status int
	kind   string
	body   string
	asked  []http.Header
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked = append(p.asked, r.Header.Clone())
	etag := fmt.Sprintf(`"%d"`, len(p.body))
	if p.status == http.StatusOK && r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Last-Modified", "Thu, 19 Nov 2026 06:00:00 GMT")
	w.Header().Set("Content-Type", p.kind)
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.body)
}

// TestRefreshKeepsTheOldList is the fault of others: a refresh that fails must stop nothing, keep the list, and raise
// its age until somebody sees it.
func TestRefreshKeepsTheOldList(t *testing.T) {
	p := &publisher{status: 200, kind: "text/csv", body: ownCSV("Severny Vakuum Tekhnika", "Zeldenrust Pompen")}
	srv := httptest.NewServer(p)
	defer srv.Close()
	s := newShelf(t, srv.Client())
	if err := s.Follow([]Source{{Name: "csl", From: srv.URL + "/csl.csv", Every: time.Hour, Stale: 24 * time.Hour}}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	s.refreshDue(ctx)
	wantHits(t, "the list came", hits(t, s.Registry, "", "Severny Vakuum Tekhnika"), "csl: Severny Vakuum Tekhnika")
	if k := keptOne(t, s.Registry, "", "csl"); k.Date != "2026-11-19" || k.Stale || k.Failures != 0 || k.Entries != 2 || !k.Next.Equal(s.now.Add(time.Hour)) {
		t.Fatalf("kept: %+v", k)
	}
	s.refreshDue(ctx)
	if len(p.asked) != 1 {
		t.Errorf("the source was asked %d times within its hour", len(p.asked))
	}
	good := p.body
	failures := 0
	for _, bad := range []publisher{
		{status: 503, kind: "text/plain", body: "later"},
		{status: 200, kind: "text/html; charset=utf-8", body: "<html><body>Down for maintenance</body></html>"},
		{status: 200, kind: "text/csv", body: "<!DOCTYPE html><html><title>Error</title></html>"},
		{status: 200, kind: "text/csv", body: ""},
		{status: 200, kind: "text/csv", body: "id,name,type\n"},
		{status: 200, kind: "text/csv", body: "\x1f\x8b\x08\x00broken"},
		{status: 404, kind: "text/csv", body: good},
	} {
		p.status, p.kind, p.body = bad.status, bad.kind, bad.body
		s.now = s.now.Add(5 * time.Hour)
		s.refreshDue(ctx)
		failures++
		k := keptOne(t, s.Registry, "", "csl")
		if k.Failures != failures || k.Failure == "" || k.Entries != 2 || !k.Failed.Equal(s.now) {
			t.Errorf("after %d %s %.20q: %+v", bad.status, bad.kind, bad.body, k)
		}
		wantHits(t, "the old list is asked", hits(t, s.Registry, "", "Severny Vakuum Tekhnika"), "csl: Severny Vakuum Tekhnika")
	}
	if k := keptOne(t, s.Registry, "", "csl"); !k.Stale {
		t.Errorf("after 35 hours without an answer a list that is old after 24 is not: %+v", k)
	}
	p.status, p.kind, p.body = 200, "text/csv", good
	s.now = s.now.Add(5 * time.Hour)
	s.refreshDue(ctx)
	k := keptOne(t, s.Registry, "", "csl")
	if k.Stale || k.Failures != 0 || k.Versions != 1 || !k.Checked.Equal(s.now) {
		t.Errorf("after the source confirmed what there is: %+v", k)
	}
	if h := p.asked[len(p.asked)-1]; h.Get("If-None-Match") == "" || h.Get("If-Modified-Since") != "Thu, 19 Nov 2026 06:00:00 GMT" {
		t.Errorf("the source was asked for what is known already: %v", h)
	}
}

// TestRefreshFolder: the age of a list from a folder is that of its files.
func TestRefreshFolder(t *testing.T) {
	s := newShelf(t, nil)
	file := filepath.Join(t.TempDir(), "own.csv")
	write := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write(ownCSV("Zeldenrust Pompen"), s.now.Add(-10*24*time.Hour))
	if err := s.Follow([]Source{{Name: "own", From: file, Every: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	s.refreshDue(context.Background())
	wantHits(t, "the file is read", hits(t, s.Registry, "", "Zeldenrust Pompen"), "own: Zeldenrust Pompen")
	if k := keptOne(t, s.Registry, "", "own"); !k.Stale {
		t.Errorf("a file of ten days ago is no old list: %+v", k)
	}
	write(ownCSV("Zeldenrust Pompen", "Borealis Kristal"), s.now)
	s.now = s.now.Add(2 * time.Hour)
	s.refreshDue(context.Background())
	wantHits(t, "the new file is read", hits(t, s.Registry, "", "Borealis Kristal"), "own: Borealis Kristal")
	if k := keptOne(t, s.Registry, "", "own"); k.Stale || k.Versions != 2 {
		t.Errorf("a new file: %+v", k)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(2 * time.Hour)
	s.refreshDue(context.Background())
	wantHits(t, "the file is gone, the list is not", hits(t, s.Registry, "", "Borealis Kristal"), "own: Borealis Kristal")
	if err := s.Follow(nil); err != nil {
		t.Fatal(err)
	}
	if k := keptOne(t, s.Registry, "", "own"); k.Origin != "" || k.Versions != 2 {
		t.Errorf("a list whose source is no longer named: %+v", k)
	}
}

func TestFollowRefuses(t *testing.T) {
	s := newShelf(t, nil)
	for why, bad := range map[string][]Source{
		"no name":        {{From: "/lists"}},
		"no source":      {{Name: "x"}},
		"a path as name": {{Name: "../x", From: "/lists"}},
		"no host":        {{Name: "x", From: "https://"}},
		"twice":          {{Name: "x", From: "/a"}, {Name: "x", From: "/b"}},
	} {
		if err := s.Follow(bad); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// TestRefreshSchedule: sources are asked when they are due, and after failures ever more seldom, but never less often
// than when they work.
func TestRefreshSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, err := OpenRegistry(RegistryOptions{Dir: dir, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Follow([]Source{{Name: "gone", From: filepath.Join(dir, "nowhere.csv"), Every: 4 * time.Hour}}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { r.Run(ctx); close(done) }()
		for _, step := range []struct {
			after time.Duration
			tries int
		}{{time.Second, 1}, {14 * time.Minute, 1}, {2 * time.Minute, 2}, {31 * time.Minute, 3}, {61 * time.Minute, 4}, {121 * time.Minute, 5}, {241 * time.Minute, 6}, {241 * time.Minute, 7}} {
			time.Sleep(step.after)
			synctest.Wait()
			if k := keptOne(t, r, "", "gone"); k.Failures != step.tries {
				t.Errorf("after another %v the source was tried %d times, want %d", step.after, k.Failures, step.tries)
			}
		}
		stop()
		<-done
	})
}
