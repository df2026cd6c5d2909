package lists

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/polder-exchange/polder"
)

// WriteJSONL writes a read list as it is kept on disk: JSON lines, the [Meta] first, then an [Entry] a line, compressed
// with zstd. [ReadJSONL] reads back exactly what was written.
func WriteJSONL(w io.Writer, l *List) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(z, 64<<10)
	if err := writeLine(out, &l.Meta); err != nil {
		return err
	}
	for i := range l.Parties {
		if err := writeLine(out, &l.Parties[i]); err != nil {
			return fmt.Errorf("list %s, entry %s: %w", l.Name, l.Parties[i].ID, err)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return z.Close()
}

func writeLine(out *bufio.Writer, v any) error {
	if err := json.MarshalWrite(out, v); err != nil {
		return err
	}
	return out.WriteByte('\n')
}

// ReadJSONL reads a list that [WriteJSONL] wrote. A file that was cut off or changed is an error; name stands in it.
func ReadJSONL(name string, r io.Reader) (*List, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	k := keeper{in: newRows(name, bufio.NewReaderSize(z, 64<<10), 0), texts: map[string]string{}}
	l := new(List)
	if err := k.next(&l.Meta); err != nil {
		return nil, k.fault(err)
	}
	if l.Entries < 0 || l.Entries > maxEntries {
		return nil, k.fault(fmt.Errorf("%d entries", l.Entries))
	}
	l.Parties = make([]Entry, 0, min(l.Entries, 100_000))
	for range l.Entries {
		var e Entry
		if err := k.next(&e); err != nil {
			return nil, k.fault(err)
		}
		k.share(&e)
		l.Parties = append(l.Parties, e)
	}
	if err := k.next(new(Entry)); err != io.EOF {
		return nil, k.fault(fmt.Errorf("more than the %d entries that it names", l.Entries))
	}
	if len(l.Parties) == 0 {
		l.Parties = nil
	}
	return l, nil
}

// keeper reads the lines of a kept list, and keeps repeated texts once.
type keeper struct {
	in    *rows
	texts map[string]string
}

// next reads one line; io.EOF behind the last.
func (k *keeper) next(v any) error {
	k.in.line = k.in.next1
	line, err := k.in.readLine()
	if err != nil && (err != io.EOF || len(line) > 0) {
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	if err == io.EOF {
		return io.EOF
	}
	return json.Unmarshal(bytes.TrimSuffix(line, []byte{'\n'}), v)
}

func (k *keeper) fault(err error) error {
	if located(err) {
		return err
	}
	return polder.Errorf(polder.Invalid, "%s:%d: the kept list is damaged: %w; import it again", k.in.name, k.in.line, err)
}

// share keeps equal texts once: a million entries share their programmes, countries and measures.
func (k *keeper) share(e *Entry) {
	for _, p := range []*string{&e.List, &e.Means, &e.Listed, &e.Changed, &e.URL} {
		*p = k.text(*p)
	}
	for _, list := range [][]string{e.Countries, e.Births, e.Programmes} {
		for i := range list {
			list[i] = k.text(list[i])
		}
	}
	for i := range e.Aliases {
		e.Aliases[i].Kind = k.text(e.Aliases[i].Kind)
	}
	for i := range e.Identifiers {
		e.Identifiers[i].Kind, e.Identifiers[i].Country = k.text(e.Identifiers[i].Kind), k.text(e.Identifiers[i].Country)
	}
}

func (k *keeper) text(s string) string {
	if s == "" {
		return ""
	}
	if t, ok := k.texts[s]; ok {
		return t
	}
	if len(k.texts) < 200_000 {
		k.texts[s] = s
	}
	return s
}
