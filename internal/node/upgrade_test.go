package node

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// released is a node as a released program left it: see testdata/v0.1.0.sh.
type released struct {
	Host       struct{ Org, Admin, Password, Token string }
	Acme, Klep polder.OrgID
	Els        struct{ ID, Password string }
	AcmeToken  string `json:"acme_token"`
	KlepToken  string `json:"klep_token"`
	Revoked    string
	said       map[string][]handed // by whose token: what the old stream said
}

// handed is an event of the stream.
type handed struct {
	Event   string
	Seq     int64
	Added   time.Time `json:"date_added"`
	TLP     string
	ID      string
	Version string
	Object  json.RawMessage
}

func (h handed) same(o handed) bool {
	return h.Event == o.Event && h.Seq == o.Seq && h.Added.Equal(o.Added) && h.TLP == o.TLP && h.ID == o.ID && h.Version == o.Version && bytes.Equal(h.Object, o.Object)
}

// releasedNode lays a fresh copy of a released node out.
func releasedNode(t *testing.T, version string) (string, released) {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open(filepath.Join("testdata", version+".tar.gz"))
	ok(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	ok(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		ok(t, err)
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			ok(t, os.MkdirAll(path, 0o700))
			continue
		}
		body, err := io.ReadAll(r)
		ok(t, err)
		ok(t, os.WriteFile(path, body, 0o600))
	}
	var n released
	text, err := os.ReadFile(filepath.Join("testdata", version+".json"))
	ok(t, err)
	ok(t, json.Unmarshal(text, &n))
	n.said = map[string][]handed{}
	for name, token := range map[string]string{"acme": n.AcmeToken, "klep": n.KlepToken} {
		text, err := os.ReadFile(filepath.Join("testdata", version+"."+name+".jsonl"))
		ok(t, err)
		for line := range strings.Lines(string(text)) {
			var h handed
			ok(t, json.Unmarshal([]byte(line), &h))
			n.said[token] = append(n.said[token], h)
		}
	}
	return dir, n
}

// TestUpgrade: today's program opens what a released one left, and everything is as it was: objects and their numbers,
// tokens, people, communities, TAXII pages; numbers go on above the last, and the audit verifies.
func TestUpgrade(t *testing.T) {
	dir, old := releasedNode(t, "v0.1.0")
	for range 2 { // the second time there is nothing to migrate
		upgraded(t, dir, old)
	}
}

// upgraded opens the node and holds it to what it was.
func upgraded(t *testing.T, dir string, old released) {
	t.Helper()
	ctx := context.Background()
	n, err := Open(ctx, dir, Config{}.filled(), Options{Log: io.Discard})
	ok(t, err)
	defer n.Close()
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); n.run(run) }()
	defer func() { stop(); <-done }()
	server := httptest.NewServer(n.Handler())
	defer server.Close()

	for token, want := range old.said {
		got := streamed(t, server.URL, token, len(want))
		if !slices.EqualFunc(got[:min(len(got), len(want))], want, handed.same) {
			t.Errorf("the stream says\n%+v\nand said\n%+v", got, want)
		}
		taxiiAs(t, server.URL, token, want)
	}
	if a := bearer(t, server.URL, old.Revoked, "GET", "/api/v1/me", ""); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("the revoked token: %d", a.StatusCode)
	}
	_, ses, err := n.Accounts.LogIn(ctx, "els@acme.example", old.Els.Password, netip.MustParseAddr("192.0.2.1"), "")
	if err != nil || !ses.MustChange || string(ses.Person) != old.Els.ID {
		t.Errorf("Els logs in as %+v: %v", ses, err)
	}
	members, err := n.Accounts.People(ctx, accounts.Local(), "")
	if err != nil || len(members) != 2 {
		t.Errorf("people: %v: %v", members, err)
	}
	communities, err := n.Accounts.Communities(ctx)
	if err != nil || len(communities) != 1 || communities[0].Alias != "chip-supply-chain" {
		t.Errorf("communities: %+v: %v", communities, err)
	}
	if _, err := n.Audit.Verify(ctx, func(int64) {}); err != nil {
		t.Errorf("the audit: %v", err)
	}
	goesOn(t, server.URL, old)
}

// goesOn shares an object and holds its number to those before.
func goesOn(t *testing.T, url string, old released) {
	t.Helper()
	last := old.said[old.AcmeToken][len(old.said[old.AcmeToken])-1].Seq
	if text := old.said[old.AcmeToken]; len(text) < 6 {
		t.Fatalf("the fixture holds %d events", len(text))
	}
	body := strings.ReplaceAll(string(old.said[old.AcmeToken][0].Object), "00000001-1111", "00000009-1111")
	a := bearer(t, url, old.AcmeToken, "POST", "/api/v1/communities/chip-supply-chain/share", body)
	text, err := io.ReadAll(a.Body)
	ok(t, err)
	var shared struct{ Stored, Duplicates, Seq int64 }
	if err := json.Unmarshal(text, &shared); err != nil || a.StatusCode != http.StatusOK || shared.Stored+shared.Duplicates != 1 || shared.Stored == 1 && shared.Seq <= last {
		t.Errorf("a share answers %d %s; the last number was %d", a.StatusCode, text, last)
	}
}

func bearer(t *testing.T, url, token, method, path, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(body))
	ok(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	if method == "POST" {
		r.Header.Set("Content-Type", "application/stix+json;version=2.1")
	}
	if strings.HasPrefix(path, "/taxii2/") {
		r.Header.Set("Accept", "application/taxii+json;version=2.1")
	}
	a, err := http.DefaultClient.Do(r)
	ok(t, err)
	t.Cleanup(func() { _ = a.Body.Close() })
	return a
}

// streamed reads n events of the stream from its beginning.
func streamed(t *testing.T, url, token string, n int) (all []handed) {
	t.Helper()
	a := bearer(t, url, token, "GET", "/api/v1/stream?since=0", "")
	defer a.Body.Close()
	event := ""
	for line := range linesOf(a.Body) {
		if name, found := strings.CutPrefix(line, "event: "); found {
			event = name
		}
		if data, found := strings.CutPrefix(line, "data: "); found && (event == "object" || event == "withdrawn") {
			h := handed{Event: event}
			ok(t, json.Unmarshal([]byte(data), &h))
			if all = append(all, h); len(all) == n {
				return all
			}
		}
	}
	return all
}

// taxiiAs holds the pages to what the stream said: every version that was not withdrawn, with its date.
func taxiiAs(t *testing.T, url, token string, said []handed) {
	t.Helper()
	var list struct{ Collections []struct{ ID string } }
	read := func(path string, into any) {
		t.Helper()
		a := bearer(t, url, token, "GET", path, "")
		if err := json.NewDecoder(a.Body).Decode(into); err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %d: %v", path, a.StatusCode, err)
		}
	}
	read("/taxii2/root/collections/", &list)
	if len(list.Collections) != 1 {
		t.Fatalf("%d collections", len(list.Collections))
	}
	var page struct {
		Objects []struct {
			ID      string
			Version string
			Added   time.Time `json:"date_added"`
		}
	}
	read("/taxii2/root/collections/"+list.Collections[0].ID+"/manifest/?match[version]=all", &page)
	var got, want []string
	for _, o := range page.Objects {
		got = append(got, o.Added.UTC().Format(time.RFC3339Nano)+" "+o.ID)
	}
	for _, h := range said {
		var o struct{ ID string }
		if h.Event == "object" {
			ok(t, json.Unmarshal(h.Object, &o))
			want = append(want, h.Added.UTC().Format(time.RFC3339Nano)+" "+o.ID)
		}
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("TAXII says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestF17Upgrade (F17): the program is killed before each migration of an upgrade in turn; opened again, it goes on and
// everything is as it was.
func TestF17Upgrade(t *testing.T) {
	path, err := program()
	ok(t, err)
	dir, old := releasedNode(t, "v0.1.0")
	steps := 0
	for ; steps < 200; steps++ {
		copied := filepath.Join(t.TempDir(), "node")
		ok(t, os.CopyFS(copied, os.DirFS(dir)))
		if steps%soak(6, 1) == 0 { // what was opened is checked at some of the steps, and at all in the long rounds
			upgraded(t, copied, old)
		}
		// The first migration of this start is done, the second is not: so each start comes one step further.
		cmd := exec.Command(path, "serve", "--data", dir, "--listen", "127.0.0.1:0")
		cmd.Env = append(os.Environ(), "POLDER_FAIL=migrate.before=kill@2")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		died := killedBefore(ctx, cmd)
		cancel()
		if !died {
			break
		}
	}
	if steps < 5 {
		t.Errorf("only %d migrations lie between v0.1.0 and today: was the program killed at all?", steps)
	}
	upgraded(t, dir, old)
	t.Logf("killed before %d migrations", steps)
}

// killedBefore runs the program until it dies, or says that it is ready, and is then ended.
func killedBefore(ctx context.Context, cmd *exec.Cmd) bool {
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return false
	}
	ready := false
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	for line := range linesOf(out) {
		if strings.HasPrefix(line, "ready ") {
			ready = true
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
	_, gone := errors.AsType[*exec.ExitError](cmd.Wait())
	return gone && !ready
}

// linesOf are the lines of what is read until its end.
func linesOf(r io.Reader) func(func(string) bool) {
	return func(yield func(string) bool) {
		for in := bufio.NewScanner(r); in.Scan(); {
			if !yield(in.Text()) {
				return
			}
		}
	}
}
