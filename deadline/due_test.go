package deadline

import (
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	for _, s := range []Situation{
		{Jurisdiction: "NL", Sector: "energy", Kind: "incident", Aware: time.Date(2026, 11, 22, 9, 44, 0, 0, time.UTC)},
		{Jurisdiction: "nederland", Sector: "banking", Kind: "incident", Aware: time.Date(2026, 11, 21, 9, 44, 0, 0, time.UTC)},
		{Jurisdiction: "NL", Sector: "financial", Kind: "incident", Aware: time.Date(2026, 11, 20, 9, 44, 0, 0, time.UTC)},
		{Jurisdiction: "FR", Kind: "whistleblower", Aware: time.Date(2026, 11, 20, 9, 44, 0, 0, time.UTC)},
		{Jurisdiction: "NL", Kind: "vulnerability", Aware: time.Date(2026, 11, 20, 9, 44, 0, 0, time.UTC)},
	} {
		d, err := Packs{}.Due(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range d {
			t.Log(x.ID, x.Regulation, x.Due.Format(time.RFC3339), x.Estimated, x.Waits, x.Status, x.Why, x.Note)
		}
	}
}
