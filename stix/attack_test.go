package stix_test

import (
	"compress/gzip"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

// attackObjects is the number of objects of the ATT&CK release among the real data.
const attackObjects = 24771

func openAttack(t testing.TB) io.ReadCloser {
	t.Helper()
	f, err := os.Open(testdata.File(t, "attack", "enterprise-attack-18.1.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

var attack struct {
	once sync.Once
	raw  [][]byte
	size int64
}

// loadAttack is every object of ATT&CK as it stands in the bundle.
func loadAttack(t testing.TB) [][]byte {
	t.Helper()
	attack.once.Do(func() {
		r := stix.NewReader(openAttack(t), stix.Limits{})
		for {
			raw, _, err := r.NextRaw()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			attack.raw = append(attack.raw, raw)
			attack.size += int64(len(raw))
		}
	})
	if len(attack.raw) != attackObjects {
		t.Fatalf("ATT&CK holds %d objects, want %d", len(attack.raw), attackObjects)
	}
	return attack.raw
}

func TestAttackIsAccepted(t *testing.T) {
	bad := 0
	for _, raw := range loadAttack(t) {
		if errs := stix.Check(raw); len(errs) > 0 {
			if bad++; bad < 20 {
				t.Errorf("%v", errs)
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d objects refused", bad)
	}
}
