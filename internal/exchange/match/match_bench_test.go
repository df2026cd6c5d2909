package match

import (
	"crypto/rand"
	"runtime"
	"sync"
	"testing"

	"github.com/cloudflare/circl/oprf"
)

// BenchmarkMatchCircl is the peer of [BenchmarkMatch]: the same number of values blinded, evaluated, proved, verified and
// opened by circl alone, on the same cores, without a network, a node or a budget.
func BenchmarkMatchCircl(b *testing.B) {
	key, err := oprf.GenerateKey(oprf.SuiteRistretto255, rand.Reader)
	must(b, err)
	key.Public() // computed once, before several read it
	var values [][]byte
	for _, v := range addresses(0, 4096) {
		values = append(values, []byte(v))
	}
	for b.Loop() {
		var all sync.WaitGroup
		slots := make(chan struct{}, runtime.GOMAXPROCS(0))
		for at := 0; at < len(values); at += 1024 {
			batch := values[at : at+1024]
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				client, server := oprf.NewVerifiableClient(oprf.SuiteRistretto255, key.Public()), oprf.NewVerifiableServer(oprf.SuiteRistretto255, key)
				data, request, err := client.Blind(batch)
				if err != nil {
					b.Error(err)
					return
				}
				answer, err := server.Evaluate(request)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := client.Finalize(data, answer); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(float64(len(values))*float64(b.N)/b.Elapsed().Seconds(), "values/s")
}
