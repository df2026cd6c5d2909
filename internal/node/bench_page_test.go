package node

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// fill appends n objects like those of ATT&CK, each under an id of its own, in the journal of l. Nine in a thousand
// more go to nobody but their sharer, and one in a thousand to few alone.
func fill(b testing.TB, l *live, objects [][]byte, n int, few polder.OrgID) {
	b.Helper()
	c, err := l.Accounts.Community(context.Background(), l.alias)
	ok(b, err)
	const size = 1000
	for at := 0; at < n; at += size {
		batch := make([]journal.Delivery, 0, size)
		for i := at; i < min(at+size, n); i++ {
			batch = append(batch, copyOf(objects[i%len(objects)], i, c.ID, few))
		}
		ok(b, l.DB.Write(context.Background(), func(tx *db.Tx) error { _, err := l.Journal.Append(tx, batch); return err }))
	}
}

// copyOf is an object under another id, as it is delivered.
func copyOf(raw []byte, i int, c polder.CommunityID, few polder.OrgID) journal.Delivery {
	text := string(raw)
	typ := stix.TypeOf(between(text, `"id":"`, `"`))
	id := fmt.Sprintf("%s--%08x-0000-4000-8000-%012x", typ, i, i*7919)
	text = strings.Replace(text, between(text, `"id":"`, `"`), id, 1)
	to := polder.Everyone()
	switch {
	case i%1000 == 0 && few != "":
		to = polder.Only(few)
	case few != "":
		to = polder.Only("identity--00000000-0000-4000-8000-000000000000")
	}
	return journal.Delivery{Community: c, ID: id, Version: "2026-01-01T00:00:00.000", Level: stix.Clear, Nominal: to, Reached: to, Last: to,
		Digest: sha256.Sum256([]byte(text)), Raw: []byte(text)}
}

// mixed is ATT&CK in an order in which its types are spread evenly, the same each time.
func mixed(b testing.TB) [][]byte {
	objects := attack(b)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(objects), func(i, k int) { objects[i], objects[k] = objects[k], objects[i] })
	return objects
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// BenchmarkPage asks for TAXII pages of 1,000 with filter and policy, with many and with few objects stored: the first
// page, one in the middle by added_after, the last; of one rare type and of two; and for a reader who may see one in a
// thousand.
func BenchmarkPage(b *testing.B) {
	sizes := []int{10_000, 1_000_000}
	if n, err := strconv.Atoi(os.Getenv("POLDER_BENCH_OBJECTS")); err == nil {
		sizes = []int{10_000, n}
	}
	for _, n := range sizes {
		l := start(b, b.TempDir())
		fill(b, l, mixed(b), n, "")
		first, last := ends(b, l)
		mid := first + (last-first)/2
		for _, q := range []struct{ name, query string }{
			{"first", "limit=1000"},
			{"middle", "limit=1000&added_after=" + polder.Seq(mid).String()},
			{"last", "limit=1000&added_after=" + polder.Seq(last-9000).String()},
			{"rare", "limit=1000&match[type]=x-mitre-tactic"},
			{"two", "limit=1000&match[type]=malware,intrusion-set"},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, q.name), func(b *testing.B) { pages(b, l, l.reader, q.query) })
		}
		few := start(b, b.TempDir())
		a, err := few.Accounts.Authenticate(context.Background(), few.reader, loopbackAddr)
		ok(b, err)
		fill(b, few, mixed(b), n, a.Org)
		b.Run(fmt.Sprintf("%d/one in 1000", n), func(b *testing.B) { pages(b, few, few.reader, "limit=1000") })
	}
}

func pages(b *testing.B, l *live, token, query string) {
	path := "/taxii2/root/collections/" + l.alias + "/objects/?" + query
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		status, body := l.do(b, "GET", path, token, "", nil)
		if status != http.StatusOK {
			b.Fatalf("%d %s", status, body)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
}

func ends(b *testing.B, l *live) (first, last int64) {
	ok(b, l.DB.Read().QueryRow(`SELECT min(seq), max(seq) FROM delivery`).Scan(&first, &last))
	return first, last
}

// BenchmarkStart starts the program on a million objects: the time to its `ready`, and the memory it holds after a page.
func BenchmarkStart(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "node")
	l := start(b, dir)
	fill(b, l, mixed(b), 1_000_000, "")
	l.end()
	for b.Loop() {
		began := time.Now()
		p := spawn(b, dir)
		took := time.Since(began)
		l.url = p.url
		if status, body := l.do(b, "GET", "/taxii2/root/collections/"+l.alias+"/objects/?limit=1000", l.reader, "", nil); status != http.StatusOK {
			b.Fatalf("%d %s", status, body)
		}
		b.ReportMetric(took.Seconds(), "s-to-ready")
		b.ReportMetric(float64(resident(b, p.cmd.Process.Pid))/(1<<20), "MiB-resident")
		p.kill()
	}
}

// resident is the resident memory of a process in bytes, on Linux.
func resident(t testing.TB, pid int) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("resident memory is read from /proc")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	ok(t, err)
	kb, err := strconv.ParseInt(strings.Fields(between(string(text), "VmRSS:", "kB"))[0], 10, 64)
	ok(t, err)
	return kb << 10
}
