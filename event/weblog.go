package event

import (
	"bytes"
	"errors"
	"time"
)

// WebLog is the access log of a web server in the common or combined form, with or without the virtual host in front.
const WebLog Format = "weblog"

// webLog is the format of access logs. The fields have the names of Sigma's category webserver: c-ip, cs-username,
// cs-method, c-uri (the whole), cs-uri-stem, cs-uri-query, cs-version, sc-status, sc-bytes, cs-referer, cs-user-agent,
// cs-host.
func webLog() format {
	return format{
		name:    WebLog,
		mapping: "weblog",
		sniff:   sniffWebLog,
		cutter:  cutLines,
		reader:  func() reader { return new(webReader) },
	}
}

func sniffWebLog(h *head) int {
	all := h.lines(10)
	var r webReader
	var e Event
	right := 0
	for _, line := range all {
		e.begin(0, line, nil)
		if r.read(line, nil, &e) == nil {
			right++
		}
	}
	if len(all) == 0 || right*10 < len(all)*6 {
		return 0
	}
	return 85
}

var webSource = knownSource("", []string{"webserver"}, nil)

var (
	nameClientIP  = Intern("c-ip")
	nameUser      = Intern("cs-username")
	nameMethod    = Intern("cs-method")
	nameURI       = Intern("c-uri")
	nameStem      = Intern("cs-uri-stem")
	nameQuery     = Intern("cs-uri-query")
	nameVersion   = Intern("cs-version")
	nameStatus    = Intern("sc-status")
	nameSent      = Intern("sc-bytes")
	nameReferer   = Intern("cs-referer")
	nameUserAgent = Intern("cs-user-agent")
	nameHost      = Intern("cs-host")
)

// webReader reads a line of an access log.
type webReader struct {
	pairs pairs
}

var errWebLog = errors.New(`no line of an access log: it should be address - user [date] "request" status size`)

func (r *webReader) read(record []byte, _ *Chunk, e *Event) error {
	r.pairs.buf = r.pairs.buf[:0]
	open := bytes.Index(record, []byte(" ["))
	if open < 0 {
		return errWebLog
	}
	end := bytes.IndexByte(record[open:], ']')
	if end < 0 || end < 20 || end > 40 {
		return errWebLog
	}
	stamp := record[open+2 : open+end]
	if stamp[2] != '/' || stamp[6] != '/' || stamp[11] != ':' {
		return errWebLog
	}
	if !r.front(record[:open], e) {
		return errWebLog
	}
	rest := bytes.TrimLeft(record[open+end+1:], " ")
	if len(rest) == 0 || rest[0] != '"' {
		return errWebLog
	}
	request, rest := r.quoted(rest)
	r.request(request, e)
	status, rest, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte{' '})
	if len(status) != 3 || !allDigits(status) {
		return errWebLog
	}
	e.add(nameStatus, Number, status)
	size, rest, _ := bytes.Cut(rest, []byte{' '})
	if allDigits(size) {
		e.add(nameSent, Number, size)
	}
	for _, name := range [...]Name{nameReferer, nameUserAgent} {
		rest = bytes.TrimLeft(rest, " ")
		if len(rest) == 0 || rest[0] != '"' {
			break
		}
		var value []byte
		value, rest = r.quoted(rest)
		if string(value) != "-" {
			e.add(name, String, value)
		}
	}
	e.at(stamp, readWebStamp)
	e.Source = webSource
	return nil
}

// front reads what stands before the date: host, address, identity, user.
func (r *webReader) front(text []byte, e *Event) bool {
	var words [4][]byte
	n := 0
	for ; n < len(words) && len(text) > 0; n++ {
		word, rest, _ := bytes.Cut(text, []byte{' '})
		words[n], text = word, bytes.TrimLeft(rest, " ")
	}
	if n < 3 || len(words[0]) == 0 {
		return false
	}
	first := words[0]
	at := 0
	if n == 4 && len(text) == 0 { // host:port in front
		e.add(nameHost, String, first)
		at = 1
	}
	e.add(nameClientIP, String, bytes.TrimSuffix(words[at], []byte{','}))
	if user := words[at+2]; string(user) != "-" {
		e.add(nameUser, String, user)
	}
	return true
}

func (r *webReader) quoted(text []byte) (value, rest []byte) {
	value, rest, escaped := cutQuoted(text)
	if escaped {
		value = r.pairs.plain(value)
	}
	return value, rest
}

// request reads GET /path?query HTTP/1.1. What is no request, as of a client that spoke TLS to a plain port, is c-uri as
// a whole.
func (r *webReader) request(text []byte, e *Event) {
	method, rest, ok := bytes.Cut(text, []byte{' '})
	if !ok {
		if string(text) != "-" {
			e.add(nameURI, String, text)
		}
		return
	}
	uri, version := rest, []byte(nil)
	if at := bytes.LastIndex(rest, []byte(" HTTP/")); at >= 0 {
		uri, version = rest[:at], rest[at+1:]
	}
	e.add(nameMethod, String, method)
	e.add(nameURI, String, uri)
	stem, query, asked := bytes.Cut(uri, []byte{'?'})
	e.add(nameStem, String, stem)
	if asked {
		e.add(nameQuery, String, query)
	}
	if version != nil {
		e.add(nameVersion, String, version)
	}
}

// readWebStamp reads 02/Jan/2006:15:04:05 -0700.
func readWebStamp(text []byte) time.Time {
	t, err := time.Parse("02/Jan/2006:15:04:05 -0700", string(text))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
