package event

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

// This file reads CEF, the common event format: CEF:0 and seven values between bars, then key=value with blanks in the
// values, alone or as the message of syslog. The fields are deviceVendor, deviceProduct, deviceVersion,
// deviceEventClassId, name, severity, and the keys. A custom value has a label of its own (cs1 and cs1Label): it is a
// field under that label besides.

// cefFormat is the format of CEF.
func cefFormat() format {
	return format{
		name:    CEF,
		mapping: "cef",
		sniff:   sniffCEF,
		cutter:  cutDated,
		reader:  func() reader { return new(cefReader) },
	}
}

func sniffCEF(h *head) int {
	all := h.lines(10)
	right := 0
	for _, line := range all {
		if cefStart(line) >= 0 {
			right++
		}
	}
	if right == 0 || right*2 < len(all) {
		return 0
	}
	return 92
}

// cefStart is where the values behind CEF:0| begin, -1 without.
func cefStart(line []byte) int {
	head := line[:min(len(line), 256)]
	at := bytes.Index(head, []byte("CEF:"))
	if at < 0 {
		return -1
	}
	n := at + 4
	for n < len(head) && (isDigit(head[n]) || head[n] == '.' || head[n] == ' ') {
		n++
	}
	if n == at+4 || n >= len(head) || head[n] != '|' {
		return -1
	}
	return n + 1
}

// cefReader reads a line of CEF. It shares what syslog puts in front with the reader of syslog.
type cefReader struct {
	syslog syslogReader
}

var errCEF = errors.New("no line of CEF: it should hold CEF:0|vendor|product|version|class|name|severity|")

func (r *cefReader) read(record []byte, c *Chunk, e *Event) error {
	s := &r.syslog
	s.pairs.buf = s.pairs.buf[:0]
	start := cefStart(record)
	if start < 0 {
		return errCEF
	}
	if front := bytes.Index(record, []byte("CEF:")); front > 0 {
		m := &s.line
		if m.parse(record) == nil {
			if len(m.stamp) > 0 {
				e.add(nameTimestamp, String, m.stamp)
				e.at(m.stamp, s.reads(c))
			}
			if len(m.host) > 0 {
				e.add(nameHostname, String, m.host)
			}
		}
	}
	if !s.cefValues(record[start:], e) {
		return errCEF
	}
	if e.full() {
		return errFull
	}
	return nil
}

// cef reads the message of a line of syslog whose tag was CEF.
func (r *syslogReader) cef(msg []byte, e *Event) {
	_, rest, ok := bytes.Cut(msg, []byte{'|'})
	if !ok || !r.cefValues(rest, e) {
		e.Source = r.linux()
	}
}

var cefHead = [...]Name{
	Intern("deviceVendor"), Intern("deviceProduct"), Intern("deviceVersion"), Intern("deviceEventClassId"), Intern("name"), nameSeverity,
}

// cefValues reads what stands behind CEF:0|; false when a bar is missing.
func (r *syslogReader) cefValues(rest []byte, e *Event) bool {
	var vendor, product []byte
	for i, name := range cefHead {
		bar := unescapedIndex(rest, '|')
		if bar < 0 {
			return false
		}
		value := r.cefText(rest[:bar])
		rest = rest[bar+1:]
		switch i {
		case 0:
			vendor = value
		case 1:
			product = value
		}
		e.add(name, String, value)
	}
	from := len(e.Fields)
	ends := r.cefExtension(rest, e)
	r.labels(e, from)
	e.Source = cefSource(vendor, product, ends)
	return true
}

// unescapedIndex is where c stands without a backslash before it.
func unescapedIndex(text []byte, c byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case c:
			return i
		}
	}
	return -1
}

// cefExtension adds the keys and says whether both ends of a connection are among them. A value ends before the last
// blank in front of the next key.
func (r *syslogReader) cefExtension(text []byte, e *Event) (ends bool) {
	found := 0
	eq := unescapedIndex(text, '=')
	for eq >= 0 && !e.full() {
		key := text[:eq]
		if blank := bytes.LastIndexByte(key, ' '); blank >= 0 {
			key = key[blank+1:]
		}
		text = text[eq+1:]
		eq = unescapedIndex(text, '=')
		value := text
		if eq >= 0 {
			blank := bytes.LastIndexByte(text[:eq], ' ')
			if blank < 0 {
				blank = 0
			}
			value, text = text[:blank], text[blank:]
			eq -= blank
		}
		if len(key) == 0 || len(key) > 128 {
			continue
		}
		value = r.cefText(bytes.TrimRight(value, " \r\n"))
		switch string(key) {
		case "src", "dst":
			found++
		case "rt":
			e.at(value, readCEFStamp)
		case "start", "end", "deviceReceiptTime":
			if e.when.read == nil {
				e.at(value, readCEFStamp)
			}
		}
		e.add(r.words.name(key), String, value)
	}
	return found >= 2
}

// cefText resolves the escapes of CEF.
func (r *syslogReader) cefText(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	from := len(r.pairs.buf)
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			switch text[i+1] {
			case '\\', '|', '=':
				i++
				c = text[i]
			case 'n':
				i++
				c = '\n'
			case 'r':
				i++
				c = '\r'
			}
		}
		r.pairs.buf = append(r.pairs.buf, c)
	}
	return r.pairs.buf[from:len(r.pairs.buf):len(r.pairs.buf)]
}

// maxLabelled is among how many keys of an event labels are looked for.
const maxLabelled = 512

// labels adds the custom values under their labels: cs1=x cs1Label=Policy is Policy=x too.
func (r *syslogReader) labels(e *Event, from int) {
	end := min(len(e.Fields), from+maxLabelled)
	for i := from; i < end; i++ {
		base, ok := strings.CutSuffix(e.Fields[i].Name.String(), "Label")
		label := e.Fields[i].Value
		if !ok || len(label) == 0 || len(label) > 64 {
			continue
		}
		for k := from; k < end; k++ {
			if f := e.Fields[k]; f.Name.String() == base {
				e.add(r.words.name(label), String, f.Value)
				break
			}
		}
	}
}

// cefProducts are Sigma's products by the beginning of the vendor's name in lower case.
var cefProducts = []struct{ vendor, product string }{
	{"fortinet", "fortigate"}, {"palo alto", "paloalto"}, {"cisco", "cisco"}, {"juniper", "juniper"}, {"huawei", "huawei"},
	{"check point", "checkpoint"}, {"sophos", "sophos"}, {"f5", "f5"}, {"citrix", "citrix"}, {"zscaler", "zscaler"},
	{"sonicwall", "sonicwall"}, {"watchguard", "watchguard"}, {"ivanti", "ivanti"}, {"pulse", "ivanti"}, {"barracuda", "barracuda"},
}

// cefSource is the source by vendor and product. What names both ends of a connection is of the category firewall;
// products against malware are of antivirus.
func cefSource(vendor, product []byte, ends bool) *Source {
	var buf [64]byte
	v := lower(buf[:0], vendor)
	known := ""
	for _, p := range cefProducts {
		if strings.HasPrefix(string(v), p.vendor) {
			known = p.product
			break
		}
	}
	var pbuf [64]byte
	p := lower(pbuf[:0], product)
	for _, word := range antivirusWords {
		if bytes.Contains(p, word) {
			return cefAntivirus
		}
	}
	if ends {
		return cefKinds[known].firewall
	}
	return cefKinds[known].plain
}

var antivirusWords = texts("antivirus", "anti-virus", "antimalware", "anti-malware", "endpoint protection", "deep security agent")

var cefAntivirus = knownSource("", []string{"antivirus"}, nil)

// cefKinds are the sources of each product, made once.
var cefKinds = func() map[string]struct{ plain, firewall *Source } {
	m := map[string]struct{ plain, firewall *Source }{"": {&nothing, knownSource("", firewallCategory, nil)}}
	for _, p := range cefProducts {
		m[p.product] = struct{ plain, firewall *Source }{knownSource(p.product, nil, nil), knownSource(p.product, firewallCategory, nil)}
	}
	return m
}()

// lower appends at most 64 bytes of text in lower case.
func lower(dst, text []byte) []byte {
	for _, c := range text[:min(len(text), 64)] {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// readCEFStamp reads milliseconds since 1970 and the dates that CEF allows, Jan 02 2006 15:04:05 with a zone among them.
func readCEFStamp(text []byte) time.Time {
	if t := readStamp(text); !t.IsZero() {
		return t
	}
	return readSyslogStamp(text, time.Time{})
}
