package cases

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2" //house:allow math/rand/v2: a kill may come at any moment, and need not be secret
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/seal"
)

// TestReportServer is the process that TestF3Reports kills: a node's reports, over HTTP, on a folder.
func TestReportServer(t *testing.T) {
	dir := os.Getenv("POLDER_REPORT_DIR") //house:allow os.Getenv: how the parent tells its child where to work
	if dir == "" {
		t.Skip("runs as the process that TestF3Reports kills")
	}
	w := openDeskWorld(t, dir, ServiceOptions{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	deskMust(t, err)
	fmt.Printf("ready http://%s\n", l.Addr())
	_ = http.Serve(l, w.http)
}

// reportProcess is that process.
type reportProcess struct {
	cmd *exec.Cmd
	url string
}

func startReports(t *testing.T, dir string) *reportProcess {
	t.Helper()
	p := &reportProcess{cmd: exec.Command(os.Args[0], "-test.run=^TestReportServer$")}
	p.cmd.Env = append(os.Environ(), "POLDER_REPORT_DIR="+dir)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	deskMust(t, err)
	deskMust(t, p.cmd.Start())
	t.Cleanup(p.kill)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if url, is := strings.CutPrefix(strings.TrimSpace(line), "ready "); is {
			p.url = url
			return p
		}
		if err != nil {
			t.Fatalf("the process said %q: %v", line, err)
		}
	}
}

func (p *reportProcess) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// tell posts a body; ok is that it was acknowledged.
func (p *reportProcess) tell(path string, body any) (answer []byte, ok bool) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	res, err := client.Post(p.url+path, "application/json", bytes.NewReader(text))
	if err != nil {
		return nil, false
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return answer, err == nil && res.StatusCode < 300
}

// reportWriter sends reports and messages and remembers what was acknowledged.
type reportWriter struct {
	n        int
	v        DeskView
	reports  map[string]bool    // words of reports, acknowledged or not
	messages map[string]bool    // words of messages
	threads  map[string]*device // of acknowledged reports, by words
	lost     any                // what was sent and not acknowledged, with its path
	lostPath string
	onAck    func()
}

// work sends until the process is gone. What was not acknowledged is sent again, as a client does, the same bytes.
func (r *reportWriter) work(w *deskWorld, p *reportProcess) {
	for {
		if r.lost != nil {
			if _, ok := p.tell(r.lostPath, r.lost); !ok {
				return
			}
			r.onAck()
			r.lost = nil
		}
		r.n++
		d, words := newDevice(w), fmt.Sprintf("report %d of %p", r.n, r)
		post := d.post(r.v, Answers{What: words}, "file of "+words)
		post.Once = fmt.Sprintf("once-of-%p-%012d", r, r.n)
		r.reports[words] = false
		r.lost, r.lostPath, r.onAck = post, "/api/v1/reports", func() { r.reports[words], r.threads[words] = true, d }
		if _, ok := p.tell(r.lostPath, r.lost); !ok {
			return
		}
		r.onAck()
		said := fmt.Sprintf("message %d of %p", r.n, r)
		r.messages[said] = false
		r.lostPath, r.onAck = "/api/v1/reports/thread/message", func() { r.messages[said] = true }
		r.lost = ReportSaid{Proof: d.proof, Box: d.box(r.v, false, PurposeMessage, said), Once: fmt.Sprintf("said-of-%p-%012d", r, r.n)}
		if _, ok := p.tell(r.lostPath, r.lost); !ok {
			return
		}
		r.onAck()
		r.lost = nil
	}
}

// TestF3Reports (F3): a real process with four writers of reports and messages, killed at random moments: what was
// acknowledged is there once, opens, and has its file; what was not is there once or not at all, never by half.
func TestF3Reports(t *testing.T) {
	dir := t.TempDir()
	w := openDeskWorld(t, dir, ServiceOptions{})
	w.acme()
	v := w.view("confidential-adviser")
	deskMust(t, w.db.Close())
	writers := make([]*reportWriter, 4)
	for i := range writers {
		writers[i] = &reportWriter{v: v, reports: map[string]bool{}, messages: map[string]bool{}, threads: map[string]*device{}}
	}
	const rounds = 8
	for range rounds {
		p := startReports(t, dir)
		var all sync.WaitGroup
		for _, r := range writers {
			all.Go(func() { r.work(w, p) })
		}
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond)
		p.kill()
		all.Wait()
	}
	after := openDeskWorld(t, dir, ServiceOptions{})
	after.keys = w.keys
	if _, err := after.audit.Verify(t.Context(), nil); err != nil {
		t.Errorf("the audit: %v", err)
	}
	reports, messages := everything(t, after)
	acknowledged, cut := 0, 0
	for _, r := range writers {
		for words, ok := range r.reports {
			if n := reports[words]; n > 1 || ok && n != 1 {
				t.Errorf("%q is there %d times, acknowledged: %v", words, n, ok)
			}
			acknowledged++
			cut += map[bool]int{false: 1}[ok]
		}
		for words, ok := range r.messages {
			if n := messages[words]; n > 1 || ok && n != 1 {
				t.Errorf("%q is there %d times, acknowledged: %v", words, n, ok)
			}
		}
		for words, d := range r.threads {
			d.w = after
			if th := d.thread(); deskAnswers(t, *th.Box, d.key).What != words || len(th.Files) != 1 {
				t.Errorf("the thread of %q is %+v", words, th)
			}
		}
	}
	if acknowledged < 4*rounds || len(reports) == 0 {
		t.Errorf("%d reports were sent in %d rounds; the test says little", acknowledged, rounds)
	}
	t.Logf("%d rounds: %d reports sent, %d never acknowledged, %d there, %d messages there", rounds, acknowledged, cut, len(reports), len(messages))
}

// everything opens all that is stored, and counts it by its words.
func everything(t *testing.T, w *deskWorld) (reports, messages map[string]int) {
	t.Helper()
	reports, messages = map[string]int{}, map[string]int{}
	f := ReportFilter{Limit: 200}
	for {
		page, err := w.Reports(t.Context(), deskPeople["anna"], f)
		deskMust(t, err)
		for _, brief := range page {
			v, err := w.Report(t.Context(), deskPeople["anna"], brief.ID)
			deskMust(t, err)
			words := deskAnswers(t, v.Box, w.keys["anna"]).What
			reports[words]++
			for _, m := range v.Messages {
				messages[deskText(t, m.Box, PurposeMessage, w.keys["anna"])]++
			}
			if len(v.Files) != 1 {
				t.Errorf("%q has %d files, want 1", words, len(v.Files))
				continue
			}
			r, _, err := w.ReportFile(t.Context(), deskPeople["anna"], v.ID, v.Files[0].ID)
			deskMust(t, err)
			var b seal.Box
			deskMust(t, json.Unmarshal([]byte(deskRead(t, r)), &b))
			if text := deskText(t, b, PurposeFile, w.keys["anna"]); !strings.HasSuffix(text, "file of "+words) {
				t.Errorf("the file of %q holds %q", words, text)
			}
		}
		if len(page) < f.Limit {
			return reports, messages
		}
		f.After = page[len(page)-1].ID
	}
}
