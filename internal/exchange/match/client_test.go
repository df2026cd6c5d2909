package match

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// liar stands between a client and a node and changes answers.
type liar struct {
	*httptest.Server
	change func(path string, body []byte) []byte
}

func (w *matchWorld) liar() *liar {
	l := &liar{change: func(_ string, b []byte) []byte { return b }}
	l.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, w.server.URL+r.URL.RequestURI(), r.Body)
		if err != nil {
			return
		}
		req.Header = r.Header
		res, err := http.DefaultTransport.RoundTrip(req) //house:allow http.DefaultTransport: a test's request
		if err != nil {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode == http.StatusOK {
			body = l.change(r.URL.Path, body)
		}
		rw.Header().Set("Content-Type", res.Header.Get("Content-Type"))
		rw.WriteHeader(res.StatusCode)
		_, _ = rw.Write(body)
	}))
	w.t.Cleanup(l.Close)
	return l
}

// TestS32LyingServer: whatever a server changes in its answers, the client refuses, and answers nothing.
func TestS32LyingServer(t *testing.T) {
	w := newMatchWorld(t)
	w.publish("seen", "ipv4", 1_000_000, "10.0.0.1")
	other := w.publish("other", "ipv4", 1_000_000, "10.0.0.2")
	otherFilter, _, err := w.Filter(t.Context(), w.owner, "other")
	must(t, err)
	_, otherText := w.get(w.owner.Org, "/api/v1/match/sets/other")
	otherKey := base64.StdEncoding.EncodeToString(other.Present.Public)
	l := w.liar()
	evaluated := func(f func(*Evaluated)) func(string, []byte) []byte {
		return func(path string, b []byte) []byte {
			if !strings.HasSuffix(path, "/evaluate") {
				return b
			}
			var e Evaluated
			if json.Unmarshal(b, &e) == nil {
				f(&e)
				b, _ = json.Marshal(e)
			}
			return b
		}
	}
	described := func(f func(map[string]any)) func(string, []byte) []byte {
		return func(path string, b []byte) []byte {
			if !strings.HasSuffix(path, "/seen") {
				return b
			}
			var m map[string]any
			if json.Unmarshal(b, &m) == nil {
				f(m)
				b, _ = json.Marshal(m)
			}
			return b
		}
	}
	var before *Evaluated
	for _, c := range []struct {
		name   string
		change func(string, []byte) []byte
		says   string
	}{
		{"no proof", evaluated(func(e *Evaluated) { e.Proof = nil }), "does not prove"},
		{"a changed proof", evaluated(func(e *Evaluated) { e.Proof[3] ^= 1 }), "does not prove"},
		{"the identity element", evaluated(func(e *Evaluated) { e.Elements[0] = make([]byte, 32) }), "identity"},
		{"an element too few", evaluated(func(e *Evaluated) { e.Elements = e.Elements[1:] }), "does not prove"},
		{"elements exchanged", evaluated(func(e *Evaluated) { slices.Reverse(e.Elements) }), "does not prove"},
		{"the wrong epoch", evaluated(func(e *Evaluated) { e.Epoch = 2 }), "it is of epoch 2"},
		{"a replayed answer", evaluated(func(e *Evaluated) {
			if before == nil {
				before = &Evaluated{e.Epoch, slices.Clone(e.Elements), slices.Clone(e.Proof)}
				e.Proof = nil
				return
			}
			*e = *before
		}), "does not prove"},
		{"a replayed answer, again", evaluated(func(e *Evaluated) { *e = *before }), "does not prove"},
		{"another key", described(func(m map[string]any) { m["key"] = otherKey }), "not signed"},
		{"another filter named", described(func(m map[string]any) { m["filter_sha256"] = strings.Repeat("0", 64) }), "not signed"},
		{"another signer", described(func(m map[string]any) { m["signer_key"] = otherKey }), "not signed"},
		{"another set described", func(path string, b []byte) []byte {
			if strings.HasSuffix(path, "/seen") {
				return []byte(otherText)
			}
			return b
		}, "seen was asked for, and other described"},
		{"the filter swapped", func(path string, b []byte) []byte {
			if strings.HasSuffix(path, "/filter") {
				return otherFilter
			}
			return b
		}, "is not that of its epoch 1"},
		{"no JSON", func(path string, b []byte) []byte {
			if strings.HasSuffix(path, "/evaluate") {
				return []byte("<html>")
			}
			return b
		}, "no answer to a batch"},
		{"an endless answer", func(path string, b []byte) []byte {
			if strings.HasSuffix(path, "/evaluate") {
				return []byte(`{"epoch":1,"elements":["` + strings.Repeat("A", 1<<20) + `"]}`)
			}
			return b
		}, "no answer to a batch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.change = c.change
			client := w.client(w.asker.Org)
			client.Node.URL = l.URL
			m, err := w.ask(client, "seen", "10.0.0.1", "10.0.0.2")
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if len(m.In) != 0 {
				t.Errorf("it believes %v", m.In)
			}
		})
	}
	l.change = func(_ string, b []byte) []byte { return b }
	client := w.client(w.asker.Org)
	client.Node.URL = l.URL
	if m, err := w.ask(client, "seen", "10.0.0.1", "10.0.0.2"); err != nil || !m.In["10.0.0.1"] || m.In["10.0.0.2"] {
		t.Errorf("the same without lies: %v, %v", m.In, err)
	}
}

// TestS32AnotherKeyPerClient: a client that saw an epoch takes no other key or filter for it, no earlier epoch, and no
// other node's signature; and who has the owner's fingerprint takes no other key at all.
func TestS32AnotherKeyPerClient(t *testing.T) {
	w := newMatchWorld(t)
	seen := NewSeen(filepath.Join(t.TempDir(), "deep", "seen.jsonl"))
	d, err := func() (Descriptor, error) {
		w.publish("seen", "ipv4", 0, "10.0.0.1")
		return w.Describe(t.Context(), w.asker, "seen")
	}()
	must(t, err)
	must(t, seen.hold("https://a", d))
	must(t, seen.hold("https://a", d))
	for _, c := range []struct {
		why    string
		change func(*Descriptor)
		ok     bool
	}{
		{"another key", func(d *Descriptor) { d.Key = append([]byte{1}, d.Key[1:]...) }, false},
		{"another filter", func(d *Descriptor) { d.Filter = strings.Repeat("0", 64) }, false},
		{"another signer", func(d *Descriptor) { d.Signer = "identity--x" }, false},
		{"an epoch before", func(d *Descriptor) { d.Epoch = 0 }, false},
		{"another set", func(d *Descriptor) { d.ID = "set--x" }, true},
		{"the next epoch, with its key", func(d *Descriptor) { d.Epoch, d.Key = 2, []byte("other") }, true},
	} {
		changed := d
		c.change(&changed)
		if err := seen.hold("https://a", changed); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	isKind(t, seen.hold("https://a", d), polder.Conflict)
	must(t, seen.hold("https://b", d))

	client := w.client(w.asker.Org)
	for print, ok := range map[string]bool{seal.MatchFingerprint(d.Key): true, strings.ReplaceAll(seal.MatchFingerprint(d.Key), " ", "-"): true,
		seal.VerifyKey(d.SignerKey).Fingerprint(): true, "12345 12345 12345 12345 12345 12345": false, "1": false} {
		client.Print = print
		if _, err := client.Describe(t.Context(), "seen", ""); (err == nil) != ok {
			t.Errorf("--key %q: %v", print, err)
		}
	}
	client.Print = ""
	if _, err := client.Describe(t.Context(), "seen", "domain"); err == nil {
		t.Error("a set of another type was taken")
	}
}

// TestBatchesOnTheWire: whatever the number of values, what is sent is whole batches of fixed sizes.
func TestBatchesOnTheWire(t *testing.T) {
	w := newMatchWorld(t)
	w.publish("seen", "ipv4", 1_000_000, "10.0.0.1")
	for n, want := range map[int]int{1: 16, 16: 16, 17: 32, 100: 112, 300: 304} {
		m, err := w.ask(w.client(w.asker.Org), "seen", addresses(0, n)...)
		if err != nil || m.Elements != want || len(m.In) != n {
			t.Errorf("%d values: %d elements, %d answered, %v; want %d", n, m.Elements, len(m.In), err, want)
		}
	}
	p, err := w.Describe(t.Context(), w.asker, "seen")
	must(t, err)
	ask, err := seal.Blind(w.o.Rand, p.context(), p.Key, []string{"10.0.0.1"})
	must(t, err)
	_, err = w.Evaluate(t.Context(), w.asker, "seen", 1, ask.Elements[:15])
	isKind(t, err, polder.Invalid)
	ask.Elements[3] = make([]byte, 32)
	_, err = w.Evaluate(t.Context(), w.asker, "seen", 1, ask.Elements)
	isKind(t, err, polder.Invalid)
}

// TestTwoNodes: two nodes with a set of the same name and values have answers of their own: what one answered is worth
// nothing at the other, and each is signed by its node.
func TestTwoNodes(t *testing.T) {
	a, b := newMatchWorld(t), newMatchWorld(t)
	b.signer = newFakeSigner("identity--0e0e0e0e-0000-4000-8000-000000000002")
	b.restart()
	pa, pb := a.publish("seen", "ipv4", 0, "10.0.0.1"), b.publish("seen", "ipv4", 0, "10.0.0.1")
	da, err := a.client(a.asker.Org).Describe(t.Context(), "seen", "")
	must(t, err)
	db, err := b.client(b.asker.Org).Describe(t.Context(), "seen", "")
	must(t, err)
	if da.Node == db.Node || da.Signer == db.Signer || pa.ID == pb.ID || string(da.Key) == string(db.Key) {
		t.Errorf("%+v and %+v have something in common", da, db)
	}
	for _, w := range []*matchWorld{a, b} {
		m, err := w.ask(w.client(w.asker.Org), "seen", "10.0.0.1", "10.0.0.2")
		if err != nil || !m.In["10.0.0.1"] || m.In["10.0.0.2"] {
			t.Errorf("%v, %v", m.In, err)
		}
	}
	// A client that is sent on to the other node with the first one's descriptor is answered nothing that it believes.
	_, err = b.client(b.asker.Org).Match(t.Context(), da, []string{"10.0.0.1"}, nil)
	isKind(t, err, polder.NotFound)
	l := b.liar()
	mixed := b.client(b.asker.Org)
	mixed.Node.URL = l.URL
	da.ID = db.ID
	filter, _, err := a.Filter(t.Context(), a.asker, "seen")
	must(t, err)
	l.change = func(path string, body []byte) []byte {
		if strings.HasSuffix(path, "/filter") {
			return filter
		}
		return body
	}
	if m, err := mixed.Match(t.Context(), da, []string{"10.0.0.1"}, nil); err == nil || len(m.In) != 0 {
		t.Errorf("the other node's answer was believed: %v, %v", m.In, err)
	}
}

// BenchmarkMatch asks about 4,096 values over HTTP, with one batch for each processor under way.
func BenchmarkMatch(b *testing.B) {
	w := newMatchWorld(b)
	w.publish("seen", "ipv4", 10_000_000, addresses(0, 1000)...)
	values := addresses(0, 4096)
	c := w.client(w.asker.Org)
	d, err := c.Describe(b.Context(), "seen", "")
	must(b, err)
	for b.Loop() {
		w.publishBudget(b)
		m, err := c.Match(b.Context(), d, values, nil)
		if err != nil || len(m.In) != len(values) {
			b.Fatal(len(m.In), err)
		}
	}
	b.ReportMetric(float64(len(values))*float64(b.N)/b.Elapsed().Seconds(), "values/s")
}

// publishBudget gives everybody a new budget.
func (w *matchWorld) publishBudget(b *testing.B) {
	w.set(func() { w.ran += window })
	if w.ran <= 0 {
		b.Fatal(fmt.Errorf("the clock ran over"))
	}
}
