package lists

import (
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// ReadOptions say what the file does not. The zero value reads any known form.
type ReadOptions struct {
	As       string    // the list's name; "" takes it from the name of the file
	Form     string    // one of [Forms]; "" recognises it from the content
	Mapping  *Mapping  // how to read a table of one's own; nil for the known forms
	Purpose  Purpose   // "" is [Restricted]
	Title    string    // "" takes the publisher's
	Source   string    // "" takes the publisher's
	Licence  string    //
	Date     string    // for a list that does not say its own
	At       time.Time // when it is read: [Meta].Read
	MaxBytes int64     // unpacked; 0 is [DefaultMaxBytes]
}

// The bounds of a list. Above them it is refused with a word, never cut.
const (
	DefaultMaxBytes = 4 << 30    // of text, unpacked
	maxPackedBytes  = 512 << 20  // of a zip file, which is held in memory
	maxEntries      = 10_000_000 //
	maxRecord       = 16 << 20   // bytes of one record: a row, a JSON object, an XML element
	maxDepth        = 64         // of XML and JSON
	maxRatio        = 100        // unpacked to packed, beyond the first 64 MiB
	maxName         = 1_000      // characters of a name; the rest is cut off and noted
	maxNote         = 2_000      // bytes of a note
	maxText         = 1_000      // bytes of an address, a programme, an identifier
	maxAliases      = 2_000      // of one entry
)

// form is a form in which lists are published: how its beginning is told from others, and how it is read.
type form struct {
	name string
	says string // in a list of forms for people
	is   func(h *head) bool
	read func(s *source, b *builder) error
}

// forms in the order in which they are tried: the particular before the general.
func forms() []form {
	return []form{
		{"un-xml", "UN Security Council Consolidated List, XML", isUN, readUN},
		{"ofac-xml", "OFAC SDN.XML or CONSOLIDATED.XML", isOFACXML, readOFACXML},
		{"ofac-advanced-xml", "OFAC SDN_ADVANCED.XML", isOFACAdvanced, readOFACAdvanced},
		{"eu-xml", "EU financial sanctions, XML 1.1", isEUXML, readEUXML},
		{"uk-xml", "UK Sanctions List, XML", isUKXML, readUKXML},
		{"csl-jsonl", "US Consolidated Screening List, JSON lines", isCSLLines, readCSLLines},
		{"csl-json", "US Consolidated Screening List, JSON of trade.gov", isCSLJSON, readCSLJSON},
		{"csl-csv", "US Consolidated Screening List, CSV of trade.gov", isCSLCSV, readCSLCSV},
		{"ftm", "FollowTheMoney entities, JSON lines", isFTM, readFTM},
		{"bods", "Beneficial Ownership Data Standard 0.3 and 0.4, JSON", isBODS, readBODS},
		{"eu-csv", "EU financial sanctions, CSV", isEUCSV, readEUCSV},
		{"uk-csv", "UK Sanctions List, CSV", isUKCSV, readUKCSV},
		{"ofsi-csv", "OFSI consolidated list of targets, CSV", isOFSI, readOFSI},
		{"uk-names-csv", "UK Sanctions List, primary names, CSV", isUKNames, readUKNames},
		{"opensanctions-csv", "OpenSanctions targets.simple.csv", isTargetsCSV, readTargetsCSV},
		{"ofac-csv", "OFAC SDN.CSV, alone or in a folder or zip with ALT.CSV and ADD.CSV", isOFACCSV, readOFACCSV},
		{"table", "a CSV or TSV with a header that has a column \"name\", or any with a mapping", isTable, readTable},
		{"names", "plain text, one name a line", isPlain, readPlain},
	}
}

// Forms are the forms that [Read] knows, by name, with a line about each.
func Forms() [][2]string {
	var out [][2]string
	for _, f := range forms() {
		out = append(out, [2]string{f.name, f.says})
	}
	return out
}

// Read reads a whole list, or returns an error that says where it is wrong. The form is recognised from the content,
// gzip and zip are undone; name stands in errors and names the list when o does not.
func Read(name string, r io.Reader, o ReadOptions) (*List, error) {
	raw := newRaw(name, r, o)
	if magic, _ := raw.buf.Peek(4); string(magic) == "PK\x03\x04" || string(magic) == "PK\x05\x06" {
		return readZip(name, raw, o)
	}
	s, err := newSource(name, raw, o)
	if err != nil {
		return nil, err
	}
	l, err := readSource(s, o)
	if err != nil {
		return nil, err
	}
	if err := raw.drain(); err != nil {
		return nil, err
	}
	l.SHA256 = hex.EncodeToString(raw.sum.Sum(nil))
	return l, nil
}

// readSource reads a list whose text is at hand; the hash is the caller's to add.
func readSource(s *source, o ReadOptions) (*List, error) {
	if o.Mapping != nil && o.Form == "" {
		o.Form = "table"
	}
	h, err := s.head()
	if err != nil {
		return nil, err
	}
	f, err := recognise(s, h, o.Form)
	if err != nil {
		return nil, err
	}
	b := newBuilder(s, o)
	b.meta.Form = f.name
	if err := f.read(s, b); err != nil {
		return nil, s.locate(err)
	}
	if err := s.finish(b); err != nil {
		return nil, err
	}
	return b.list()
}

// recognise finds the form of a text from its beginning, or checks that the form that was asked for is known.
func recognise(s *source, h *head, want string) (form, error) {
	if h.empty() && !h.whole {
		return form{}, s.fail(1, "the file begins with 64 KiB of white space", "a list of parties")
	}
	if h.empty() {
		return form{}, s.fail(1, "the file is empty", "a list of parties")
	}
	if h.page() {
		return form{}, s.fail(1, "this is a web page, not a list", "load the list again; the publisher may have moved it or answered with an error page")
	}
	if h.decl > 0 {
		return form{}, s.fail(h.decl, "a DOCTYPE or other declaration", "a list needs none, and entities of its own are not read")
	}
	for _, f := range forms() {
		if want == f.name || want == "" && f.is(h) {
			return f, nil
		}
	}
	if want != "" {
		return form{}, s.fail(0, fmt.Sprintf("the form %q is not known", want), "use one of "+formNames())
	}
	return form{}, s.fail(1, "this is no form of list that is known here: "+h.describe(), "one of "+formNames()+", or give a mapping")
}

func formNames() string {
	var out []string
	for _, f := range forms() {
		out = append(out, f.name)
	}
	return strings.Join(out, ", ")
}

// listName is the short name of a list by the name of its file: "us_csl" for "data/us_csl.jsonl.gz".
func listName(name string) string {
	base := path.Base(filepath.ToSlash(name))
	for {
		ext := path.Ext(base)
		switch strings.ToLower(ext) {
		case ".gz", ".zip", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".xml", ".ftm", ".zst":
			if len(ext) < len(base) {
				base = strings.TrimSuffix(base, ext)
				continue
			}
		}
		return base
	}
}

// failf is an error that a person can act on: where, what, what would be right.
func failf(name string, line int, what, right string) error {
	where := name
	if line > 0 {
		where = fmt.Sprintf("%s:%d", name, line)
	}
	if right == "" {
		return polder.Errorf(polder.Invalid, "%s: %s", where, what)
	}
	return polder.Errorf(polder.Invalid, "%s: %s; %s", where, what, right)
}
