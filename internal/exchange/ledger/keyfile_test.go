package ledger

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/seal"
)

// TestReadKeysBounds: a file of keys may be as large as `polder keys show --all --json` makes it, and no larger.
func TestReadKeysBounds(t *testing.T) {
	const someone = `{"blind":"identity--1"}` + "\n"
	for name, c := range map[string]struct{ file, says string }{
		"the keys of a large node":       {strings.Repeat(someone, 30_000), ""},
		"a chain as long as one may be":  {`{"name":"` + strings.Repeat("x", seal.MaxStatements*seal.MaxStatement) + `"}`, ""},
		"more lines than any file has":   {strings.Repeat("\n", seal.MaxKeyLines+1), "more lines than"},
		"a line that is longer than any": {strings.Repeat("x", seal.MaxKeyLine+1), "is longer than"},
	} {
		_, err := ReadKeys(strings.NewReader(c.file))
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
