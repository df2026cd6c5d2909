package indicator

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Entry is one indicator of a block list.
type Entry struct {
	Kind        Kind
	Value       string
	ID          string    // of the object that it comes from
	Description string    // name or description, for the person who reads an alarm
	Source      string    // community or organisation that it comes from
	Label       string    // marking, such as TLP:AMBER
	ValidUntil  time.Time // zero: open
}

// Skipped is an entry that a format cannot carry, with the reason.
type Skipped struct {
	Entry  Entry
	Reason string
}

// Every writer follows the same rules: a value is written normalised; an entry is exactly one record, or it is skipped
// with a reason; nothing in a value or a text starts a record, a field or a comment of its own. What must not be
// blocked is not known here: ask [Warnings.Check] first.

// list is the entries that a format can take, each value once.
type list struct {
	seen    map[Value]bool
	skipped []Skipped
}

// take normalises an entry and says whether it is to be written. once also skips a value that came before.
func (l *list) take(e *Entry, once bool) bool {
	v, err := Normalise(e.Kind, e.Value)
	if err != nil {
		l.skip(*e, err.Error())
		return false
	}
	e.Value = v
	if once {
		key := Value{e.Kind, v}
		if l.seen[key] {
			l.skip(*e, "the same value is in the list already")
			return false
		}
		if l.seen == nil {
			l.seen = map[Value]bool{}
		}
		l.seen[key] = true
	}
	return true
}

func (l *list) skip(e Entry, reason string) {
	l.skipped = append(l.skipped, Skipped{e, reason})
}

// oneLine makes a text fit for a place where only plain characters may stand: no control characters and none of those
// that mean something there. It is cut at 200 characters.
func oneLine(s, forbidden string) string {
	count := 0
	s = strings.Map(func(r rune) rune {
		if count++; count > 200 {
			return -1
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == utf8.RuneError || strings.ContainsRune(forbidden, r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// WritePlain writes one value a line, for firewalls and proxies that read such lists. A value that holds a line break, or
// that starts with # and so reads as a comment, is skipped.
func WritePlain(w io.Writer, entries []Entry) ([]Skipped, error) {
	var l list
	b := bufio.NewWriter(w)
	for _, e := range entries {
		switch {
		case !l.take(&e, true):
		case hasControl(e.Value):
			l.skip(e, "the value holds a line break or a control character")
		case e.Value[0] == '#' || e.Value[0] == ';' || strings.HasPrefix(e.Value, "//"):
			l.skip(e, "the value would read as a comment")
		default:
			fmt.Fprintln(b, e.Value)
		}
	}
	return l.skipped, b.Flush()
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 })
}

// zeekTypes are the types of Zeek's intelligence framework.
var zeekTypes = map[Kind]string{
	IPv4: "Intel::ADDR", IPv6: "Intel::ADDR", CIDR: "Intel::SUBNET", Domain: "Intel::DOMAIN", URL: "Intel::URL", Email: "Intel::EMAIL",
	MD5: "Intel::FILE_HASH", SHA1: "Intel::FILE_HASH", SHA256: "Intel::FILE_HASH", SHA512: "Intel::FILE_HASH", Filename: "Intel::FILE_NAME",
}

// WriteZeek writes a file for Zeek's intelligence framework. URLs lose their scheme, as Zeek has them.
func WriteZeek(w io.Writer, entries []Entry) ([]Skipped, error) {
	var l list
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc")
	for _, e := range entries {
		typ, ok := zeekTypes[e.Kind]
		switch {
		case !l.take(&e, true):
		case !ok:
			l.skip(e, "Zeek has no intelligence of the kind "+string(e.Kind))
		default:
			value := e.Value
			if e.Kind == URL {
				_, value, _ = strings.Cut(value, "://")
			}
			fmt.Fprintf(b, "%s\t%s\t%s\t%s\n", zeekField(value), typ, zeekField(zeekText(e.Source)), zeekField(zeekText(describe(e))))
		}
	}
	return l.skipped, b.Flush()
}

func zeekText(s string) string { return oneLine(s, "") }

// zeekField escapes what means something to Zeek's reader: control characters, the backslash, and a field that would
// read as a comment, as unset or as empty.
func zeekField(s string) string {
	if s == "" {
		return "-"
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c == 0x7f || c == '\\' || i == 0 && (c == '#' || c == '(' || c == '-' && len(s) == 1) {
			fmt.Fprintf(&b, `\x%02x`, c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// describe is the description with the marking and the id, as an alarm shows it.
func describe(e Entry) string {
	var parts []string
	for _, s := range []string{e.Label, oneLine(e.Description, ""), e.ID} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}
