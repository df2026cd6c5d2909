package node

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/seal"
)

// http asks a served node and gives the status and body; an error of the connection is 0.
func (p *process) http(t testing.TB, token, method, path string, body any) (int, string) {
	text := []byte{}
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Error(err)
		}
	}
	r, err := http.NewRequest(method, p.url+path, bytes.NewReader(text))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		r.Header.Set("Content-Type", jsonKind)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}).Do(r)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(b)
}

// ask demands a status and reads JSON.
func (p *process) ask(t testing.TB, token, method, path string, body any, status int, into any) string {
	t.Helper()
	got, text := p.http(t, token, method, path, body)
	if got != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, got, text, status)
	}
	if into != nil {
		ok(t, json.Unmarshal([]byte(text), into))
	}
	return text
}

// killedCases is a folder of which a process is killed, and what was acknowledged there.
type killedCases struct {
	t     *testing.T
	lead  string // a token
	desk  cases.DeskView
	key   seal.PrivateKey
	id    string
	mu    sync.Mutex
	acked map[string]bool // words of reports, messages, items and marks
}

func (k *killedCases) ack(word string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acked[word] = true
}

// has tells whether a word of each kind was acknowledged in a round.
func (k *killedCases) has(round int) func() bool {
	return func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, kind := range []string{"report", "said-in-report", "item", "mark"} {
			begins := fmt.Sprintf("%s-%d-", kind, round)
			if !slices.ContainsFunc(slices.Collect(maps.Keys(k.acked)), func(w string) bool { return strings.HasPrefix(w, begins) }) {
				return false
			}
		}
		return true
	}
}

// reports sends reports and messages until the process is gone.
func (k *killedCases) reports(p *process, round, writer int) {
	for n := 0; ; n++ {
		r, word := newReporter(k.t), fmt.Sprintf("report-%d-%d-%d-end", round, writer, n)
		post := r.post(k.t, k.desk, word, "file-of-"+word)
		post.Once = "once-of-" + word + "-0123456789"
		if !k.sends(p, "/api/v1/reports", post, word) {
			return
		}
		said := "said-in-" + word
		if !k.sends(p, "/api/v1/reports/thread/message", cases.ReportSaid{Proof: r.proof, Box: r.box(k.t, k.desk, cases.PurposeMessage, said), Once: "once-" + said + "-0123"}, said) {
			return
		}
	}
}

// sends posts a body, again while the node asks to wait, until it is acknowledged; false is that the process is gone.
func (k *killedCases) sends(p *process, path string, body any, word string) bool {
	for {
		switch status, text := p.http(k.t, "", "POST", path, body); {
		case status == http.StatusTooManyRequests:
			time.Sleep(50 * time.Millisecond)
		case status/100 == 2:
			k.ack(word)
			return true
		default:
			k.refused(status, text)
			return false
		}
	}
}

// items adds notes, decisions and awareness until the process is gone.
func (k *killedCases) items(p *process, round, writer int) {
	for n := 0; ; n++ {
		word := fmt.Sprintf("item-%d-%d-%d-end", round, writer, n)
		body := map[string]any{"kind": "note", "title": word}
		if n%2 == 1 {
			body = map[string]any{"kind": "decision", "title": word, "decision": map[string]string{"reason": "reason of " + word}}
		}
		if status, text := p.http(k.t, k.lead, "POST", "/api/v1/cases/"+k.id+"/items", body); status != http.StatusCreated {
			k.refused(status, text)
			return
		}
		k.ack(word)
	}
}

// marks says and takes back that a deadline was met until the process is gone.
func (k *killedCases) marks(p *process, round int) {
	for n := 0; ; n++ {
		var d struct{ Deadlines []cases.CaseDeadline }
		status, text := p.http(k.t, k.lead, "GET", "/api/v1/cases/"+k.id+"/deadlines", nil)
		if status != http.StatusOK || json.Unmarshal([]byte(text), &d) != nil || len(d.Deadlines) == 0 {
			k.refused(status, text)
			return
		}
		of := d.Deadlines[0]
		did, word := "excused", fmt.Sprintf("mark-%d-%d-end", round, n)
		if of.Reason != "" {
			did = "reopened"
		}
		if status, text := p.http(k.t, k.lead, "POST", "/api/v1/cases/"+k.id+"/deadlines/"+strings.Replace(of.Rule, "/", ".", 1)+"/"+did, map[string]any{"reason": word, "version": of.Version}); status != http.StatusOK {
			k.refused(status, text)
			return
		}
		k.ack(word)
	}
}

// refused reports an answer that a kill does not explain.
func (k *killedCases) refused(status int, text string) {
	if status != 0 && status < 500 {
		k.t.Errorf("refused with %d: %s", status, text)
	}
}

// TestF3Casework (F3): the real program, killed over and over under people who report, write in threads, add notes and
// decisions to a case and say what became of a deadline. All that was acknowledged is there once, and every report, file
// and message opens.
func TestF3Casework(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	writer, _ := prepared(t, dir)
	k := &killedCases{t: t, lead: writer, acked: map[string]bool{}}
	tokens := map[string]string{"contributor": writer}
	person := ""
	func() {
		s, err := OpenStore(t.Context(), dir, false)
		ok(t, err)
		defer s.Close()
		orgs, err := s.Accounts.Orgs(t.Context())
		ok(t, err)
		for _, o := range orgs {
			if o.Name == "Org 0" {
				_, tokens["plain steward"], err = s.Accounts.CreateToken(t.Context(), accounts.Local(), accounts.NewToken{Org: o.ID, Role: polder.RoleSteward, Name: "steward"})
				ok(t, err)
			}
		}
	}()
	var err error
	k.key, err = seal.GenerateKey(rand.Reader)
	ok(t, err)
	p := spawn(t, dir)
	var c cases.CaseView
	p.ask(t, writer, "POST", "/api/v1/cases", cases.CaseNew{Title: "Killed"}, http.StatusCreated, &c)
	person, k.id = string(c.OpenedBy), string(c.ID)
	openDesk(t, k.key, person, func(as, method, path string, body any, status int) string {
		return p.ask(t, tokens[as], method, path, body, status, nil)
	})
	p.ask(t, "", "GET", "/api/v1/reports/desks/adviser", nil, http.StatusOK, &k.desk)
	p.ask(t, writer, "POST", "/api/v1/cases/"+k.id+"/duties", map[string]any{"jurisdictions": []string{"NL"}, "sectors": []string{"digital-infrastructure"}, "kinds": []string{"incident"}, "serious": "yes", "version": k.profile(p)}, http.StatusOK, nil)
	for round := range soak(2, 100) {
		var all sync.WaitGroup
		for w := range 2 {
			all.Go(func() { k.reports(p, round, w) })
			all.Go(func() { k.items(p, round, w) })
		}
		all.Go(func() { k.marks(p, round) })
		until(t, "something of each kind is acknowledged", k.has(round))
		time.Sleep(time.Duration(mathrand.IntN(1000)) * time.Millisecond)
		p.kill()
		all.Wait()
		p = spawn(t, dir)
	}
	k.check(p)
}

// profile is the version of the rules by which the case is counted.
func (k *killedCases) profile(p *process) int {
	var d struct{ Profile struct{ Version int } }
	p.ask(k.t, k.lead, "GET", "/api/v1/cases/"+k.id+"/deadlines", nil, http.StatusOK, &d)
	return d.Profile.Version
}

// check holds what is there against what was acknowledged.
func (k *killedCases) check(p *process) {
	found := map[string]int{}
	text := func(b seal.Box, purpose string) string {
		out, err := b.Open(purpose, k.key)
		if err != nil {
			k.t.Errorf("a %s does not open: %v", purpose, err)
		}
		return string(out)
	}
	kinds := map[string]int{}
	for after := ""; ; {
		var page struct {
			Reports []cases.ReportView
			Next    string
		}
		p.ask(k.t, k.lead, "GET", "/api/v1/reports/inbox?limit=200&after="+after, nil, http.StatusOK, &page)
		for _, of := range page.Reports {
			var one cases.ReportView
			p.ask(k.t, k.lead, "GET", "/api/v1/reports/inbox/"+of.ID, nil, http.StatusOK, &one)
			var a cases.Answers
			ok(k.t, json.Unmarshal([]byte(text(one.Box, cases.PurposeReport)), &a))
			found[a.What]++
			for _, m := range one.Messages {
				found[text(m.Box, cases.PurposeMessage)]++
			}
			if len(one.Files) != 1 {
				k.t.Errorf("%s has %d files", a.What, len(one.Files))
				continue
			}
			var box seal.Box
			p.ask(k.t, k.lead, "GET", "/api/v1/reports/inbox/"+of.ID+"/files/"+one.Files[0].ID, nil, http.StatusOK, &box)
			if !strings.HasSuffix(text(box, cases.PurposeFile), "file-of-"+a.What) {
				k.t.Errorf("the file of %s is another one", a.What)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for next := ""; ; {
		var page struct {
			Items []cases.Item
			Next  string
		}
		p.ask(k.t, k.lead, "GET", "/api/v1/cases/"+k.id+"/items?limit=200&next="+next, nil, http.StatusOK, &page)
		for _, it := range page.Items {
			found[it.Title]++
			if it.Decision != nil && it.Decision.Reason != "reason of "+it.Title {
				k.t.Errorf("%s was decided because %q", it.Title, it.Decision.Reason)
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	var h struct{ History []cases.CaseRevision }
	p.ask(k.t, k.lead, "GET", "/api/v1/cases/"+k.id+"/history", nil, http.StatusOK, &h)
	for _, r := range h.History {
		if i := strings.LastIndex(r.Reason, "mark-"); i >= 0 { // behind the rule
			found[r.Reason[i:]]++
		}
	}
	for word, n := range found {
		if n != 1 {
			k.t.Errorf("%s is there %d times", word, n)
		}
	}
	for word := range k.acked {
		kind, _, _ := strings.Cut(word, "-")
		kinds[kind]++
		if found[word] == 0 && (kind != "mark" || len(h.History) < 200) { // the history gives its latest steps
			k.t.Errorf("%s was acknowledged and is not there", word)
		}
	}
	for _, kind := range []string{"report", "said", "item", "mark"} {
		if kinds[kind] == 0 {
			k.t.Errorf("no %s was acknowledged, so nothing was tested: %v", kind, kinds)
		}
	}
	k.t.Logf("acknowledged: %v", kinds)
}
