package node

import (
	"bufio"
	"bytes"
	"context"
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
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// program is the real binary, built once with the failpoints in.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "polder-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "polder")
	built = dir
	out, err := exec.Command("go", "build", "-tags", "fail", "-o", path, "github.com/polder-exchange/polder/cmd/polder").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// built is the folder of that binary, once it is built.
var built string

func TestMain(m *testing.M) {
	code := webtest.Main(m)
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// process is a serving polder that can be killed.
type process struct {
	cmd *exec.Cmd
	url string
	err bytes.Buffer
}

func spawn(t testing.TB, dir string, env ...string) *process {
	t.Helper()
	return spawnAt(t, dir, "127.0.0.1:0", env...)
}

func spawnAt(t testing.TB, dir, listen string, env ...string) *process {
	t.Helper()
	path, err := program()
	ok(t, err)
	p := &process{cmd: exec.Command(path, "serve", "--data", dir, "--listen", listen)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.err
	out, err := p.cmd.StdoutPipe()
	ok(t, err)
	ok(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		t.Fatalf("serve said %q: %v\n%s", line, err, p.err.String())
	}
	p.url = strings.TrimSpace(strings.TrimPrefix(line, "ready "))
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// prepared is a folder with a community "ring", a writer's and a reader's token, not served.
func prepared(t *testing.T, dir string) (writer, reader string) {
	t.Helper()
	ctx := context.Background()
	s, err := OpenStore(ctx, dir, true)
	ok(t, err)
	defer s.Close()
	_, err = s.Accounts.Init(ctx, "Hub", "NL")
	ok(t, err)
	c, err := s.Accounts.AddCommunity(ctx, accounts.Local(), "Ring", stix.None)
	ok(t, err)
	for i, token := range []*string{&writer, &reader} {
		o, err := s.Accounts.AddOrg(ctx, accounts.Local(), accounts.NewOrg{Name: fmt.Sprintf("Org %d", i)})
		ok(t, err)
		_, err = s.Accounts.Join(ctx, accounts.Local(), c.ID, o.ID, polder.RoleContributor)
		ok(t, err)
		_, *token, err = s.Accounts.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: o.ID, Role: polder.RoleContributor, Name: "test"})
		ok(t, err)
	}
	return writer, reader
}

// numbered is a batch of n objects that know their batch.
func numbered(round, writer, batch, n int) (ids []string, body []byte) {
	var objects [][]byte
	for i := range n {
		id := fmt.Sprintf("indicator--%08x-%04x-4000-8000-%06x%06x", round, writer, batch, i)
		ids = append(ids, id)
		objects = append(objects, fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":%q,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","pattern":"[ipv4-addr:value = '198.51.100.%d']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","object_marking_refs":[%q]}`,
			id, i%256, stix.Amber.ID()))
	}
	return ids, envelope(objects)
}

// soak multiplies the rounds of the heavy tests.
func soak(short, long int) int {
	if os.Getenv("POLDER_SOAK") != "" {
		return long
	}
	return short
}

// TestF3Kill (F3, DESIGN 4.1): kill -9 at random moments under four writers. Every acknowledged batch is there once,
// none by half, and pages and stream agree.
func TestF3Kill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	writer, reader := prepared(t, dir)
	acked, sent := map[string]bool{}, map[string][]string{}
	points := []string{"", "commit.before=kill@9", "commit.after=kill@11"}
	for round := range soak(5, 50) {
		env := "POLDER_FAIL=" + points[round%len(points)]
		p := spawn(t, dir, env)
		writeUntilKilled(p, writer, round, acked, sent, time.Duration(100+rand.IntN(400))*time.Millisecond)
		p = spawn(t, dir)
		checkSurvivors(t, p, reader, acked, sent)
		p.kill()
	}
	if len(acked) == 0 {
		t.Fatal("no batch was acknowledged, so nothing was tested")
	}
}

func writeUntilKilled(p *process, token string, round int, acked map[string]bool, sent map[string][]string, after time.Duration) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for batch := 0; ; batch++ {
				ids, body := numbered(round, w, batch, 20)
				mu.Lock()
				sent[ids[0]] = ids
				mu.Unlock()
				status, err := post(p.url, token, body)
				if err != nil {
					return
				}
				if status == http.StatusAccepted {
					mu.Lock()
					acked[ids[0]] = true
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(after)
	p.kill()
	wg.Wait()
}

func post(url, token string, body []byte) (int, error) {
	req, err := http.NewRequest("POST", url+"/taxii2/root/collections/ring/objects/", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/taxii+json;version=2.1")
	req.Header.Set("Accept", "application/taxii+json;version=2.1")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

func checkSurvivors(t *testing.T, p *process, token string, acked map[string]bool, sent map[string][]string) {
	t.Helper()
	pages := pageIDs(t, p.url, token)
	stream := streamIDs(t, p.url, token, len(pages))
	seen := map[string]int{}
	for i, id := range pages {
		seen[id]++
		if stream[i] != id {
			t.Fatalf("record %d: the pages have %s, the stream has %s", i, id, stream[i])
		}
	}
	for first, ids := range sent {
		have := 0
		for _, id := range ids {
			if seen[id] > 1 {
				t.Fatalf("%s is there %d times", id, seen[id])
			}
			have += seen[id]
		}
		if have != 0 && have != len(ids) {
			t.Fatalf("batch %s: %d of %d objects are there", first, have, len(ids))
		}
		if acked[first] && have == 0 {
			t.Fatalf("batch %s was acknowledged and is lost", first)
		}
	}
}

func pageIDs(t *testing.T, url, token string) (ids []string) {
	t.Helper()
	next := ""
	for {
		path := url + "/taxii2/root/collections/ring/manifest/?limit=1000"
		if next != "" {
			path += "&next=" + next
		}
		req, err := http.NewRequest("GET", path, nil)
		ok(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultTransport.RoundTrip(req)
		ok(t, err)
		var page struct {
			More    bool
			Next    string
			Objects []struct{ ID string }
		}
		ok(t, json.NewDecoder(res.Body).Decode(&page))
		res.Body.Close()
		for _, o := range page.Objects {
			ids = append(ids, o.ID)
		}
		if !page.More {
			return ids
		}
		next = page.Next
	}
}

// streamIDs reads n objects from the start of the stream.
func streamIDs(t *testing.T, url, token string, n int) (ids []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url+"/api/v1/stream?since=0", nil)
	ok(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultTransport.RoundTrip(req)
	ok(t, err)
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	for len(ids) < n {
		line, err := in.ReadBytes('\n')
		ok(t, err)
		if data, found := bytes.CutPrefix(line, []byte("data: ")); found {
			var e struct{ Object struct{ ID string } }
			ok(t, json.Unmarshal(data, &e))
			ids = append(ids, e.Object.ID)
		}
	}
	return ids
}
