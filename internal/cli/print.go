package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/polder-exchange/polder/internal/fail"
)

// Printer prints for people and for scripts. What it prints cannot steer a terminal. An error of the writer is
// remembered and ends the command with exit code 1, so most callers need not look at it.
type Printer struct {
	w    io.Writer
	json bool
}

// Out is the printer of a command's standard output.
func Out(cmd *cobra.Command) *Printer {
	f := cmd.Flags().Lookup("json")
	return &Printer{w: cmd.OutOrStdout(), json: f != nil && f.Value.String() == "true"}
}

// Err is a printer of a command's standard error, for what is said beside the result.
func Err(cmd *cobra.Command) *Printer { return &Printer{w: cmd.ErrOrStderr()} }

// AsJSON tells whether the caller asked for JSON.
func (p *Printer) AsJSON() bool { return p.json }

// Printf prints as fmt does, but texts among args (strings, bytes, errors, whatever has a String method) are made
// [Visible] first: a line break in them stays in its line.
func (p *Printer) Printf(format string, args ...any) {
	safe := make([]any, len(args))
	for i, a := range args {
		safe[i] = visibleArg(a)
	}
	fmt.Fprintf(p.w, format, safe...)
}

func visibleArg(a any) any {
	switch a := a.(type) {
	case string:
		return Visible(a)
	case []byte:
		return Visible(string(a))
	case error:
		return Visible(a.Error())
	case fmt.Stringer:
		return Visible(a.String())
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64:
		return a
	}
	return Visible(fmt.Sprint(a))
}

// Table prints rows in columns under a heading. Without rows it prints nothing.
func (p *Printer) Table(heading []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = Visible(c)
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	_ = t.Flush() // its error is that of the writer, which is remembered
}

// JSON prints v as one line. Every value arrives as it is; characters that steer a terminal are written as escapes.
func (p *Printer) JSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := p.w.Write(escapeJSON(b.Bytes()))
	return err
}

// escapeJSON writes what [Visible] would show as \u escapes. In valid JSON such characters stand in strings only; the
// line break at the end stays.
func escapeJSON(text []byte) []byte {
	plain := true
	for _, c := range text {
		plain = plain && c < utf8.RuneSelf && c != 0x7f
	}
	if plain {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for _, r := range string(text) {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || shown(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// Raw is a writer for documents (an export, a backup): bytes go out as they are, except onto a terminal, where control
// characters other than line breaks and tabs are made visible.
func (p *Printer) Raw() io.Writer {
	if terminal(p.w) {
		return &screen{w: p.w}
	}
	return p.w
}

// OnTerminal tells whether what the command prints is read by a person at a terminal.
func OnTerminal(cmd *cobra.Command) bool { return terminal(cmd.OutOrStdout()) }

// terminal tells whether w is one.
func terminal(w io.Writer) bool {
	if o, ok := w.(*watched); ok {
		w = o.w
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// screen makes visible what it is given, character by character: one that is cut in two by a write waits for its rest.
type screen struct {
	w    io.Writer
	rest []byte
}

func (s *screen) Write(p []byte) (int, error) {
	text := append(s.rest, p...)
	end := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if c := text[len(text)-back]; utf8.RuneStart(c) {
			if !utf8.FullRune(text[len(text)-back:]) {
				end = len(text) - back
			}
			break
		}
	}
	var b strings.Builder
	for part := range strings.SplitAfterSeq(string(text[:end]), "\n") {
		line, broken := strings.CutSuffix(part, "\n")
		for i, cell := range strings.Split(line, "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(Visible(cell))
		}
		if broken {
			b.WriteByte('\n')
		}
	}
	s.rest = bytes.Clone(text[end:])
	if _, err := io.WriteString(s.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Visible shows what a terminal would obey or hide: control characters (ESC, CR, C1 …), the marks that turn the
// direction of writing, characters without width, and bytes that are no text come out as \x1b, \u202e and so on.
func Visible(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !shown(r) {
			clean = false
			break
		}
	}
	if clean || fail.Bug("terminal-obeys") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case shown(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}

// shown tells whether r may be sent to a terminal: letters, marks, digits, signs and spaces.
func shown(r rune) bool { return unicode.IsPrint(r) || unicode.Is(unicode.Zs, r) }
