package indicator

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/polder-exchange/polder/stix"
)

// confidenceOf is the confidence that an object states.
func confidenceOf(o stix.Object) uint8 {
	n, err := strconv.ParseUint(string(o.Property("confidence")), 10, 8)
	if err != nil || n > 100 {
		return NoConfidence
	}
	return uint8(n)
}

func typesOf(o stix.Object) (types []string) {
	if raw := o.Property("indicator_types"); raw != nil {
		if json.Unmarshal(raw, &types) != nil {
			return nil
		}
	}
	return types
}

// csv reads a table row by row.
func (l *Loader) csv(in *bufio.Reader) error {
	head, err := in.Peek(headBytes)
	if err != nil && err != io.EOF {
		return err
	}
	t := table{each: l.row, told: func(line int, text string) { l.wrong(line, "%s", text) }}
	t.read(in, delimiter(head))
	return nil
}

func (l *Loader) row(r Row) {
	item := Item{Value: Value{r.Kind, r.Value}, Line: r.Line, ID: r.ID, Title: r.Name, Types: r.Labels, ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, Confidence: NoConfidence}
	if item.Title == "" {
		item.Title = r.Description
	}
	if r.Confidence >= 0 {
		item.Confidence = uint8(r.Confidence)
	}
	if r.TLP != "" {
		level, err := stix.ParseMarking(r.TLP)
		if err != nil {
			l.wrong(r.Line, "%v", err)
			return
		}
		item.Marking = level
	}
	l.value(&item)
}

// value gives an item unless its value can be no row of a table.
func (l *Loader) value(item *Item) {
	if item.Kind == Domain || item.Kind == CIDR { // of the others a table refuses none that is normalised
		if _, _, err := place(item.Kind, item.Value.Value); err != nil {
			l.wrong(item.Line, "%v", err)
			return
		}
	}
	l.give(item)
}

// maxLine is the longest line of a list.
const maxLine = 64 << 10

// lines reads a list line by line.
func (l *Loader) lines(in *bufio.Reader) error {
	for line := 1; l.err == nil; line++ {
		text, long, err := readLine(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &LoadError{l.o.Name, line, err.Error()}
		}
		text = strings.TrimSpace(text)
		switch {
		case long:
			l.wrong(line, "the line has more than %d bytes; an indicator is shorter", maxLine)
		case text == "", text[0] == '#', strings.HasPrefix(text, "//"), text[0] == '!':
			l.skip(SkippedBlank)
		case !utf8.ValidString(text):
			l.wrong(line, "the line is not UTF-8; save the file as UTF-8")
		case l.report.Format == LoadFilenames:
			l.path(text, line)
		default:
			l.line(text, line)
		}
	}
	return nil
}

// readLine is the next line without its end; of a long one only the fact.
func readLine(in *bufio.Reader) (text string, long bool, err error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) <= maxLine {
			line = append(line, part...)
		} else {
			long = true
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) == 0 && !long:
			return "", false, io.EOF
		case err != nil && err != io.EOF:
			return "", false, err
		}
		return string(line), long, nil
	}
}

// line reads a value with what may stand behind it.
func (l *Loader) line(text string, line int) {
	item := Item{Line: line, Confidence: NoConfidence}
	value, rest := cutComment(text)
	if list := hostsLine(value); list != nil {
		for _, name := range list {
			l.named(name, &item)
		}
		return
	}
	if n, err := strconv.ParseUint(rest, 10, 8); err == nil && n <= 100 {
		item.Confidence = uint8(n)
	} else {
		item.Title = rest
	}
	l.named(value, &item)
}

// cutComment parts a value from the comment behind it: after a semicolon, a comma, a tab, or a # or // with a space before.
func cutComment(text string) (value, comment string) {
	end := len(text)
	for _, sign := range []string{";", "\t", ",", " #", " //"} {
		if i := strings.Index(text, sign); i > 0 && i < end {
			end, comment = i, text[i+len(sign):]
		}
	}
	return strings.Trim(text[:end], ` "`), strings.Trim(comment, ` "`)
}

// hostsLine are the names of a line of a hosts file, which sends them nowhere; nil if it is none.
func hostsLine(text string) []string {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return nil
	}
	switch fields[0] {
	case "0.0.0.0", "127.0.0.1", "::", "::1":
		return fields[1:]
	}
	return nil
}

// named reads a value by its form: defanged, as a filter list writes names (||name^), or with the port of an address.
func (l *Loader) named(text string, item *Item) {
	plain := strings.TrimSuffix(strings.TrimPrefix(text, "||"), "^")
	plain = strings.TrimPrefix(plain, "*.")
	kind, value, err := Recognise(plain)
	if err != nil {
		if host, port, ok := strings.Cut(Refang(plain), ":"); ok && isPort(":"+port) {
			kind, value, err = Recognise(host)
		}
	}
	if err != nil {
		kind, value, err = recogniseLoosely(plain, err)
	}
	if err != nil {
		l.wrong(item.Line, "%v", err)
		return
	}
	item.Value = Value{kind, value}
	l.value(item)
}

// recogniseLoosely takes for a name what has the form of one, though its last part is no top-level domain that is known
// here: in a list of indicators it will hardly be anything else.
func recogniseLoosely(text string, why error) (Kind, string, error) {
	plain := strings.TrimPrefix(Refang(text), ".")
	if name, err := normaliseDomain(plain); err == nil && strings.Contains(name, ".") && !isFilename(plain) && !strings.ContainsAny(plain, "_ ") {
		return Domain, name, nil
	}
	if slash := strings.IndexByte(plain, '/'); slash > 0 {
		if u, err := normaliseURL("http://" + plain); err == nil && urlHostCounts(u) && !strings.Contains(plain[:slash], " ") {
			return URL, u, nil
		}
	}
	return "", "", why
}

// cutScore parts an expression from its score and from the expression that excludes, "expression;75;exclude".
func cutScore(text string) (body string, score uint8, exclude string, ok bool) {
	parts := strings.Split(text, ";")
	for back := 1; back <= 2 && back < len(parts); back++ {
		n, err := strconv.ParseUint(strings.TrimSpace(parts[len(parts)-back]), 10, 8)
		if err != nil || n > 100 {
			continue
		}
		return strings.Join(parts[:len(parts)-back], ";"), uint8(n), strings.Join(parts[len(parts)-back+1:], ";"), true
	}
	return text, NoConfidence, "", false
}

// path reads a line of a list of file names.
func (l *Loader) path(text string, line int) {
	body, score, exclude, _ := cutScore(text)
	e, err := NewPathExpression(body, exclude)
	if err != nil {
		l.wrong(line, "%v", err)
		return
	}
	l.give(&Item{Expression: e, Line: line, Confidence: score})
}

var errEmptyExpression = errors.New("the expression matches everything; name a part of a path")

// unreadable tells what is wrong with an expression.
func unreadable(text string, err error) error {
	return fmt.Errorf("%s is no expression in RE2 syntax: %w", show(text), err)
}
