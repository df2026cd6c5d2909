package indicator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

const manyValues = 5_000_000

// manyKnown makes the i-th of very many values: names, hashes, addresses, URLs and a few networks, each of an object of
// its own, one in five of which ends.
func manyKnown(i int) Known {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], uint64(i))
	h := sha256.Sum256(seed[:])
	n := binary.BigEndian.Uint32(h[:])
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := Reference{Object: [16]byte(h[16:]), List: uint32(i % 20), Confidence: uint8(i % 5 * 20), Marking: stix.Amber,
		ValidFrom: start.Add(time.Duration(n%31_000_000) * time.Second)}
	if i%5 == 0 {
		r.ValidUntil = r.ValidFrom.Add(90 * 24 * time.Hour)
	}
	k := Known{Reference: r}
	switch i % 10 {
	case 0, 1, 2, 3:
		words := [...]string{"update", "cdn", "secure", "mail", "login", "static", "cloud", "support"}
		k.Kind, k.Value = Domain, fmt.Sprintf("%s-%x.%s%d.com", words[n%8], h[4:7], words[n>>8%8], n%100_000)
	case 4, 5, 6:
		k.Kind, k.Value = SHA256, hex.EncodeToString(h[:])
	case 7:
		k.Kind, k.Value = MD5, hex.EncodeToString(h[:16])
	case 8:
		k.Kind, k.Value = IPv4, fmt.Sprintf("%d.%d.%d.%d", 11+h[4]%200, h[5], h[6], h[7])
	case 9:
		k.Kind, k.Value = URL, fmt.Sprintf("http://%x.example-%d.net/%x.php?id=%d", h[4:7], n%1000, h[8:12], n%97)
		if i%1000 == 9 {
			k.Kind, k.Value = CIDR, fmt.Sprintf("%d.%d.%d.0/24", 11+h[4]%200, h[5], h[6])
		}
	}
	return k
}

// fill puts n of the values into a table, as a loader does.
func fill(b testing.TB, n int) *Table {
	table := NewTable()
	batch := make([]Known, 0, LoadBatch)
	for i := range n {
		batch = append(batch, manyKnown(i))
		if len(batch) == cap(batch) || i == n-1 {
			table.AddAll(batch, func(i int, err error) { b.Fatal(err) })
			batch = batch[:0]
		}
	}
	return table
}

// resident is the memory of the process in bytes as the system counts it; 0 where it does not say.
func resident(b testing.TB, field string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Logf("%s is not known: %v", field, err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			var kb float64
			fmt.Sscan(rest, &kb)
			return kb * 1024
		}
	}
	return 0
}

// BenchmarkTable measures a table of five million values: its memory, looking up and changing it.
func BenchmarkTable(b *testing.B) {
	debug.FreeOSMemory()
	before, percent := resident(b, "VmRSS"), debug.SetGCPercent(10)
	table := fill(b, manyValues)
	debug.SetGCPercent(percent)
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.Logf("%d references: heap %.0f MB, resident %.0f MB more than before, process at most %.0f MB", table.Len(), float64(m.HeapAlloc)/1e6, (resident(b, "VmRSS")-before)/1e6, resident(b, "VmHWM")/1e6)
	found := make([]Found, 0, 16)
	for _, c := range []struct {
		name string
		keys []Value
	}{
		{"miss-hash", probes(SHA256, func(h [32]byte) string { return hex.EncodeToString(h[:]) })},
		{"miss-address", probes(IPv4, func(h [32]byte) string { return fmt.Sprintf("%d.%d.%d.%d", 220+h[0]%3, h[1], h[2], h[3]) })},
		{"miss-name", probes(Domain, func(h [32]byte) string { return fmt.Sprintf("www.%x.org", h[:6]) })},
		{"hit", hits(100_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			keys := make([][]byte, len(c.keys))
			for i, k := range c.keys {
				keys[i], _ = AppendKey(nil, k.Kind, []byte(k.Value))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				k := i % len(keys)
				found = table.Lookup(found[:0], c.keys[k].Kind, keys[k])
				i++
			}
		})
	}
	b.Run("change", func(b *testing.B) {
		slowest, i := time.Duration(0), 0
		for b.Loop() {
			k := manyKnown(manyValues + i)
			began := time.Now()
			if err := table.Add(k); err != nil {
				b.Fatal(err)
			}
			table.Remove(k.Kind, k.Value, k.Object, k.List)
			slowest = max(slowest, time.Since(began))
			i++
		}
		b.ReportMetric(float64(slowest.Microseconds()), "slowest-us")
	})
	b.Run("sweep-16", func(b *testing.B) {
		for b.Loop() {
			table.Forget(objectNo(1), 1)
			table.Sweep(16)
		}
	})
	b.Run("floor-map", func(b *testing.B) {
		m := make(map[uint64]uint32, manyValues)
		x := uint64(1)
		for i := range uint32(manyValues) {
			x = x*6364136223846793005 + 1442695040888963407
			m[x] = i
		}
		for b.Loop() {
			x = x*6364136223846793005 + 1442695040888963407
			if m[x] > manyValues {
				b.Fatal("a number that was never put in")
			}
		}
	})
	runtime.KeepAlive(table)
}

func probes(kind Kind, make func(h [32]byte) string) (out []Value) {
	for i := range 100_000 {
		out = append(out, Value{kind, make(sha256.Sum256(fmt.Append(nil, "probe", i)))})
	}
	return out
}

func hits(n int) (out []Value) {
	for i := range n {
		k := manyKnown(i * (manyValues / n))
		if k.Kind != CIDR {
			out = append(out, Value{k.Kind, k.Value})
		}
	}
	return out
}
