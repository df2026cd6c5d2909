package keys

import (
	"database/sql"
	"encoding/json"
	"testing"

	"github.com/polder-exchange/polder/internal/seal"
)

func rawChain(c seal.Chain) (out []json.RawMessage) {
	for _, st := range c.Statements() {
		out = append(out, st.Raw())
	}
	return out
}

// openRaw is a connection that writes to the database by hand, as a restored file differs.
func openRaw(t *testing.T, w *world) *sql.DB {
	t.Helper()
	d, err := sql.Open("sqlite", w.o.DB.Path())
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}
