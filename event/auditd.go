package event

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// This file reads the log of Linux auditd. The lines of one event, which have one number, are one record when they stand
// together: type, a0 and name then have several values. Values that the kernel wrote as hexadecimal digits are text, and
// numbers that were resolved by the daemon (log_format = ENRICHED) stand beside their names in capital letters.
//
// An event with EXECVE starts a process. It has the fields of Sigma's category process_creation too (Image, CommandLine,
// CurrentDirectory, User, ProcessId, ParentProcessId, LogonId), so that the rules for Linux processes apply.

// auditdFormat is the format of audit.log.
func auditdFormat() format {
	return format{
		name:    Auditd,
		mapping: "auditd",
		sniff:   sniffAuditd,
		cutter:  func(*head) cutter { return auditCutter{} },
		reader:  func() reader { return new(auditReader) },
	}
}

func sniffAuditd(h *head) int {
	all := h.lines(5)
	for _, line := range all {
		if auditNumber(line) == nil {
			return 0
		}
	}
	if len(all) == 0 {
		return 0
	}
	return 95
}

// auditNumber is "1604994496.155:92733" of a line of the log; nil of any other line.
func auditNumber(line []byte) []byte {
	if bytes.HasPrefix(line, []byte("node=")) {
		_, line, _ = bytes.Cut(line, []byte{' '})
	}
	if !bytes.HasPrefix(line, []byte("type=")) {
		return nil
	}
	_, rest, ok := bytes.Cut(line[:min(len(line), 160)], []byte(" msg=audit("))
	if !ok {
		return nil
	}
	number, _, ok := bytes.Cut(rest, []byte("):"))
	if !ok || len(number) == 0 {
		return nil
	}
	return number
}

// auditCutter makes one record of neighbouring lines with the same number.
type auditCutter struct{ lines }

// maxAuditLines bounds the lines of one event; the kernel writes at most some hundreds.
const maxAuditLines = 4096

func (auditCutter) cut(data []byte, eof bool, c *Chunk) int {
	at, taken := 0, 0
	from, to, count := -1, 0, 0
	var number []byte
	flush := func() {
		if from >= 0 {
			c.records = append(c.records, span{from, to})
			from = -1
		}
	}
	for at < len(data) {
		end := bytes.IndexByte(data[at:], '\n')
		next := at + end + 1
		if end < 0 {
			if !eof {
				break
			}
			next = len(data)
		}
		a, b := trim(data, at, next)
		if a < b {
			n := auditNumber(data[a:b])
			if from < 0 || n == nil || count == maxAuditLines || !bytes.Equal(n, number) {
				flush()
				taken = at
				from, number, count = a, n, 0
			}
			to = b
			count++
		}
		at = next
		if a < b && bytes.HasPrefix(data[a:b], []byte("type=EOE ")) {
			flush()
			taken = at
		}
	}
	if eof {
		flush()
		return at
	}
	if from < 0 {
		return at
	}
	return taken
}

var auditdSource = knownSource("linux", nil, []string{"auditd"})

var auditdExec = knownSource("linux", []string{"process_creation"}, []string{"auditd"})

// auditReader reads the lines of one event.
type auditReader struct {
	words   words
	pairs   pairs
	command []byte
}

func (r *auditReader) read(record []byte, _ *Chunk, e *Event) error {
	number := auditNumber(record)
	if number == nil {
		return errors.New("no line of auditd: it should begin with type=… msg=audit(seconds:number)")
	}
	r.pairs.buf = r.pairs.buf[:0]
	e.Source = auditdSource
	e.at(number, readAuditStamp)
	for rest := record; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		auditPairs(bytes.TrimSpace(line), &r.words, &r.pairs, e)
	}
	if e.full() {
		return errFull
	}
	r.process(e)
	return nil
}

// readAuditStamp reads the seconds in front of the number of an event.
func readAuditStamp(text []byte) time.Time {
	seconds, _, _ := bytes.Cut(text, []byte{':'})
	return readEpoch(seconds)
}

// auditPairs adds the fields of one line.
func auditPairs(line []byte, w *words, p *pairs, e *Event) {
	head, body, ok := bytes.Cut(line, []byte("): "))
	if !ok {
		head, body, _ = bytes.Cut(line, []byte("):"))
	}
	var typ []byte
	p.rest = head
	for {
		key, value, ok := p.next()
		if !ok {
			break
		}
		switch string(key) {
		case "type":
			typ = value
			e.add(w.name(key), String, value)
		case "node":
			e.add(w.name(key), String, value)
		}
	}
	auditBody(body, typ, w, p, e)
}

// auditBody adds the pairs of a line behind its number; of msg='…' those inside.
func auditBody(body, typ []byte, w *words, p *pairs, e *Event) {
	for {
		body = bytes.TrimLeft(body, " \x1d,")
		if len(body) == 0 || e.full() {
			return
		}
		eq := bytes.IndexByte(body, '=')
		blank := bytes.IndexAny(body, " \x1d")
		if eq < 0 || blank >= 0 && blank < eq {
			if blank < 0 {
				return
			}
			body = body[blank:]
			continue
		}
		key := body[:eq]
		body = body[eq+1:]
		if len(body) == 0 {
			e.add(w.name(key), String, nil)
			return
		}
		var value []byte
		switch body[0] {
		case '\'':
			value, body, _ = cutQuoted(body)
			if string(key) == "msg" {
				auditBody(value, typ, w, p, e)
				continue
			}
			e.add(w.name(key), String, value)
		case '"':
			end := bytes.IndexByte(body[1:], '"')
			if end < 0 {
				end = len(body) - 1
			}
			value, body = body[1:1+end], body[min(len(body), end+2):]
			auditAdd(key, value, w, e)
		default:
			end := bytes.IndexAny(body, " \x1d")
			if end < 0 {
				end = len(body)
			}
			value, body = body[:end], body[end:]
			auditValue(key, value, typ, w, p, e)
		}
	}
}

// auditCoded are the fields that the kernel writes as hexadecimal digits when they hold blanks, quotes or other bytes.
var auditCoded = map[string]bool{
	"proctitle": true, "comm": true, "exe": true, "cwd": true, "name": true, "cmd": true, "path": true, "acct": true,
	"key": true, "dir": true, "data": true, "file": true, "device": true, "old-disk": true, "new-disk": true, "vm": true,
	"watch": true, "grp": true, "sw": true, "root_dir": true,
}

// auditValue adds a value that stood without quotes.
func auditValue(key, value, typ []byte, w *words, p *pairs, e *Event) {
	argument := string(typ) == "EXECVE" && len(key) > 1 && key[0] == 'a' && isDigit(key[1])
	if argument || auditCoded[string(key)] || string(typ) == "TTY" && string(key) == "data" {
		from := len(p.buf)
		if p.buf = appendUnhex(p.buf, value); len(p.buf) > from {
			value = p.buf[from:len(p.buf):len(p.buf)]
			if string(key) == "proctitle" {
				blankNULs(value)
			}
		}
	}
	if string(key) == "saddr" {
		if a := socketAddress(value); a.IsValid() {
			from := len(p.buf)
			p.buf = a.Addr().AppendTo(p.buf)
			e.add(w.name([]byte("laddr")), String, p.buf[from:len(p.buf):len(p.buf)])
			from = len(p.buf)
			p.buf = appendUint(p.buf, uint64(a.Port()))
			e.add(w.name([]byte("lport")), Number, p.buf[from:len(p.buf):len(p.buf)])
		}
	}
	auditAdd(key, value, w, e)
	if string(key) == "syscall" {
		if name, ok := syscalls[string(value)]; ok && isUnresolved(e.Raw) {
			e.add(w.name([]byte("SYSCALL")), String, name)
		}
	}
}

// isUnresolved says whether a record is of x86-64 and has the number of its system call alone.
func isUnresolved(record []byte) bool {
	record = record[:min(len(record), 4096)]
	return bytes.Contains(record, []byte("arch=c000003e")) && !bytes.Contains(record, []byte(" SYSCALL=")) && !bytes.Contains(record, []byte("\x1dSYSCALL="))
}

func appendUint(dst []byte, n uint64) []byte {
	if n >= 10 {
		dst = appendUint(dst, n/10)
	}
	return append(dst, byte('0'+n%10))
}

// auditAdd adds a value; the keys of an event, which a byte of 1 stands between, are several.
func auditAdd(key, value []byte, w *words, e *Event) {
	if bracket := bytes.IndexByte(key, '['); bracket > 0 {
		key = key[:bracket] // a1[0], a1[1]: pieces of one long argument
	}
	name := w.name(key)
	if string(key) != "key" {
		e.add(name, String, value)
		return
	}
	for more := true; more && !e.full(); {
		var one []byte
		one, value, more = bytes.Cut(value, []byte{1})
		e.add(name, String, one)
	}
}

// appendUnhex appends the bytes that an even number of hexadecimal digits stand for; nothing when text is no such.
func appendUnhex(dst, text []byte) []byte {
	if len(text)%2 != 0 || len(text) == 0 {
		return dst
	}
	from := len(dst)
	for i := 0; i < len(text); i += 2 {
		high, low := unhex(text[i]), unhex(text[i+1])
		if high > 15 || low > 15 {
			return dst[:from]
		}
		dst = append(dst, high<<4|low)
	}
	return dst
}

func blankNULs(b []byte) {
	for i, c := range b {
		if c == 0 {
			b[i] = ' '
		}
	}
}

// socketAddress reads the digits of a socket address of IPv4 or IPv6.
func socketAddress(text []byte) netip.AddrPort {
	var buf [28]byte
	b := appendUnhex(buf[:0], text[:min(len(text), 56)&^1])
	if len(b) < 8 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch binary.LittleEndian.Uint16(b) {
	case 2:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port)
	case 10:
		if len(b) >= 24 {
			return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])).Unmap(), port)
		}
	}
	return netip.AddrPort{}
}
