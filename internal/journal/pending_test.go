package journal

import (
	"context"
	"errors"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// TestWriteReadsItsOwnRows: a write finds what it has appended for an audience that is new, and what another write had
// appended and was rolled back leaves nothing.
func TestWriteReadsItsOwnRows(t *testing.T) {
	j, d := must(t, t.TempDir())
	defer end(t, j, d)
	rolled := errors.New("rolled back")
	for _, c := range []struct {
		to   polder.Audience
		want error
	}{{polder.Only("x", "y"), rolled}, {polder.Only("z"), nil}, {polder.Only("x", "y"), nil}} {
		one := delivery(1, c.to)
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			if _, err := j.Append(tx, []Delivery{one}); err != nil {
				return err
			}
			held, err := j.History(tx, ring, []string{one.ID})
			if err != nil {
				return err
			}
			if got := held[one.ID]; len(got) == 0 || !got[len(got)-1].Reached.Equal(c.to) {
				t.Errorf("to %s: got %v", c.to, got)
			}
			return c.want
		})
		if !errors.Is(err, c.want) {
			t.Fatalf("to %s: %v", c.to, err)
		}
	}
	if wrong := j.Damage(); len(wrong) > 0 {
		t.Error(wrong)
	}
}
