package node

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen"
)

// listFile is a file with a list.
func listFile(t *testing.T, table string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "suspects.csv")
	ok(t, os.WriteFile(path, []byte(table), 0o600))
	return path
}

// imports makes a file a list of the node, by a command.
func imports(t *testing.T, dir, file string) {
	t.Helper()
	if code, _, errs := polderRun(t, "lists", "import", "--data", dir, "--as", "suspects", file); code != 0 {
		t.Fatalf("lists import: %d %s", code, errs)
	}
}

// speak asks a served node and reads JSON; an error of the connection is false.
func (p *process) speak(t *testing.T, token, method, path, body string, into any) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.url+"/api/v1/screen"+path, strings.NewReader(body))
	ok(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", jsonKind)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return false
	}
	if res.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, b)
	}
	if into != nil {
		ok(t, json.Unmarshal(b, into))
	}
	return true
}

// TestF3Screening (F3): the real program, killed over and over while it asks known parties again and works at a batch:
// each party and each row is asked in the end, each review is there once, and none is lost.
func TestF3Screening(t *testing.T) {
	const parties, rows = 2000, 20_000 // seconds of work, so that a kill comes upon it
	dir := filepath.Join(t.TempDir(), "node")
	writer, _ := prepared(t, dir)
	imports(t, dir, listFile(t, suspects))
	var known, batch strings.Builder
	known.WriteString("ref,name\n")
	for i := range parties {
		fmt.Fprintf(&known, "r%d,%s\n", i, map[int]string{0: "Severny Vakuum Tekhnika", 5: "Oranje Nassau Drukkerij"}[i%10]+map[bool]string{true: "", false: fmt.Sprintf("Bakkerij Zonneveld %d", i)}[i%5 == 0])
	}
	batch.WriteString("name\n")
	for i := range rows {
		fmt.Fprintf(&batch, "%s\n", map[bool]string{true: "Borealis Kristal", false: fmt.Sprintf("Slagerij Vermeulen %d", i)}[i%10 == 0])
	}
	p := spawn(t, dir)
	p.speak(t, writer, "POST", "/parties/import?group=customers", known.String(), nil)
	var b struct {
		ID, State        string
		Total, Done, Met int
	}
	p.speak(t, writer, "POST", "/batches?name=killed", batch.String(), &b)
	hit := 0 // kills that came upon work
	for round := range 4 {
		time.Sleep(time.Duration(20+rand.IntN(250)) * time.Millisecond)
		p.kill()
		if round == 1 { // and everybody is to be asked about one listing more
			imports(t, dir, listFile(t, suspects+"9,Oranje Nassau Drukkerij,company\n"))
		}
		p = spawn(t, dir)
		p.speak(t, writer, "GET", "/batches/"+b.ID, "", &b)
		if b.State != "done" {
			hit++
		}
	}
	if hit == 0 {
		t.Error("no kill came upon the batch, so little was tested")
	}
	due := struct{ Parties []json.RawMessage }{Parties: make([]json.RawMessage, 1)}
	for end := time.Now().Add(3 * time.Minute); b.State != "done" || len(due.Parties) > 0; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the work does not end: %+v, %d parties and more are due", b, len(due.Parties))
		}
		due.Parties = nil
		p.speak(t, writer, "GET", "/parties?due=yes&limit=1", "", &due)
		p.speak(t, writer, "GET", "/batches/"+b.ID, "", &b)
	}
	if b.Total != rows || b.Done != rows || b.Met != rows/10 {
		t.Errorf("the batch is %+v", b)
	}
	seen, next := map[string]int{}, ""
	for {
		var page struct {
			Reviews []struct{ Party, Listing, Name string }
			Next    string
		}
		p.speak(t, writer, "GET", "/reviews?state=all&sort=made&limit=200&next="+next, "", &page)
		for _, r := range page.Reviews {
			seen[r.Party+" "+r.Listing]++
		}
		if next = page.Next; next == "" {
			break
		}
	}
	listings := map[string]int{}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("%d reviews of %s", n, key)
		}
		listings[key[strings.LastIndexByte(key, ' ')+1:]]++
	}
	if listings["7"] != parties/10 || listings["9"] != parties/10 || listings["8"] != 1 {
		t.Errorf("reviews by listing: %v, want %d, %d and 1", listings, parties/10, parties/10)
	}
}

// TestF5Screening (F5): below the floor of free space nothing new is kept, and 507 says so; the old list stays, questions
// are answered, and with room again it goes on by itself.
func TestF5Screening(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=140m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk needs the right to mount one: %v %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	p := unopenedIn(t, filepath.Join(dir, "node"))
	p.open(t)
	defer p.end()
	const importing = "/api/v1/screen/lists?name=own&file=own.csv"
	p.post(t, "stew", importing, octets, suspects, http.StatusCreated)
	filler := filepath.Join(dir, "filler")
	ok(t, os.WriteFile(filler, make([]byte, 75<<20), 0o600))
	more := suspects + "9,Oranje Nassau Drukkerij,company\n"
	doors := []struct{ path, kind, body string }{
		{importing, octets, more}, {"/api/v1/screen/records", jsonKind, `{"queries":[{"name":"Severny Vakuum Tekhnika"}]}`},
		{"/api/v1/screen/parties", jsonKind, `{"group":"customers","query":{"name":"Severny Vakuum Tekhnika"}}`},
		{"/api/v1/screen/parties/import?group=customers", octets, "name\nBorealis Kristal\n"}, {"/api/v1/screen/batches?name=b", octets, "name\nBorealis Kristal\n"},
	}
	for _, d := range doors {
		if a := p.ask(ask{as: "stew", method: "POST", path: d.path, kind: d.kind, body: d.body}); a.status != 507 || !strings.Contains(a.body, "disk") {
			t.Errorf("%s on a full disk: %d %s", d.path, a.status, a.body)
		}
	}
	if got, text := p.screens(t, "stew", "Severny Vakuum Tekhnika"); len(got.Hits) != 1 {
		t.Errorf("the old list is asked no more: %s", text)
	}
	ok(t, os.Remove(filler))
	for _, d := range doors {
		if a := p.ask(ask{as: "stew", method: "POST", path: d.path, kind: d.kind, body: d.body}); a.status >= 300 {
			t.Errorf("%s with room again: %d %s", d.path, a.status, a.body)
		}
	}
	if got, text := p.screens(t, "stew", "Oranje Nassau Drukkerij"); len(got.Hits) != 1 {
		t.Errorf("the new list is not asked: %s", text)
	}
}

// unopenedIn is a place whose folder is there and served by nobody.
func unopenedIn(t *testing.T, dir string) *place {
	t.Helper()
	p := &place{dir: dir, log: &lines{}, orgs: map[string]polder.Org{}, tokens: map[string]string{}, ids: map[string]polder.TokenID{}}
	p.make(t)
	return p
}

// TestF22Lists (F22): lists are imported by commands while the node serves, several at once and over the API too: every
// question is answered from a whole list, and the version that is there in the end is one of those that came, whole.
func TestF22Lists(t *testing.T) {
	p := newPlace(t)
	p.serve(t)
	imports(t, p.dir, listFile(t, suspects))
	var files []string
	for i := range 4 {
		files = append(files, listFile(t, firms(50+10*i)))
	}
	stop, asked := make(chan struct{}), 0
	var all, asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if got, text := p.screens(t, "plain", "Severny Vakuum Tekhnika"); len(got.Hits) != 1 {
				t.Errorf("while lists came: %s", text)
				return
			}
			asked++
		}
	})
	for range 2 {
		all.Go(func() {
			for _, f := range files {
				code, _, errs := polderRun(t, "lists", "import", "--data", p.dir, "--as", "suspects", "--force", f)
				if code != 0 {
					t.Errorf("lists import: %d %s", code, errs)
				}
			}
		})
		all.Go(func() {
			for i := range 4 {
				a := p.ask(ask{as: "stew", method: "POST", path: "/api/v1/screen/lists?name=own&file=own.csv", kind: octets, body: firms(15 + i)})
				if a.status != http.StatusCreated {
					t.Errorf("import over the API: %d %s", a.status, a.body)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	asking.Wait()
	if asked < 5 {
		t.Errorf("only %d questions were asked meanwhile", asked)
	}
	for _, list := range []string{"suspects", "own"} {
		var l struct {
			Entries  int
			SHA256   string
			Versions []struct {
				Entries int
				SHA256  string
			}
		}
		a := p.ask(ask{as: "stew", path: "/api/v1/screen/lists/" + list})
		ok(t, json.Unmarshal([]byte(a.body), &l))
		for _, v := range l.Versions { // what is said of each version is what its file holds
			a := p.ask(ask{as: "stew", path: fmt.Sprintf("/api/v1/screen/lists/%s/changes?limit=1&new=%s&old=%s", list, v.SHA256, v.SHA256)})
			if a.status != http.StatusOK || !strings.Contains(a.body, `"counts":{"added":0,"removed":0,"changed":0}`) {
				t.Errorf("%s, a version: %d %s", list, a.status, a.body)
			}
			kept, err := p.screening.registry.Version(t.Context(), p.orgs["stew"].ID, list, v.SHA256)
			if err != nil || len(kept.Parties) != v.Entries || kept.SHA256 != v.SHA256 {
				t.Errorf("%s: a version is said to have %d entries and holds another list: %v", list, v.Entries, err)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(p.dir, screen.ListsDir, "*", "*", ".new-*"))
	if ok(t, err); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
