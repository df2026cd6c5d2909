package event

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// recognise is the format that is most certain of the head.
func recognise(h *head) (*format, error) {
	all := formats()
	best, most := -1, 0
	for i := range all {
		if sure := all[i].sniff(h); sure > most {
			best, most = i, sure
		}
	}
	if best >= 0 {
		return &all[best], nil
	}
	if len(bytes.TrimSpace(h.data)) == 0 && h.whole {
		return formatOf(JSON), nil
	}
	return nil, errors.New("no log format is recognised: the file " + looks(h.data) +
		"; name its format if it is one of " + formatList())
}

// magics are beginnings of files that are no logs, or that hold logs which must be taken out first.
var magics = []struct{ begin, what string }{
	{"PK\x03\x04", "is a zip archive: unpack it first"},
	{"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it first"},
	{"Rar!", "is a rar archive: unpack it first"},
	{"\xfd7zXZ\x00", "is compressed with xz: unpack it first"},
	{"BZh", "is compressed with bzip2: unpack it first"},
	{"\x04\x22\x4d\x18", "is compressed with lz4: unpack it first"},
	{"PAR1", "is Parquet, which holds a history and not a log"},
	{"SQLite format 3\x00", "is an SQLite database"},
	{"MZ", "is a Windows program"},
	{"\x7fELF", "is a program"},
	{"%PDF", "is a PDF document"},
	{"\x89PNG", "is a picture"},
	{"\xff\xd8\xff", "is a picture"},
	{"\xd4\xc3\xb2\xa1", "is a packet capture: run Zeek or Suricata over it and read their logs"},
	{"\x0a\x0d\x0d\x0a", "is a packet capture: run Zeek or Suricata over it and read their logs"},
	{"\x30\x00\x00\x00LfLe", "is an event log of Windows XP, older than EVTX"},
}

// looks says in words what data looks like.
func looks(data []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(data, []byte(m.begin)) {
			return m.what
		}
	}
	odd := 0
	sample := data[:min(len(data), 4096)]
	for _, c := range sample {
		if c < ' ' && !isSpace(c) && c != '\f' && c != 0x1b {
			odd++
		}
	}
	if odd*50 > len(sample) || !utf8.Valid(sample[:max(0, len(sample)-utf8.UTFMax)]) && odd > 0 {
		return "holds binary data"
	}
	line, _, _ := bytes.Cut(bytes.TrimSpace(sample), []byte{'\n'})
	return fmt.Sprintf("is text that begins %q", line[:min(len(line), 60)])
}

func formatList() string {
	var b bytes.Buffer
	for i, f := range Formats() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(f))
	}
	return b.String()
}
