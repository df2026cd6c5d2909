package strip

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"regexp"
	"strings"
)

// An office document is an archive. Its parts are copied as they are, compressed as they are, but for those that tell of
// people: they are written anew, uncompressed, so that every program that cleans writes the same bytes. Times, comments
// and extra fields of the archive go.

// entriesMost bounds the parts of a document, unfoldMost what those that are looked into unfold to.
const (
	entriesMost = 4096
	unfoldMost  = 32 << 20
)

// entry is a part of an archive.
type entry struct {
	name   string
	method uint16
	crc    uint32
	size   uint32 // unfolded
	body   []byte // as it lies in the archive
}

const (
	coreParts = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>`
	appParts  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>`
	custom    = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"/>`
	odfMeta   = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:version="1.2"><office:meta/></office:document-meta>`
)

// whole are the parts that become another.
var whole = map[string]string{"docprops/core.xml": coreParts, "docprops/app.xml": appParts, "docprops/custom.xml": custom, "meta.xml": odfMeta}

// rewrite is something in the XML of a part that tells of people.
type rewrite struct {
	what string
	find *regexp.Regexp
	with string
}

// rewrites see bytes, not letters: a browser's expressions see the same.
var rewrites = []rewrite{
	{"names", regexp.MustCompile(`((?:^|[\s"'])[A-Za-z0-9]*:?(?:author|initials|userId|providerId|lastModifiedBy|userName)\s*=\s*")[^"]+(")`), "${1}${2}"},
	{"names", regexp.MustCompile(`((?:^|[\s"'])[A-Za-z0-9]*:?(?:author|initials|userId|providerId|lastModifiedBy|userName)\s*=\s*')[^']+(')`), "${1}${2}"},
	{"names", regexp.MustCompile(`(<[A-Za-z0-9]*:?person\s[^>]*\bdisplayName\s*=\s*")[^"]+(")`), "${1}${2}"},
	{"names", regexp.MustCompile(`(<p:cmAuthor\s[^>]*\bname\s*=\s*")[^"]+(")`), "${1}${2}"},
	{"names", regexp.MustCompile(`(<(?:author|dc:creator|meta:creator-initials|meta:initial-creator|loext:sender-initials|text:sender-[a-z]+|text:author-[a-z]+|text:creator|text:initial-creator|text:printed-by)(?:\s[^>]*)?>)[^<]+(</)`), "${1}${2}"},
	{"paths", regexp.MustCompile(`(<[A-Za-z0-9]*:?absPath\s[^>]*\burl\s*=\s*")[^"]+(")`), "${1}${2}"},
	{"paths", regexp.MustCompile(`(\bTarget\s*=\s*")(?:[Ff][Ii][Ll][Ee]:[^"]*|[A-Za-z]:[\\/][^"]*|\\\\[^"]*)(")`), "${1}file:///${2}"},
	{"printers", regexp.MustCompile(`(config:name="Printer[A-Za-z]*"(?:\s[^>]*)?>)[^<]+(</)`), "${1}${2}"},
}

// held are parts that this package cannot look into and that may tell of people.
var held = []struct{ in, reason string }{
	{"vbaproject", "it holds macros"},
	{"embeddings/", "it holds other documents"},
	{"object 1/", "it holds other documents"},
	{"activex/", "it holds controls"},
	{"_xmlsignatures/", "it is signed, and the signature names its maker"},
	{"meta-inf/documentsignatures", "it is signed, and the signature names its maker"},
}

func (c *cleaner) office() string {
	entries, reason := readArchive(c.data)
	if reason != "" {
		return reason
	}
	names := map[string]bool{}
	for _, e := range entries {
		lower := lowerASCII(e.name)
		if names[lower] {
			return "two of its parts have the same name"
		}
		names[lower] = true
		for _, h := range held {
			if strings.Contains(lower, h.in) {
				return h.reason
			}
		}
	}
	if !names["[content_types].xml"] && !(names["mimetype"] && names["content.xml"]) {
		return "an archive that is no office document is not known here"
	}
	total := 0
	for _, e := range entries {
		if picture, text := lookedInto(e.name); picture || text {
			total += int(e.size)
		}
	}
	if total > unfoldMost {
		return "its parts unfold to more than 32 MiB"
	}
	var kept []entry
	for _, e := range entries {
		e, reason := c.part(e)
		if reason != "" {
			return reason
		}
		kept = append(kept, e)
	}
	c.out = writeArchive(kept)
	return ""
}

// part is a part of a document as it is written.
func (c *cleaner) part(e entry) (entry, string) {
	lower := lowerASCII(e.name)
	if text, ok := whole[lower]; ok {
		c.remove("document properties")
		return stored(e.name, []byte(text)), ""
	}
	if strings.Contains(lower, "printersettings") {
		c.remove("printers")
		return stored(e.name, nil), ""
	}
	picture, text := lookedInto(lower)
	if !picture && !text {
		return e, ""
	}
	body, reason := unfold(e)
	if reason != "" {
		return e, reason
	}
	clean := body
	if picture {
		inner := &cleaner{data: body}
		if len(body) > 3 && string(body[:2]) == "PK" || inner.clean() != "" {
			return e, "a picture in it is of no kind that is known here"
		}
		clean = inner.out
		for _, what := range inner.removed {
			c.remove(what)
		}
	} else if clean, reason = c.rewritten(body); reason != "" {
		return e, reason
	}
	if bytes.Equal(clean, body) {
		return e, ""
	}
	return stored(e.name, clean), ""
}

// rewritten is the XML of a part without what tells of people.
func (c *cleaner) rewritten(text []byte) ([]byte, string) {
	if len(text) > 1 && (text[0] == 0xfe || text[0] == 0xff || text[0] == 0 || text[1] == 0) {
		return nil, "a part of it is in an encoding that is not known here"
	}
	for _, r := range rewrites {
		if r.find.Match(text) {
			after := r.find.ReplaceAll(text, []byte(r.with))
			if !bytes.Equal(after, text) {
				c.remove(r.what)
			}
			text = after
		}
	}
	return text, ""
}

// lookedInto says whether a part is a picture or XML, by its name.
func lookedInto(name string) (picture, text bool) {
	name = lowerASCII(name)
	return hasSuffix(name, ".jpg", ".jpeg", ".png", ".gif", ".webp"), hasSuffix(name, ".xml", ".rels", ".vml")
}

// unfold is what a part holds.
func unfold(e entry) ([]byte, string) {
	body := e.body
	if e.method == 8 {
		folded := bytes.NewReader(e.body)
		var err error
		if body, err = io.ReadAll(io.LimitReader(flate.NewReader(folded), int64(e.size)+1)); err != nil || folded.Len() > 0 {
			return nil, damaged
		}
	}
	if len(body) != int(e.size) || crc32.ChecksumIEEE(body) != e.crc {
		return nil, damaged
	}
	return body, ""
}

func stored(name string, body []byte) entry {
	return entry{name: name, crc: crc32.ChecksumIEEE(body), size: uint32(len(body)), body: body}
}

func hasSuffix(s string, ends ...string) bool {
	for _, end := range ends {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// readArchive reads the parts of an archive by its directory, which ends it.
func readArchive(d []byte) ([]entry, string) {
	end := -1
	for at := len(d) - 22; at >= 0 && at > len(d)-22-65536; at-- {
		if binary.LittleEndian.Uint32(d[at:]) == 0x06054b50 {
			end = at
			break
		}
	}
	if end < 0 {
		return nil, damaged
	}
	count := int(binary.LittleEndian.Uint16(d[end+10:]))
	at := int64(binary.LittleEndian.Uint32(d[end+16:]))
	if count > entriesMost {
		return nil, "it has more than 4,096 parts"
	}
	var entries []entry
	total := 0
	for range count {
		if at+46 > int64(end) || binary.LittleEndian.Uint32(d[at:]) != 0x02014b50 {
			return nil, damaged
		}
		e, reason := readEntry(d, d[at:end])
		if reason != "" {
			return nil, reason
		}
		if total += len(e.body); total > len(d) {
			return nil, damaged // parts lie over each other
		}
		entries = append(entries, e)
		h := d[at:]
		at += 46 + int64(binary.LittleEndian.Uint16(h[28:])) + int64(binary.LittleEndian.Uint16(h[30:])) + int64(binary.LittleEndian.Uint16(h[32:]))
	}
	return entries, ""
}

// readEntry reads a part by its line h of the directory.
func readEntry(d, h []byte) (entry, string) {
	flags, method := binary.LittleEndian.Uint16(h[8:]), binary.LittleEndian.Uint16(h[10:])
	folded, size := binary.LittleEndian.Uint32(h[20:]), binary.LittleEndian.Uint32(h[24:])
	name := int(binary.LittleEndian.Uint16(h[28:]))
	from := int64(binary.LittleEndian.Uint32(h[42:]))
	switch {
	case flags&1 != 0:
		return entry{}, "it is encrypted"
	case method != 0 && method != 8:
		return entry{}, "it is compressed in a way that is not known here"
	case 46+name > len(h), from+30 > int64(len(d)), method == 0 && folded != size:
		return entry{}, damaged
	case binary.LittleEndian.Uint32(d[from:]) != 0x04034b50:
		return entry{}, damaged
	}
	body := from + 30 + int64(binary.LittleEndian.Uint16(d[from+26:])) + int64(binary.LittleEndian.Uint16(d[from+28:]))
	if body+int64(folded) > int64(len(d)) {
		return entry{}, damaged
	}
	return entry{name: string(h[46 : 46+name]), method: method, crc: binary.LittleEndian.Uint32(h[16:]), size: size, body: d[body : body+int64(folded)]}, ""
}

// writeArchive is an archive of parts, all from the first day that such archives know.
func writeArchive(entries []entry) []byte {
	var out, directory []byte
	le := binary.LittleEndian
	for _, e := range entries {
		at := len(out)
		head := le.AppendUint16(nil, 20) // version that is needed
		head = le.AppendUint16(head, 0x800)
		head = le.AppendUint16(head, e.method)
		head = le.AppendUint16(head, 0)
		head = le.AppendUint16(head, 0x21) // 1 January 1980
		head = le.AppendUint32(head, e.crc)
		head = le.AppendUint32(head, uint32(len(e.body)))
		head = le.AppendUint32(head, e.size)
		head = le.AppendUint16(head, uint16(len(e.name)))
		head = le.AppendUint16(head, 0)
		out = append(append(append(append(out, "PK\x03\x04"...), head...), e.name...), e.body...)
		directory = append(directory, "PK\x01\x02\x14\x00"...)
		directory = append(directory, head...)
		directory = append(directory, make([]byte, 10)...)
		directory = le.AppendUint32(directory, uint32(at))
		directory = append(directory, e.name...)
	}
	start := len(out)
	out = append(out, directory...)
	out = append(out, "PK\x05\x06\x00\x00\x00\x00"...)
	out = le.AppendUint16(out, uint16(len(entries)))
	out = le.AppendUint16(out, uint16(len(entries)))
	out = le.AppendUint32(out, uint32(len(directory)))
	out = le.AppendUint32(out, uint32(start))
	return le.AppendUint16(out, 0)
}
