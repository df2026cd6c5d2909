package history

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/polder-exchange/polder/indicator"
)

// syntheticYear is a store of 8,760 hourly segments with 10,000 observables each, as far as filters are concerned: the
// files of filters are real, the segments are empty files of the size that their entries name, since a hunt that the
// filters answer opens none.
func syntheticYear(b *testing.B) (dir string) {
	b.Helper()
	dir = b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, keyFile), make([]byte, 32), 0o600); err != nil {
		b.Fatal(err)
	}
	first := hourOf(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	var keys []uint64
	n := uint32(0)
	var pack []byte
	for h := first; h < first+8760; h++ {
		e := &entry{Name: segmentName(h, int(h-first)%24+1), Rows: 5000, First: int64(h) * microsHour, Last: int64(h+1)*microsHour - 1, Whole: true}
		keys = keys[:0]
		for range 10_000 / 4 {
			n++
			ip := netip.AddrFrom4([4]byte{byte(n>>24) + 11, byte(n >> 16), byte(n >> 8), byte(n)}).String()
			for _, v := range []Value{
				{Kind: indicator.IPv4, Value: ip}, {Kind: indicator.Domain, Value: fmt.Sprintf("host%d.site%d.example.org", n, n%5000)},
				{Kind: indicator.SHA256, Value: fmt.Sprintf("%064x", uint64(n)*0x9e3779b97f4a7c15)},
				{Kind: indicator.URL, Value: fmt.Sprintf("https://site%d.example.org/%d", n%5000, n)},
			} {
				keys = keysOf(keys, v)
			}
		}
		if err := e.setKeys(keys); err != nil {
			b.Fatal(err)
		}
		if pack == nil {
			pack = append(pack, filterMagic...)
			if err := os.MkdirAll(filepath.Join(dir, h.day()), 0o700); err != nil {
				b.Fatal(err)
			}
		}
		pack = e.append(pack)
		if err := os.WriteFile(filepath.Join(dir, h.day(), e.Name), nil, 0o600); err != nil {
			b.Fatal(err)
		}
		if (h-first)%24 == 23 {
			if err := os.WriteFile(filepath.Join(dir, h.day(), filtersFile), pack, 0o600); err != nil {
				b.Fatal(err)
			}
			pack = nil
		}
	}
	return dir
}

// BenchmarkYear asks the filters of a synthetic year for a value that is nowhere in it: warm, with the filters in memory, up
// to the point where hit segments would be opened; cold, as a new process with the files in the cache of the machine; and many
// values at once. falsely/op is how many segments would be opened in vain.
func BenchmarkYear(b *testing.B) {
	dir := syntheticYear(b)
	s := open(b, dir, Options{ReadOnly: true})
	ask := func(b *testing.B, s *Store, q Query) int {
		h, err := s.newHunt(q)
		if err != nil {
			b.Fatal(err)
		}
		defer h.end()
		tasks, _, err := h.plan(context.Background())
		if err != nil || h.state.Segments != 8760 {
			b.Fatalf("%d segments: %v", h.state.Segments, err)
		}
		return len(tasks)
	}
	for name, text := range map[string]string{"domain": "never-seen.example.net", "address": "203.0.113.9", "network": "203.0.112.0/22",
		"hash": "3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550"} {
		q := Query{Values: value(b, text)}
		ask(b, s, q)
		b.Run("warm/"+name, func(b *testing.B) {
			opened := 0
			for b.Loop() {
				opened = ask(b, s, q)
			}
			b.ReportMetric(float64(opened), "falsely/op")
		})
	}
	many := Query{}
	for i := range 1000 {
		many.Values = append(many.Values, Value{Kind: indicator.Domain, Value: fmt.Sprintf("bad%d.example.net", i)})
	}
	b.Run("warm/1000 domains", func(b *testing.B) {
		for b.Loop() {
			ask(b, s, many)
		}
	})
	q := Query{Values: value(b, "never-seen.example.net")}
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			s := open(b, dir, Options{ReadOnly: true})
			ask(b, s, q)
			_ = s.Close()
		}
	})
	b.Run("floor/read the filters", func(b *testing.B) {
		for b.Loop() {
			var n int64
			names, _ := filepath.Glob(filepath.Join(dir, "day=*", filtersFile))
			for _, name := range names {
				data, err := os.ReadFile(name)
				if err != nil {
					b.Fatal(err)
				}
				n += int64(len(data))
			}
			b.SetBytes(n)
		}
	})
}
