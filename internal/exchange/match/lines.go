package match

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/polder-exchange/polder/internal/cli"
)

// asked is a line of a file of values.
type asked struct {
	Line  int
	Given string // as it stands there
	Value string // normalised
}

// lines reads values, one a line; empty lines and those that begin with # are none. An error that names a line is of that
// line alone, and reading goes on; any other ends it.
func lines(name string, r io.Reader, k Kind) iter.Seq2[asked, error] {
	return func(yield func(asked, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 0, 64<<10), 1<<20)
		for n := 1; s.Scan(); n++ {
			given := strings.TrimSpace(strings.TrimPrefix(s.Text(), "\ufeff"))
			if given == "" || strings.HasPrefix(given, "#") {
				continue
			}
			v, err := Normalise(k, given)
			if err != nil {
				err = cli.At(name, n, err)
			}
			if !yield(asked{n, given, v}, err) {
				return
			}
		}
		if err := s.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = errors.New("a line is longer than 1 MiB; write one value a line")
			}
			yield(asked{}, cli.At(name, 0, err))
		}
	}
}
