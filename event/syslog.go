package event

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// This file reads lines of syslog: the form of RFC 5424, the older ones that RFC 3164 describes with the many dates that
// are in use, and lines of firewalls that have no date of their own. The fields are facility, severity, timestamp,
// hostname, appname, procid, msgid, structured data as id.parameter, and message; what devices put into the message is
// read by the files syslog_*.go. A line that has none of these forms is a message without a date: logs hold the further
// lines of messages that span several.

// syslogFormat is the format of system logs.
func syslogFormat() format {
	return format{
		name:    Syslog,
		mapping: "syslog",
		sniff:   sniffSyslog,
		cutter:  cutDated,
		reader:  func() reader { return new(syslogReader) },
	}
}

// sniffSyslog looks at the first lines: most must begin with a priority or a date.
func sniffSyslog(h *head) int {
	all := h.lines(20)
	priority, dated, device := 0, 0, 0
	for _, line := range all {
		var m syslogLine
		if m.parse(line) != nil {
			continue
		}
		switch {
		case m.priority >= 0:
			priority++
		case len(m.stamp) > 0 && (len(m.host) > 0 || len(m.app) > 0):
			dated++
		case isFortiLine(m.message):
			device++
		}
	}
	switch n := priority + dated + device; {
	case len(all) == 0 || 2*n < len(all)+1:
		return 0
	case priority+device == len(all):
		return 80
	}
	return 60
}

// The names of the fields that every line may have.
var (
	nameFacility  = Intern("facility")
	nameSeverity  = Intern("severity")
	nameTimestamp = Intern("timestamp")
	nameHostname  = Intern("hostname")
	nameAppname   = Intern("appname")
	nameProcid    = Intern("procid")
	nameMsgid     = Intern("msgid")
	nameMessage   = Intern("message")
)

// syslogLine is a line taken apart; its parts point into it.
type syslogLine struct {
	priority int // -1 without
	stamp    []byte
	host     []byte
	app      []byte
	proc     []byte
	msgid    []byte
	data     []byte // structured data
	message  []byte
}

// parse takes a line apart. An error says that it claims to be RFC 5424, or to have a priority, and is not so.
func (m *syslogLine) parse(line []byte) error {
	*m = syslogLine{priority: -1}
	line = octetCount(line)
	if len(line) > 1 && line[0] == '<' && isDigit(line[1]) {
		end := bytes.IndexByte(line[:min(len(line), 6)], '>')
		n, err := strconv.Atoi(string(line[1:max(end, 1)]))
		if err != nil || n > 191 {
			return errors.New("the line begins with <, but no priority from <0> to <191> stands there")
		}
		m.priority = n
		line = line[end+1:]
		if len(line) > 1 && line[0] == '1' && line[1] == ' ' {
			return m.modern(line[2:])
		}
	}
	m.classic(line)
	return nil
}

// octetCount takes the length off that a line may have in front when it came over TCP.
func octetCount(line []byte) []byte {
	n := 0
	for n < len(line) && n < 7 && isDigit(line[n]) {
		n++
	}
	if n > 0 && n+1 < len(line) && line[n] == ' ' && line[n+1] == '<' {
		return line[n+1:]
	}
	return line
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// modern reads RFC 5424 behind the version.
func (m *syslogLine) modern(rest []byte) error {
	for i, field := range [5]*[]byte{&m.stamp, &m.host, &m.app, &m.proc, &m.msgid} {
		word, after, ok := bytes.Cut(rest, []byte{' '})
		if !ok {
			return fmt.Errorf("a line of RFC 5424 ends after %d of the fields time, host, application, process and message id", i)
		}
		if string(word) != "-" {
			*field = word
		}
		rest = after
	}
	if len(rest) > 0 && rest[0] == '[' {
		n := structured(rest)
		if n < 0 {
			return errors.New("the structured data of a line of RFC 5424 is not closed: a ] is missing")
		}
		m.data, rest = rest[:n], rest[n:]
	} else {
		var dash []byte
		dash, rest, _ = bytes.Cut(rest, []byte{' '})
		if string(dash) != "-" {
			return errors.New("a line of RFC 5424 has no structured data: - or [ must stand before the message")
		}
	}
	m.message = bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte{' '}), []byte("\xef\xbb\xbf"))
	return nil
}

// structured is the length of the structured data that text begins with, -1 when it is not closed.
func structured(text []byte) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			if i+1 == len(text) || text[i+1] != '[' {
				return i + 1
			}
		}
	}
	return -1
}

// classic reads the older forms: a date, a host, a tag with a number in brackets, a message; each may be missing.
func (m *syslogLine) classic(line []byte) {
	rest := bytes.TrimLeft(line, " ")
	if n := stampLength(rest); n > 0 {
		m.stamp, rest = rest[:n], rest[n:]
	} else if n, host := beforeStamp(rest); n > 0 {
		m.host = host
		rest = bytes.TrimLeft(rest[n:], " ")
		n = stampLength(rest)
		m.stamp, rest = rest[:n], rest[n:]
	} else {
		m.tag(rest, m.priority >= 0)
		return
	}
	m.stamp = bytes.TrimLeft(m.stamp, "*.")
	rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte{':'}), " ")
	if m.host == nil {
		rest = m.cutHost(rest)
	}
	m.tag(rest, true)
}

// cutHost takes the host off, the word before the tag.
func (m *syslogLine) cutHost(rest []byte) []byte {
	if len(rest) == 0 || rest[0] == '%' {
		return rest
	}
	word, after, ok := bytes.Cut(rest, []byte{' '})
	if !ok || word[len(word)-1] == ':' || word[len(word)-1] == ']' || bytes.IndexByte(word, '=') > 0 {
		return rest
	}
	m.host = word
	return bytes.TrimPrefix(bytes.TrimLeft(after, " "), []byte(": "))
}

// tag reads the tag in front of the message, if one is there.
func (m *syslogLine) tag(rest []byte, may bool) {
	m.message = rest
	if !may {
		return
	}
	n := 0
	for n < len(rest) && n < 64 && (isKeyByte(rest[n]) || rest[n] == '(' || rest[n] == ')' || rest[n] == '@' || rest[n] == '+') {
		n++
	}
	if n == 0 || n == len(rest) {
		return
	}
	app, after := rest[:n], rest[n:]
	var proc []byte
	if after[0] == '[' {
		end := bytes.IndexByte(after[:min(len(after), 32)], ']')
		if end < 0 {
			return
		}
		proc, after = after[1:end], after[end+1:]
	}
	if len(after) == 0 || after[0] != ':' && proc == nil {
		return
	}
	m.app, m.proc = app, proc
	m.message = bytes.TrimLeft(bytes.TrimPrefix(after, []byte{':'}), " ")
}

// beforeStamp is the length of what Cisco puts before the date: a number, a host, or both, each with a colon. The host
// is given when there is one.
func beforeStamp(text []byte) (n int, host []byte) {
	at := 0
	for range 2 {
		end := bytes.IndexByte(text[at:min(len(text), at+80)], ' ')
		if end < 1 {
			return 0, nil
		}
		word := text[at : at+end]
		at += end + 1
		if bare := bytes.TrimSuffix(word, []byte{':'}); !allDigits(bare) {
			host = bare
		}
		if stampLength(bytes.TrimLeft(text[at:], " ")) > 0 {
			return at, host
		}
		if word[len(word)-1] != ':' {
			return 0, nil
		}
	}
	return 0, nil
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

// syslogReader reads lines of syslog.
type syslogReader struct {
	line  syslogLine
	words words
	pairs pairs
	path  []byte
	base  time.Time
	dated func([]byte) time.Time
	apps  [3]map[string]*Source // by facility: any, that of log-ins, that of cron
}

func (r *syslogReader) read(record []byte, c *Chunk, e *Event) error {
	m := &r.line
	if err := m.parse(record); err != nil {
		return err
	}
	r.pairs.buf = r.pairs.buf[:0]
	if m.priority >= 0 {
		e.add(nameFacility, String, facilities[m.priority>>3])
		e.add(nameSeverity, String, severities[m.priority&7])
	}
	for _, f := range [...]struct {
		name  Name
		value []byte
	}{{nameTimestamp, m.stamp}, {nameHostname, m.host}, {nameAppname, m.app}, {nameProcid, m.proc}, {nameMsgid, m.msgid}} {
		if len(f.value) > 0 {
			e.add(f.name, String, f.value)
		}
	}
	if len(m.data) > 0 {
		r.structured(m.data, e)
	}
	e.add(nameMessage, String, m.message)
	if len(m.stamp) > 0 {
		e.at(m.stamp, r.reads(c))
	}
	r.device(e)
	if e.full() {
		return errFull
	}
	return nil
}

// structured adds the parameters of structured data.
func (r *syslogReader) structured(data []byte, e *Event) {
	for len(data) > 0 && data[0] == '[' && !e.full() {
		n := 1
		for n < len(data) && data[n] != ' ' && data[n] != ']' {
			n++
		}
		r.path = append(append(r.path[:0], data[1:n]...), '.')
		prefix := len(r.path)
		data = data[n:]
		for len(data) > 0 && data[0] == ' ' && !e.full() {
			eq := bytes.IndexByte(data, '=')
			if eq < 0 || eq+1 >= len(data) || data[eq+1] != '"' {
				return
			}
			r.path = append(r.path[:prefix], bytes.TrimLeft(data[:eq], " ")...)
			value, rest, _ := cutQuoted(data[eq+1:])
			if bytes.IndexByte(value, '\\') >= 0 {
				value = r.pairs.plain(value)
			}
			e.add(r.words.name(r.path), String, value)
			data = rest
		}
		if len(data) == 0 || data[0] != ']' {
			return
		}
		data = data[1:]
	}
}

// facilities and severities are the words of RFC 5424 as syslog.conf writes them.
var (
	facilities = texts("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7")
	severities = texts("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
)

func texts(words ...string) [][]byte {
	all := make([][]byte, len(words))
	for i, w := range words {
		all[i] = []byte(w)
	}
	return all
}
