package screen

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// runFile asks about the parties of a file.
func (f *screenFlags) runFile(cmd *cobra.Command, s *Screener, q Query, o Options) (hits int, err error) {
	in, err := cli.Open(cmd, f.file)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	parties, err := NewPartyReader(f.file, in, PartyOptions{Column: f.column, Encoding: f.encoding, Sheet: f.sheet})
	if err != nil {
		return 0, err
	}
	defer parties.Close()
	for _, note := range parties.Notes() {
		cli.Err(cmd).Printf("polder: %s\n", note)
	}
	out, err := f.output(cmd, s, o)
	if err != nil {
		return 0, err
	}
	r := fileRun{parties: parties, kind: q.Type, out: out, noted: len(parties.Notes())}
	bar := cli.NewProgress(cmd, "asking", -1)
	err = r.run(cmd, f, s, o, bar)
	bar.Done()
	if closed := out.close(); err == nil {
		err = closed
	}
	for _, note := range parties.Notes()[r.noted:] {
		cli.Err(cmd).Printf("polder: %s\n", note)
	}
	for _, words := range r.failed {
		cli.Err(cmd).Printf("polder: %s\n", words)
	}
	if err != nil {
		return out.hits, err
	}
	cli.Err(cmd).Printf("polder: %s\n", r.summary(s))
	if r.wrong > 0 {
		return out.hits, fmt.Errorf("%d of the rows could not be asked about; the answers say why", r.wrong)
	}
	return out.hits, nil
}

// fileRun is one go over a file of parties.
type fileRun struct {
	parties *PartyReader
	kind    names.Type
	out     *output
	noted   int // how many notes were said before

	asked, wrong int
	failed       []string // the first that could not be asked about
}

// mostFailed is how many rows that could not be asked about are named.
const mostFailed = 20

func (r *fileRun) run(cmd *cobra.Command, f *screenFlags, s *Screener, o Options, bar *cli.Progress) error {
	next := func() (FileParty, error) {
		p, err := r.parties.Next()
		if r.kind != names.Any {
			p.Query.Type = r.kind
		}
		return p, err
	}
	for i := range r.out.before {
		p, err := next()
		if errors.Is(err, io.EOF) {
			return cli.At(f.rest, 0, errors.New("it holds answers for more parties than the file has; give another name to begin anew"))
		}
		if err != nil {
			return err
		}
		if r.out.before[i] != r.out.form.sum(p.Query.Name) {
			return cli.At(f.rest, 0, fmt.Errorf("what it answers for row %d is not what stands there in %s; give another name to begin anew", p.Row, f.file))
		}
		r.count(p)
		bar.Add(1)
	}
	return s.ScreenAll(cmd.Context(), o, next, func(x Answered) error {
		x.Answer.Asked = f.Now().UTC()
		r.count(x.Party)
		bar.Add(1)
		return r.out.add(x)
	})
}

func (r *fileRun) count(p FileParty) {
	r.asked++
	if p.Err == nil {
		return
	}
	if r.wrong++; r.wrong <= mostFailed {
		r.failed = append(r.failed, p.Err.Error())
	}
}

// summary says what a run came to.
func (r *fileRun) summary(s *Screener) string {
	text := fmt.Sprintf("%d parties asked about, %d with hits, on %s", r.asked-r.wrong, r.out.with, namedLists(s.Lists(), lists.Restricted))
	if n := len(r.out.before); n > 0 {
		text += fmt.Sprintf("; %d of them were answered before", n)
	}
	return text
}
