package pattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkMatch matches compiled patterns of the OASIS vectors against their observed data, once and a hundred times
// over, and reports pairs of a pattern and an observed-data a second.
func BenchmarkMatch(b *testing.B) {
	type pair struct {
		m    *Matcher
		seen []*Observed
	}
	var pairs []pair
	eachLine(b, func(line []byte) {
		var v matcherVector
		if json.Unmarshal(line, &v) != nil || v.Version != "2.1" || v.Outcome != "passed" || v.Match == nil {
			return
		}
		list, err := json.Marshal(v.Observed)
		if err != nil {
			b.Fatal(err)
		}
		seen, err := ReadObserved(bytes.NewReader(list), 0)
		if err != nil {
			b.Fatal(err)
		}
		m, err := Compile(mustParse(b, v.Pattern))
		if err != nil {
			b.Fatal(err)
		}
		pairs = append(pairs, pair{m, seen})
	}, "pattern", "matcher_vectors.jsonl.gz")
	for _, times := range []int{1, 100} {
		b.Run(fmt.Sprintf("observed=%d", times), func(b *testing.B) {
			b.ReportAllocs()
			count := 0
			for b.Loop() {
				p := &pairs[count%len(pairs)]
				seen := p.seen[:1]
				if times > 1 {
					seen = make([]*Observed, times)
					for i := range seen {
						seen[i] = p.seen[i%len(p.seen)]
					}
				}
				if _, err := p.m.Match(seen); err != nil {
					b.Fatal(err)
				}
				count++
			}
			b.ReportMetric(float64(count*times)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

// BenchmarkMiss matches patterns that no observation meets, so that each is looked at.
func BenchmarkMiss(b *testing.B) {
	var data []string
	for i := range 100 {
		data = append(data, fmt.Sprintf(`{"type":"observed-data","first_observed":"2024-01-01T00:00:00Z","last_observed":"2024-01-01T00:00:00Z","objects":{`+
			`"0":{"type":"network-traffic","dst_ref":"1","dst_port":%d},"1":{"type":"ipv4-addr","value":"192.0.2.%d"},`+
			`"2":{"type":"file","name":"report-%d.doc","hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e"}}}}`, i, i, i))
	}
	seen, err := ReadObserved(strings.NewReader(strings.Join(data, "\n")), 0)
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"equal":    "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427f']",
		"refs":     "[network-traffic:dst_ref.value ISSUBSET '198.51.100.0/24']",
		"matches":  `[file:name MATCHES '^repost-.*\\.doc$']`,
		"followed": "([file:name LIKE 'report%'] FOLLOWEDBY [network-traffic:dst_ref.value = '198.51.100.1']) WITHIN 300 SECONDS",
	} {
		b.Run(name, func(b *testing.B) {
			m, err := Compile(mustParse(b, text))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got, err := m.Match(seen); got != nil || err != nil {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(float64(b.N*len(seen))/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

// BenchmarkFind holds observations against 4,000 patterns at once.
func BenchmarkFind(b *testing.B) {
	f := manyPatterns(b, 1000).NewFinder()
	x, y := new(Object), new(Object)
	x.Reset("process")
	x.Text([]Step{{Kind: Key, Key: "command_line"}}, `C:\Windows\System32\rundll32.exe "C:\Users\someone\AppData\Local\Temp\thing.dll",Start /quiet`)
	y.Reset("network-traffic")
	y.Text([]Step{{Kind: Key, Key: "dst_ref"}, {Kind: Key, Key: "value"}}, "203.0.113.7")
	y.Int([]Step{{Kind: Key, Key: "dst_port"}}, 443)
	o := new(Observed)
	o.Add(x)
	o.Add(y)
	b.ReportAllocs()
	for b.Loop() {
		if hits, err := f.Find(o); err != nil || len(hits) != 0 {
			b.Fatal(hits, err)
		}
	}
}

// BenchmarkStream adds observations to a pattern that keeps a state.
func BenchmarkStream(b *testing.B) {
	m, err := Compile(mustParse(b, "([x:a = 1] FOLLOWEDBY [x:a = 2] FOLLOWEDBY [x:a = 3]) WITHIN 60 SECONDS"))
	if err != nil {
		b.Fatal(err)
	}
	s := NewStream(m, StreamOptions{})
	seen := []*Observed{observedOnce(0, 0, 1, 1), observedOnce(0, 0, 1, 2)}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		o := seen[i%2]
		o.First, o.Last = moment(i), moment(i)
		if found, err := s.Add(o, Entry{}); found != nil || err != nil {
			b.Fatal(found, err)
		}
		i++
	}
}
