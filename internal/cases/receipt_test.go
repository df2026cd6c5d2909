package cases

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// wrongProofs are proofs that open nothing, by what is wrong with them.
func wrongProofs(t *testing.T, w *deskWorld) map[string]string {
	t.Helper()
	ended := newDevice(w)
	ended.report(w.view("confidential-adviser"), "Long ago")
	w.pass(366 * 24 * time.Hour)
	return map[string]string{
		"wrong": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)), "ended": ended.proof, "empty": "", "short": "AAAA", "no base64": "!!!", "long": strings.Repeat("A", 4000),
		"of another alphabet": strings.Repeat("_", 43) + "=",
	}
}

// TestS5Receipt (S5): receipts that are wrong, have ended or are none at all cannot be told apart: same status, same
// headers, as many bytes, and each costs one derivation.
func TestS5Receipt(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	var derived atomic.Int64
	derive := w.reports.derive
	w.reports.derive = func(proof, pepper []byte) []byte { derived.Add(1); return derive(proof, pepper) }
	var first string
	proofs := wrongProofs(t, w)
	box := newDevice(w).box(w.view("confidential-adviser"), false, PurposeMessage, "x")
	for name, proof := range proofs {
		for path, body := range map[string]any{"/api/v1/reports/thread": ReportProof{proof}, "/api/v1/reports/thread/message": ReportSaid{Proof: proof, Box: box}} {
			before := derived.Load()
			out := w.send("", "POST", path, body)
			head := out.Header().Clone()
			head.Del("X-Request-Id")
			got := fmt.Sprint(out.Code, head, out.Body.String())
			if out.Code != 404 || derived.Load() != before+1 {
				t.Errorf("%s at %s: %d after %d derivations, want 404 after one", name, path, out.Code, derived.Load()-before)
			}
			if first == "" {
				first = got
			} else if got != first {
				t.Errorf("%s at %s is answered otherwise: %.300s\nfirst: %.300s", name, path, got, first)
			}
		}
	}
}

// TestS5ReceiptTime (S5): with the derivation of a node, the times of a right receipt and of each kind of wrong one lie
// together.
func TestS5ReceiptTime(t *testing.T) {
	if testing.Short() {
		t.Skip("measures times, for some seconds")
	}
	w := newDeskWorld(t)
	w.acme()
	proofs := wrongProofs(t, w)
	right := newDevice(w)
	right.report(w.view("confidential-adviser"), "x")
	proofs["right"] = right.proof
	w.reports.derive = func(proof, pepper []byte) []byte {
		// A quarter of what it costs, so that all else weighs four times as much; the place stays the one that was stored.
		argon2.IDKey(proof, pepper, receiptPasses, receiptMemory/4, 1, 32)
		return reportKey(pepper, string(proof))
	}
	var apart string
	for range 10 { // the machine may be busy: what is told apart once must be told apart each time
		if apart = timesApart(t, w, proofs); apart == "" {
			return
		}
	}
	t.Error(apart)
}

// timesApart shows each proof some times, and tells which can be told from a wrong one by the time it takes.
func timesApart(t *testing.T, w *deskWorld, proofs map[string]string) string {
	t.Helper()
	times := map[string][]float64{}
	const rounds = 12
	for range rounds {
		for name, proof := range proofs {
			start := time.Now()
			w.send("", "POST", "/api/v1/reports/thread", ReportProof{proof})
			times[name] = append(times[name], float64(time.Since(start)))
		}
	}
	typical := func(name string) float64 { return slices.Min(times[name]) } // other work only adds to it
	wrong := typical("wrong")
	t.Logf("a wrong receipt takes %s, a right one %s", time.Duration(wrong), time.Duration(typical("right")))
	for name := range proofs {
		if m := typical(name); m < 0.8*wrong || m > 1.25*wrong {
			return fmt.Sprintf("%s takes %s, a wrong receipt %s", name, time.Duration(m), time.Duration(wrong))
		}
	}
	return ""
}

// TestS8Receipt (S8): guesses are bounded per address, where an IPv6 network of 64 bits counts as one and an IPv4 address
// in IPv6 clothes as itself, and on the whole node; a restart frees nobody, and the answer says when to come back.
func TestS8Receipt(t *testing.T) {
	rates := deskRates
	rates.Look = accounts.Allowance{Burst: 10, Every: time.Hour}
	rates.Looks = accounts.Allowance{Burst: 40, Every: time.Hour}
	dir := t.TempDir()
	w := openDeskWorld(t, dir, ServiceOptions{Rates: rates})
	guess := func(w *deskWorld, from string) int {
		w.from = from
		out := w.send("", "POST", "/api/v1/reports/thread", ReportProof{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))})
		if out.Code == http.StatusTooManyRequests && out.Header().Get("Retry-After") == "" {
			t.Error("429 does not say when to come back")
		}
		return out.Code
	}
	if n := until429(func(int) int { return guess(w, "198.51.100.1:1") }); n != looksAtStart {
		t.Errorf("right after a start %d receipts may be shown, want %d: else a restart would free a guesser", n, looksAtStart)
	}
	for _, c := range []struct {
		why  string
		from func(i int) string
		most int
	}{
		{"one address", func(i int) string { return fmt.Sprintf("198.51.100.1:%d", 1000+i) }, 10},
		{"one address in IPv6 clothes", func(int) string { return "[::ffff:198.51.100.1]:1" }, 10},
		{"one network of 64 bits", func(i int) string { return fmt.Sprintf("[2001:db8:1:2:%x::%x]:1", i, i) }, 10},
		{"many addresses", func(i int) string { return fmt.Sprintf("10.%d.0.1:1", i) }, 40},
	} {
		w := openDeskWorld(t, t.TempDir(), ServiceOptions{Rates: rates})
		w.reports.looks = accounts.NewLimiter(rates.Looks, 1, nil) // as after some hours
		if n := until429(func(i int) int { return guess(w, c.from(i)) }); n != c.most {
			t.Errorf("%s: %d guesses, want %d", c.why, n, c.most)
		}
	}
	w = openDeskWorld(t, t.TempDir(), ServiceOptions{Rates: rates})
	w.from = "198.51.100.9:1"
	w.reports.looks = accounts.NewLimiter(rates.Looks, 1, nil)
	n := until429(func(i int) int {
		r := httptest.NewRequest("POST", "/api/v1/reports/thread", strings.NewReader(`{"proof":""}`))
		r.RemoteAddr = w.from
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.8.8.%d", i))
		out := httptest.NewRecorder()
		w.http.ServeHTTP(out, r)
		return out.Code
	})
	if n != 10 {
		t.Errorf("a header that anybody may send gave %d guesses", n)
	}
}

func until429(guess func(i int) int) (n int) {
	for n = 0; n < 200 && guess(n) != http.StatusTooManyRequests; n++ {
	}
	return n
}

// TestS8Derivations (S8): however many receipts are shown at once, few derivations run at a time, and who finds the queue
// full is told to come back.
func TestS8Derivations(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	var now, most atomic.Int64
	hold := make(chan struct{})
	w.reports.derive = func(proof, pepper []byte) []byte {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-hold
		return make([]byte, 32)
	}
	const callers = receiptQueue + receiptAtOnce + 30
	var all sync.WaitGroup
	var busy atomic.Int64
	for range callers {
		all.Go(func() {
			_, err := w.Thread(t.Context(), deskFrom, "")
			if polder.KindOf(err) == polder.Unavailable {
				if busy.Add(1) == 30 {
					close(hold)
				}
			}
		})
	}
	all.Wait()
	if most.Load() != receiptAtOnce || busy.Load() < 30 {
		t.Errorf("%d derivations ran at a time, want %d; %d callers were told to come back, want 30", most.Load(), receiptAtOnce, busy.Load())
	}
}

// TestS8Reports (S8): reports are bounded per address and per desk.
func TestS8Reports(t *testing.T) {
	rates := deskRates
	rates.Post, rates.Desk = accounts.Allowance{Burst: 3, Every: time.Hour}, accounts.Allowance{Burst: 5, Every: time.Hour}
	w := openDeskWorld(t, t.TempDir(), ServiceOptions{Rates: rates})
	w.acme()
	w.desk("carla", DeskSettings{Name: "Second"}, "anna")
	post := func(desk string) int {
		out := w.send("", "POST", "/api/v1/reports", ReportPost{To: desk, Answers: &Answers{What: "x"}})
		if out.Code == http.StatusTooManyRequests && out.Header().Get("Retry-After") == "" {
			t.Error("429 does not say when to come back")
		}
		return out.Code
	}
	var got []int
	for i := range 8 {
		w.from = fmt.Sprintf("192.0.2.%d:1", i/4) // four tries from each address
		got = append(got, post("confidential-adviser"))
	}
	w.from = "192.0.2.9:1"
	got = append(got, post("confidential-adviser"), post("second"))
	if want := []int{201, 201, 201, 429, 201, 201, 429, 429, 429, 201}; !slices.Equal(got, want) {
		t.Errorf("answers %v, want %v", got, want)
	}
}

// TestS7ReportIdentifiers (S7): nothing that is shown of a report, a key or a desk opens anything: not as a receipt, a
// proof or a token.
func TestS7ReportIdentifiers(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	v, d := w.view("confidential-adviser"), newDevice(w)
	d.report(v, "x", "file")
	one := w.inbox("anna")[0]
	shown := []string{one.ID, one.Files[0].ID, v.Alias, string(v.Readers[0].Key), v.Readers[0].Fingerprint, v.Readers[0].Public.String(), v.Log[0].Hash, d.key.Public().String(), string(d.key.Public().ID()),
		base64.StdEncoding.EncodeToString(v.Salt), base64.StdEncoding.EncodeToString(one.Box.Nonce), base64.StdEncoding.EncodeToString(v.Readers[0].Public[:]), base64.StdEncoding.EncodeToString(one.Reporter[:])}
	row, err := readReport(w.committed(t.Context()), one.ID)
	deskMust(t, err)
	shown = append(shown, base64.StdEncoding.EncodeToString(row.lookup))
	for _, s := range shown {
		if out := w.send("", "POST", "/api/v1/reports/thread", ReportProof{s}); out.Code != 404 {
			t.Errorf("%q as a proof: %d", s, out.Code)
		}
		if out := w.send(s, "GET", "/api/v1/reports/inbox", nil); out.Code != 401 {
			t.Errorf("%q as a token: %d", s, out.Code)
		}
	}
	for _, s := range shown[:4] { // a receipt takes a second
		if _, err := w.ThreadPlain(t.Context(), deskFrom, s); polder.KindOf(err) != polder.NotFound {
			t.Errorf("%q as a receipt: %v", s, err)
		}
	}
}

// FuzzReportPost holds that no body panics, and that what is refused says why.
func FuzzReportPost(f *testing.F) {
	for _, s := range []string{`{}`, `{"answers":{"what":"x","roads":["cyber"]},"anonymous":true}`, `{"box":{"v":1,"wraps":[],"nonce":"","body":""}}`, `{"thread":{"proof":"AA==","public":"AA"}}`, `{"files":[{}],"once":"12345678901234567890"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var p ReportPost
		if json.Unmarshal(text, &p) != nil {
			return
		}
		if err := p.check(); err != nil && (polder.KindOf(err) == polder.Internal || err.Error() == "") {
			t.Errorf("%v", err)
		}
	})
}

// FuzzProof holds that a proof is read in one way only.
func FuzzProof(f *testing.F) {
	f.Add(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := readProof(text); ok && base64.StdEncoding.EncodeToString(p[:]) != text {
			t.Errorf("%q is read as a proof that is written otherwise", text)
		}
	})
}

// TestReportAddress: addresses are counted by names that only this process makes.
func TestReportAddress(t *testing.T) {
	a, b := newReportState(ServiceOptions{Secret: deskSecret}), newReportState(ServiceOptions{Secret: deskSecret})
	one := netip.MustParseAddr("192.0.2.1")
	if a.address(one) == b.address(one) {
		t.Error("two processes name one address alike: who has the secret of the node could find the address")
	}
	if a.address(one) != a.address(netip.MustParseAddr("::ffff:192.0.2.1")) || a.address(netip.MustParseAddr("2001:db8::1")) != a.address(netip.MustParseAddr("2001:db8::2%eth0")) {
		t.Error("one address counts as two: a guesser gains by writing it otherwise")
	}
	if a.address(one) == a.address(netip.MustParseAddr("192.0.2.2")) || a.address(netip.Addr{}) == a.address(one) {
		t.Error("two addresses count as one")
	}
}
