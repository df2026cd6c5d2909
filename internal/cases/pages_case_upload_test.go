package cases

import (
	"io"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/stix"
)

// countedBody says how much of it was read.
type countedBody struct {
	io.Reader
	read int
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

// TestS15UploadAsksFirst (S15): nothing is taken of a file that somebody sends to a case in which they may not work; so
// nobody fills the disk of the node by way of cases of others.
func TestS15UploadAsksFirst(t *testing.T) {
	w := newCasePages(t)
	c := w.open(stix.Green, "Lens holder")
	w.let(c.ID, looker, PartRead, stix.Green)
	for _, row := range []struct {
		why, who string
		code     int
		read     bool
	}{
		{"a colleague who was not let in", "worker", 404, false},
		{"who reads the case", "looker", 403, false},
		{"the lead", "lead", 303, true},
	} {
		kind, form := reportForms([]string{"title", "Log", "tlp", "green"}, map[string][]byte{"log.txt": []byte(strings.Repeat("line\n", 1000))})
		body := &countedBody{Reader: form}
		out := w.send(row.who, "POST", "/cases/"+string(c.ID)+"/add/evidence/file", kind, body)
		if out.Code != row.code || (body.read > 0) != row.read {
			t.Errorf("%s: %d and %d bytes read, want %d, and that it reads: %t", row.why, out.Code, body.read, row.code, row.read)
		}
	}
}
