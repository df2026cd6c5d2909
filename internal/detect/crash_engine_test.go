package detect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the real binary, built once with the failpoints in.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "polder-detect-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "polder")
	if out, err := exec.Command("go", "build", "-tags", "fail", "-o", path, "github.com/polder-exchange/polder/cmd/polder").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// built is the folder of that binary, once it is built.
var built string

// serving is the real program, which serves a folder and can be killed.
type serving struct {
	t     *testing.T
	dir   string
	token string
	url   string
	cmd   *exec.Cmd
	ended chan error
	log   bytes.Buffer
}

// chain is two rules, and a correlation of the two on one host.
const chain = `title: First step
id: 31111111-2222-4333-8444-000000000001
level: low
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\first.exe'}
  condition: selection
---
title: Second step
id: 31111111-2222-4333-8444-000000000002
level: low
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\second.exe'}
  condition: selection
---
title: Both steps
id: 31111111-2222-4333-8444-000000000003
level: high
correlation:
  type: temporal_ordered
  rules: [31111111-2222-4333-8444-000000000001, 31111111-2222-4333-8444-000000000002]
  group-by: [Computer]
  timespan: 1h
  generate: true
`

// newServing is a node with one organisation, a token, and the rules of chain.
func newServing(t *testing.T) *serving {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts the real program several times")
	}
	path, err := program()
	noErr(t, err)
	s := &serving{t: t, dir: filepath.Join(t.TempDir(), "node")}
	run := func(args ...string) map[string]any {
		out, err := exec.Command(path, args...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		var got map[string]any
		noErr(t, json.Unmarshal(out, &got))
		return got
	}
	run("init", "--data", s.dir, "--name", "Hub", "--json")
	org := run("org", "add", "--data", s.dir, "--name", "Optics", "--json")["id"].(string)
	s.token = run("token", "create", "--data", s.dir, "--org", org, "--role", "contributor", "--json")["token"].(string)
	noErr(t, os.MkdirAll(filepath.Join(s.dir, "rules"), 0o700))
	noErr(t, os.WriteFile(filepath.Join(s.dir, "rules", "chain.yml"), []byte(chain), 0o600))
	t.Cleanup(s.kill)
	return s
}

// start serves; what breaks is added to what this process was told to break.
func (s *serving) start(breaks string) {
	s.t.Helper()
	path, err := program()
	noErr(s.t, err)
	s.cmd, s.ended = exec.Command(path, "serve", "--data", s.dir, "--listen", "127.0.0.1:0"), make(chan error, 1)
	s.cmd.Env = append(os.Environ(), "POLDER_FAIL="+os.Getenv("POLDER_FAIL")+","+breaks)
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	noErr(s.t, err)
	noErr(s.t, s.cmd.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	cmd, ended := s.cmd, s.ended
	go func() { ended <- cmd.Wait() }()
	if err != nil || !strings.HasPrefix(said, "ready ") {
		s.t.Fatalf("serve said %q: %v\n%s", said, err, s.log.String())
	}
	s.url = strings.TrimSpace(strings.TrimPrefix(said, "ready "))
}

func (s *serving) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
		s.cmd = nil
	}
}

// died waits until the process has killed itself.
func (s *serving) died() {
	s.t.Helper()
	select {
	case <-s.ended:
		s.cmd = nil
	case <-time.After(20 * time.Second):
		s.t.Fatalf("the process lives:\n%s", s.log.String())
	}
}

func (s *serving) request(method, path string, body string) (int, []byte) {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	noErr(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	got, _ := io.ReadAll(res.Body)
	return res.StatusCode, got
}

// send gives an event in and demands that it is acknowledged.
func (s *serving) send(image string) {
	s.t.Helper()
	event := fmt.Sprintf(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","UtcTime":%q,"Computer":"WS-041","Image":%q}`+"\n", time.Now().UTC().Format("2006-01-02 15:04:05.000"), image)
	if status, got := s.request("POST", "/api/v1/events?name=ws", event); status != http.StatusAccepted {
		s.t.Fatalf("the event was answered with %d %s\n%s", status, got, s.log.String())
	}
}

// alerts is how many alerts there are of each title.
func (s *serving) alerts() map[string]int {
	s.t.Helper()
	status, body := s.request("GET", "/api/v1/alerts", "")
	var list alertList
	if status != http.StatusOK || json.Unmarshal(body, &list) != nil {
		s.t.Fatalf("the alerts: %d %s", status, body)
	}
	out := map[string]int{}
	for _, a := range list.Alerts {
		out[a.Title] += a.Count
	}
	return out
}

// expect waits until there are so many alerts of the three titles, and checks that there are no more.
func (s *serving) expect(first, second, both int) {
	s.t.Helper()
	want := map[string]int{"First step": first, "Second step": second, "Both steps": both}
	var got map[string]int
	enough := func() bool {
		got = s.alerts()
		return got["First step"] >= first && got["Second step"] >= second && got["Both steps"] >= both
	}
	for range 400 {
		if enough() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for title, n := range want {
		if got[title] != n {
			s.t.Fatalf("%d alerts of %q, want %d: %v\n%s", got[title], title, n, got, s.log.String())
		}
	}
}

// TestF3KillBeforeAlerts (F3): the process dies between acknowledging an event and storing its alert. After the start the event is
// judged, its alert is there once, and stays one however often the node starts.
func TestF3KillBeforeAlerts(t *testing.T) {
	s := newServing(t)
	s.start("alerts.before=kill@1")
	s.send(`C:\first.exe`)
	s.died()
	s.start("")
	s.expect(1, 0, 0)
	s.kill()
	s.start("")
	s.send(`C:\second.exe`)
	s.expect(1, 1, 1)
}

// TestF3KillWindow (F3): a correlation whose first event was judged, and its alert stored, before a kill, is completed by an event
// after it: windows are rebuilt from the spool. Rebuilding stores nothing twice.
func TestF3KillWindow(t *testing.T) {
	s := newServing(t)
	s.start("alerts.after=kill@1")
	s.send(`C:\first.exe`)
	s.died()
	s.start("alerts.before=kill@1")
	s.send(`C:\second.exe`)
	s.died()
	s.start("")
	s.expect(1, 1, 1)
	s.kill()
	s.start("")
	s.send(`C:\other.exe`)
	s.send(`C:\first.exe`)
	s.expect(2, 1, 1)
}

// TestF15TermUnderEvents (F15): SIGTERM while events flow ends the node with 0 in time, and every event that was acknowledged has its
// alert after the next start.
func TestF15TermUnderEvents(t *testing.T) {
	s := newServing(t)
	s.start("")
	var acknowledged int
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			event := fmt.Sprintf(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","UtcTime":%q,"Computer":"WS-041","Image":"C:\\%d\\first.exe"}`+"\n", time.Now().UTC().Format("2006-01-02 15:04:05.000"), i)
			if status, _ := s.request("POST", "/api/v1/events", event); status != http.StatusAccepted {
				return
			}
			acknowledged++
		}
	}()
	time.Sleep(300 * time.Millisecond)
	noErr(t, s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-s.ended:
		if err != nil {
			t.Fatalf("serve ended with %v\n%s", err, s.log.String())
		}
		s.cmd = nil
	case <-time.After(15 * time.Second):
		t.Fatal("serve did not end within 15 seconds of SIGTERM")
	}
	<-done
	if acknowledged == 0 {
		t.Fatal("no event was acknowledged, so nothing was tested")
	}
	s.start("")
	for range 400 {
		if s.alerts()["First step"] >= acknowledged {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	// One more may have been taken in whose answer was lost.
	if n := s.alerts()["First step"]; n < acknowledged || n > acknowledged+1 {
		t.Errorf("%d alerts of %d acknowledged events", n, acknowledged)
	}
}
