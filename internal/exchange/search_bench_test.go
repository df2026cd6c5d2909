package exchange

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

// attack are the objects of ATT&CK, as somebody would share them.
func attack(b *testing.B) (out []Incoming) {
	file, err := os.Open(filepath.Join(testdata.Dir(b), "attack", "enterprise-attack-18.1.json.gz"))
	ok(b, err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	ok(b, err)
	r := stix.NewReader(plain, stix.Limits{})
	for {
		raw, _, err := r.NextRaw()
		if err == io.EOF {
			return out
		}
		ok(b, err)
		out = append(out, Incoming{Raw: raw})
	}
}

// BenchmarkSearch measures making the index of all of ATT&CK, searching it, and what the careless check adds to a share
// of finished objects.
func BenchmarkSearch(b *testing.B) {
	w := newWorld(b)
	ctx := context.Background()
	a, reader := w.as("a", polder.RoleContributor), w.as("b", polder.RoleReader)
	objects := attack(b)
	for from := 0; from < len(objects); from += 5000 {
		r := w.share(a, Request{Objects: objects[from:min(from+5000, len(objects))], Level: stix.Green})
		if len(r.Refused) > 0 {
			b.Fatalf("refused: %+v", r.Refused[0])
		}
	}
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			x, err := OpenIndex(ctx, filepath.Join(b.TempDir(), "search.db"), w.journal, nil)
			ok(b, err)
			ok(b, x.Sync(ctx))
			ok(b, x.Close())
		}
		b.ReportMetric(float64(len(objects))*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
	})
	ok(b, w.Service.search.Sync(ctx))
	for name, text := range map[string]string{"id": "T1059.001", "name": "APT28", "words": "credential access token", "common": "the"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				found, err := w.Search(ctx, reader, SearchQuery{Text: text, Limit: 20})
				if ok(b, err); len(found.Deliveries) == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
	b.Run("careless", func(b *testing.B) {
		sh, err := w.begin(ctx, a, Request{Community: w.where.Alias, Objects: objects, Level: stix.Green})
		ok(b, err)
		if err := sh.prepare(b.Context()); err != nil {
			b.Fatal(err)
		}
		ok(b, sh.rehearse(ctx))
		for i := range sh.result.Items {
			sh.result.Items[i].New = true
		}
		began := time.Now()
		for b.Loop() {
			_, err := sh.warn(ctx)
			ok(b, err)
		}
		b.ReportMetric(time.Since(began).Seconds()/float64(b.N)*1e6/float64(len(objects)), "us/object")
	})
}
