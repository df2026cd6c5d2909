package screen

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
)

// output is where the answers of a file of parties go: standard output, or a file that a later run may continue.
type output struct {
	form   answerForm
	write  func([]byte) error
	close  func() error
	before []uint64 // a digest of each name that an earlier run answered about, in the order of the rows
	hits   int      // of all answers, the earlier ones too
	with   int      // how many answers have hits
}

// answerForm is a form in which answers are written. sum digests a name as the form writes it.
type answerForm interface {
	heading() []byte
	line(x Answered) ([]byte, error)
	sum(name string) uint64
	// read reads what an earlier run wrote: digests and hits go into o. It returns where the last whole answer ends.
	read(name string, in io.Reader, o *output) (end int64, err error)
}

func (o *output) add(x Answered) error {
	if n := len(x.Answer.Hits); n > 0 {
		o.hits += n
		o.with++
	}
	text, err := o.form.line(x)
	if err != nil {
		return err
	}
	return o.write(text)
}

// output opens what the answers are written to.
func (f *screenFlags) output(cmd *cobra.Command, s *Screener, q Options) (*output, error) {
	var form answerForm = &lineForm{lists: shownLists(s.Lists()), threshold: q.Threshold}
	if f.csv {
		var asked []string
		for _, m := range s.Lists() {
			asked = append(asked, m.Name+" "+cmp.Or(m.Date, "undated")+" "+clip(m.SHA256, 12))
		}
		form = &tableForm{asked: strings.Join(asked, "; "), threshold: strconv.FormatFloat(q.Threshold, 'f', -1, 64)}
	}
	if f.rest != "" {
		return openOutput(f.rest, form)
	}
	p := cli.Out(cmd)
	o := &output{form: form, close: func() error { return nil }}
	if !f.csv {
		o.write = func(b []byte) error { return p.JSON(json.RawMessage(bytes.TrimSpace(b))) }
		return o, nil
	}
	raw := bufio.NewWriterSize(p.Raw(), 1<<16)
	o.write = func(b []byte) error { _, err := raw.Write(b); return err }
	o.close = raw.Flush
	return o, o.write(form.heading())
}

// openOutput opens a file of answers, or makes one. What an interrupted run left half-written at its end is cut off; a
// file that holds anything else is left as it is.
func openOutput(name string, form answerForm) (*output, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	o := &output{form: form}
	fail := func(err error) (*output, error) {
		_ = file.Close()
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return fail(cli.At(name, 0, errors.Join(err, errors.New("it is no file that can be continued"))))
	}
	end, err := form.read(name, bufio.NewReaderSize(file, 1<<16), o)
	if err != nil {
		return fail(err)
	}
	if err := file.Truncate(end); err != nil {
		return fail(err)
	}
	if _, err := file.Seek(end, io.SeekStart); err != nil {
		return fail(err)
	}
	w := bufio.NewWriterSize(file, 1<<16)
	o.write = func(b []byte) error { _, err := w.Write(b); return err }
	o.close = func() error { return errors.Join(w.Flush(), file.Sync(), file.Close()) }
	if end == 0 {
		if err := o.write(form.heading()); err != nil {
			return fail(err)
		}
	}
	return o, nil
}

// notOurs is the error of a file that an earlier run did not write, or wrote when something else was asked.
func notOurs(name string, line int, why string) error {
	return cli.At(name, line, fmt.Errorf("%s; give another name to begin anew", why))
}

// lineForm writes an answer a line, as JSON.
type lineForm struct {
	lists     json.RawMessage
	threshold float64
}

func (l *lineForm) heading() []byte { return nil }

func (l *lineForm) line(x Answered) ([]byte, error) {
	a := showAnswer(&x.Answer, l.lists)
	if a.Row = x.Party.Row; x.Party.Err != nil {
		a.Ref, a.Query, a.Threshold, a.Error = x.Party.Query.Ref, x.Party.Query.Name, l.threshold, x.Party.Err.Error()
	}
	a.Query = clip(a.Query, maxShownName)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(a)
	return b.Bytes(), err
}

// maxShownName is how many characters of a name an answer repeats.
const maxShownName = 2_000

func (l *lineForm) sum(name string) uint64 {
	return xxhash.Sum64String(strings.ToValidUTF8(clip(name, maxShownName), "\ufffd"))
}

func (l *lineForm) read(name string, in io.Reader, o *output) (end int64, err error) {
	r := bufio.NewReaderSize(in, 1<<16)
	for n := 1; ; n++ {
		text, err := readWhole(r, maxAnswerLine)
		if errors.Is(err, io.EOF) {
			if n == 1 && len(text) > 0 && !bytes.HasPrefix(text, []byte(`{"row":1,`)) {
				return 0, notOurs(name, 1, "it holds something else than answers")
			}
			return end, nil
		}
		if err != nil {
			return 0, cli.At(name, n, err)
		}
		var a struct {
			Row       int
			Query     *string
			Hits      []json.RawMessage
			Lists     json.RawMessage
			Threshold float64
		}
		switch err := json.Unmarshal(text, &a); {
		case err != nil || a.Row != n || a.Query == nil:
			return 0, notOurs(name, n, "it is no answer of row "+strconv.Itoa(n))
		case !bytes.Equal(a.Lists, l.lists):
			return 0, notOurs(name, n, "other lists were asked, or other versions of them")
		case a.Threshold != l.threshold:
			return 0, notOurs(name, n, fmt.Sprintf("the threshold was %v, not %v", a.Threshold, l.threshold))
		}
		o.before = append(o.before, l.sum(*a.Query))
		if o.hits += len(a.Hits); len(a.Hits) > 0 {
			o.with++
		}
		end += int64(len(text))
	}
}

// maxAnswerLine is how many bytes an answer has at most.
const maxAnswerLine = 64 << 20

// readWhole is the next line with its break; io.EOF with what stands behind the last break.
func readWhole(r *bufio.Reader, most int) ([]byte, error) {
	var text []byte
	for {
		piece, err := r.ReadSlice('\n')
		text = append(text, piece...)
		switch {
		case len(text) > most:
			return nil, fmt.Errorf("the line has more than %d bytes; it is no answer", most)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		}
		return text, err
	}
}

// tableForm writes a row for each hit, and one for each party without.
type tableForm struct {
	asked, threshold string
}

// tableHeading are the columns of a table of answers.
var tableHeading = []string{"row", "ref", "query", "outcome", "score", "id", "list", "list_date", "listed_name", "met_name", "type", "programmes", "means", "why", "threshold", "lists_asked"}

func (t *tableForm) heading() []byte { return csvRows(tableHeading) }

func csvRows(rows ...[]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		_ = w.Write(guarded(append([]string(nil), row...)...)) // a buffer takes all
	}
	w.Flush()
	return b.Bytes()
}

func (t *tableForm) line(x Answered) ([]byte, error) {
	p, a := &x.Party, &x.Answer
	first := []string{strconv.Itoa(p.Row), p.Query.Ref, clip(p.Query.Name, maxShownName)}
	last := []string{t.threshold, t.asked}
	row := func(cells ...string) []string {
		return append(append(append([]string(nil), first...), cells...), last...)
	}
	switch {
	case p.Err != nil:
		return csvRows(row("not asked", "", "", "", "", "", "", "", "", "", p.Err.Error())), nil
	case len(a.Hits) == 0:
		return csvRows(row("no hit", "", "", "", "", "", "", "", "", "", "")), nil
	}
	var rows [][]string
	for _, h := range a.Hits {
		e, date := h.Listing, ""
		if m := a.list(h.List); m != nil {
			date = m.Date
		}
		rows = append(rows, row("hit", strconv.FormatFloat(h.Score, 'f', 4, 64), h.ID, h.List, date, e.Name, h.Name, e.Type.String(),
			strings.Join(e.Programmes, "; "), e.Means, h.Why))
	}
	return csvRows(rows...), nil
}

func (t *tableForm) sum(name string) uint64 {
	return xxhash.Sum64String(strings.ReplaceAll(guardCell(clip(name, maxShownName)), "\r\n", "\n"))
}

// read takes the rows of the last party away: whether they are all there cannot be told.
func (t *tableForm) read(name string, in io.Reader, o *output) (end int64, err error) {
	r := csv.NewReader(in)
	r.FieldsPerRecord = len(tableHeading)
	first, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return 0, nil
	case err != nil || strings.Join(first, ",") != strings.Join(tableHeading, ","):
		return 0, notOurs(name, 1, "it holds something else than a table of answers")
	}
	end = r.InputOffset()
	hits := 0 // of the party that is being read
	for {
		at := r.InputOffset()
		cells, err := r.Read()
		if err != nil { // the end, or a row that is half-written
			o.before = o.before[:max(len(o.before)-1, 0)]
			return end, nil
		}
		line, _ := r.FieldPos(0)
		switch n := strconv.Itoa(len(o.before)); {
		case cells[0] == n && n != "0":
		case cells[0] == strconv.Itoa(len(o.before)+1):
			o.took(hits)
			end, hits = at, 0
			o.before = append(o.before, xxhash.Sum64String(cells[2]))
		default:
			return 0, notOurs(name, line, "it is no answer of row "+strconv.Itoa(len(o.before)+1))
		}
		if last, asked := cells[len(cells)-1], guardCell(t.asked); last != asked {
			if _, err := r.Read(); errors.Is(err, io.EOF) && strings.HasPrefix(asked, last) { // half-written
				o.before = o.before[:len(o.before)-1]
				return end, nil
			}
			return 0, notOurs(name, line, "other lists were asked, or other versions of them")
		}
		if cells[len(cells)-2] != t.threshold {
			return 0, notOurs(name, line, fmt.Sprintf("the threshold was %s, not %s", cells[len(cells)-2], t.threshold))
		}
		if cells[3] == "hit" {
			hits++
		}
	}
}

// took counts the hits of a party that an earlier run answered about.
func (o *output) took(hits int) {
	if o.hits += hits; hits > 0 {
		o.with++
	}
}
