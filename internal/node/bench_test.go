package node

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

// live is a node that serves on loopback, with two organisations in one community.
type live struct {
	*Node
	url    string
	writer string // token
	reader string
	alias  string
	end    func()
}

var loopbackAddr = netip.MustParseAddr("127.0.0.1")

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start makes a node in dir and serves it until the test ends.
func start(t testing.TB, dir string) *live {
	t.Helper()
	ctx := context.Background()
	s, err := OpenStore(ctx, dir, true)
	ok(t, err)
	_, err = s.Accounts.Init(ctx, "Hub", "NL")
	ok(t, err)
	c, err := s.Accounts.AddCommunity(ctx, accounts.Local(), "Ring", stix.None)
	ok(t, err)
	l := &live{alias: c.Alias}
	for i, token := range []*string{&l.writer, &l.reader} {
		o, err := s.Accounts.AddOrg(ctx, accounts.Local(), accounts.NewOrg{Name: fmt.Sprintf("Org %d", i)})
		ok(t, err)
		_, err = s.Accounts.Join(ctx, accounts.Local(), c.ID, o.ID, polder.RoleContributor)
		ok(t, err)
		_, *token, err = s.Accounts.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: o.ID, Role: polder.RoleContributor, Name: "test"})
		ok(t, err)
	}
	ok(t, s.Close())
	l.serve(t, dir)
	return l
}

// serve opens the node of dir and serves it.
func (l *live) serve(t testing.TB, dir string) {
	t.Helper()
	n, err := Open(context.Background(), dir, Config{}.filled(), Options{Log: io.Discard})
	ok(t, err)
	sock, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx, sock) }()
	l.Node, l.url = n, "http://"+sock.Addr().String()
	l.end = sync.OnceFunc(func() {
		cancel()
		ok(t, <-done)
		ok(t, n.Close())
	})
	t.Cleanup(l.end)
}

func (l *live) do(t testing.TB, method, path, token, kind string, body []byte) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, l.url+path, bytes.NewReader(body))
	ok(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/taxii+json;version=2.1, application/json")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	ok(t, err)
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	ok(t, err)
	return res.StatusCode, out
}

// attack is ATT&CK, each object with TLP:CLEAR.
func attack(t testing.TB) [][]byte {
	t.Helper()
	f, err := os.Open(testdata.File(t, "attack", "enterprise-attack-18.1.json.gz"))
	ok(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	ok(t, err)
	r := stix.NewReader(z, stix.Limits{})
	var out [][]byte
	for {
		o, _, err := r.Next()
		if err == io.EOF {
			return out
		}
		ok(t, err)
		if !o.IsMarkingFree() {
			o, err = o.WithMarking(stix.Clear)
			ok(t, err)
		}
		out = append(out, o.Raw())
	}
}

func envelope(objects [][]byte) []byte {
	var b bytes.Buffer
	b.WriteString(`{"objects":[`)
	b.Write(bytes.Join(objects, []byte(",")))
	b.WriteString(`]}`)
	return b.Bytes()
}

// BenchmarkPost stores ATT&CK by TAXII in batches of 1,000, each on disk before its 202. Its floor is the log alone: the
// same bytes appended in the same batches, without HTTP, checks, policy and audit.
func BenchmarkPost(b *testing.B) {
	objects := attack(b)
	const size = 1000
	var bodies [][]byte
	for i := 0; i < len(objects); i += size {
		bodies = append(bodies, envelope(objects[i:min(i+size, len(objects))]))
	}
	run := func(b *testing.B, store func(l *live)) {
		for b.Loop() {
			b.StopTimer()
			l := start(b, filepath.Join(b.TempDir(), "node"))
			b.StartTimer()
			began := time.Now()
			store(l)
			b.ReportMetric(float64(len(objects))/time.Since(began).Seconds(), "objects/s")
			b.StopTimer()
			l.end()
			b.StartTimer()
		}
	}
	b.Run("node", func(b *testing.B) {
		run(b, func(l *live) {
			for _, body := range bodies {
				status, answer := l.do(b, "POST", "/taxii2/root/collections/"+l.alias+"/objects/", l.writer, "application/taxii+json;version=2.1", body)
				var st struct {
					Failure int `json:"failure_count"`
				}
				if ok(b, json.Unmarshal(answer, &st)); status != 202 || st.Failure > 0 {
					b.Fatalf("%d %s", status, answer)
				}
			}
		})
	})
	b.Run("floor", func(b *testing.B) { run(b, func(l *live) { fill(b, l, objects, len(objects), "") }) })
}
