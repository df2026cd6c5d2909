package journal

import (
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// TestCustodyAfter: what gets another custodian can be followed, in order, from any place on.
func TestCustodyAfter(t *testing.T) {
	j, d := must(t, t.TempDir())
	defer end(t, j, d)
	for _, to := range []polder.OrgID{"identity--b", "identity--c"} {
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			return j.SetCustodian(tx, "c1", "indicator--00000000-0000-4000-8000-000000000001", 7, to)
		}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := j.CustodyAfter(t.Context(), 0, 10)
	if err != nil || len(all) != 2 || all[0].Custodian != "identity--b" || all[1].Custodian != "identity--c" || all[1].Line != 7 || all[1].Community != "c1" {
		t.Fatalf("followed from the beginning: %+v, %v", all, err)
	}
	rest, err := j.CustodyAfter(t.Context(), all[0].N, 10)
	if err != nil || len(rest) != 1 || rest[0] != all[1] {
		t.Errorf("followed from the first on: %+v, %v; want %+v", rest, err, all[1])
	}
}
