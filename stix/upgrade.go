package stix

import (
	"encoding/json"
	"slices"
	"strings"
)

// This file turns STIX 2.0 into STIX 2.1. What has a new name gets it, what 2.1 demands and 2.0 did not have gets the
// value that says the same, and everything else stays as it was. The result depends on the input alone, so that an object
// that is upgraded twice, or at two nodes, is equal.

// IsSTIX20 tells whether raw is an object or a bundle of STIX 2.0, which [Upgrade20] turns into 2.1: a bundle that says so,
// or an object with a creation time and without the spec_version that 2.1 demands. It does not tell whether it is a sound one.
func IsSTIX20(raw []byte) bool {
	d, err := readDocument(raw, defaultDepth, defaultBytes)
	return err == nil && d.isOld(0)
}

func (d *document) isOld(n int32) bool {
	if d.kind(n) != '{' {
		return false
	}
	version := d.textOf(n, "spec_version")
	if d.textOf(n, "type") == "bundle" {
		return version == "2.0"
	}
	return version == "2.0" || !d.has(n, "spec_version") && d.has(n, "created") && d.textOf(n, "type") != ""
}

// Upgrade20 is an object or a bundle of STIX 2.0 as STIX 2.1. Input that is not STIX 2.0 by [IsSTIX20] is returned as it is.
// Only JSON that is not sound is an error; whether the result is sound STIX is for [Parse] to say.
func Upgrade20(raw []byte) ([]byte, error) {
	d, err := readDocument(raw, defaultDepth, defaultBytes)
	if err != nil {
		return nil, err
	}
	return d.upgrade(0), nil
}

func (d *document) upgrade(n int32) []byte {
	switch {
	case !d.isOld(n):
		return []byte(d.raw(n))
	case d.textOf(n, "type") == "bundle":
		return d.upgradeBundle(n)
	}
	typ := d.textOf(n, "type")
	var m Members
	for name, v := range d.members(n) {
		switch {
		case name == "spec_version":
		case name == "objects" && typ == "observed-data":
			m.raw(name, d.upgradeObserved(v))
		case name == "pattern" && typ == "indicator" && d.kind(v) == '"':
			m.Set(name, upgradePattern(d.string(v)))
		case name == "labels" && newLabels[typ] != "" && !d.has(n, newLabels[typ]):
			m.raw(newLabels[typ], []byte(d.raw(v)))
		default:
			m.raw(name, []byte(d.raw(v)))
		}
		if name == "type" {
			m.Set("spec_version", "2.1")
		}
	}
	switch {
	case typ == "indicator" && !m.Has("pattern_type"):
		m.Set("pattern_type", "stix")
	case typ == "malware" && !m.Has("is_family"):
		m.Set("is_family", true) // what 2.0 calls malware is known by name, not a sample
	}
	return m.written()
}

// newLabels is the property to which what 2.0 writes as labels of a type has moved.
var newLabels = map[string]string{
	"identity": "roles", "indicator": "indicator_types", "malware": "malware_types", "report": "report_types",
	"threat-actor": "threat_actor_types", "tool": "tool_types",
}

// raw sets a property to JSON that is sound.
func (m *Members) raw(name string, value []byte) { m.Set(name, json.RawMessage(value)) }

// written is the JSON of members that came from a document, and so are sound.
func (m *Members) written() []byte {
	b, err := m.json()
	if err != nil {
		panic(err)
	}
	return b
}

func (d *document) upgradeBundle(n int32) []byte {
	var m Members
	for name, v := range d.members(n) {
		switch {
		case name == "spec_version":
		case name == "objects" && d.kind(v) == '[':
			b := []byte{'['}
			for i, o := range d.items(v) {
				if i > 0 {
					b = append(b, ',')
				}
				b = append(b, d.upgrade(o)...)
			}
			m.raw(name, append(b, ']'))
		default:
			m.raw(name, []byte(d.raw(v)))
		}
	}
	return m.written()
}

// upgradeObserved upgrades the observables within an observed-data, which stay there by their keys.
func (d *document) upgradeObserved(n int32) []byte {
	if d.kind(n) != '{' || d.empty(n) {
		return []byte(d.raw(n))
	}
	var m Members
	for key, v := range d.members(n) {
		if d.kind(v) != '{' || d.empty(v) {
			m.raw(key, []byte(d.raw(v)))
			continue
		}
		m.raw(key, d.upgradeObservable(v))
	}
	return m.written()
}

// newNames are the properties of observables that 2.1 calls otherwise.
var newNames = map[string]map[string]string{
	"directory":            {"created": "ctime", "modified": "mtime", "accessed": "atime"},
	"file":                 {"created": "ctime", "modified": "mtime", "accessed": "atime"},
	"process":              {"created": "created_time", "binary_ref": "image_ref", "name": "x_name", "arguments": "x_arguments"},
	"user-account":         {"password_last_changed": "credential_last_changed"},
	"windows-registry-key": {"modified": "modified_time"},
}

func (d *document) upgradeObservable(n int32) []byte {
	typ := d.textOf(n, "type")
	var m Members
	for name, v := range d.members(n) {
		if to := newNames[typ][name]; to != "" && !d.has(n, to) {
			name = to
		}
		switch {
		case name == "hashes":
			m.raw(name, d.upgradeHashes(v))
		case name == "extensions" && typ == "network-traffic":
			m.raw(name, d.upgradeAll(v, "http-request-ext", "request_header"))
		default:
			m.raw(name, []byte(d.raw(v)))
		}
	}
	if typ == "process" && !m.Has("command_line") {
		words := append([]string{d.textOf(n, "name")}, d.strings(d.get(n, "arguments"))...)
		m.Set("command_line", strings.TrimSpace(strings.Join(words, " ")))
	}
	return m.written()
}

// upgradeAll goes down the path of names, and makes the strings at its end into lists of one.
func (d *document) upgradeAll(n int32, path ...string) []byte {
	if d.kind(n) != '{' || d.empty(n) {
		return []byte(d.raw(n))
	}
	var m Members
	for name, v := range d.members(n) {
		switch {
		case len(path) > 0 && name == path[0]:
			m.raw(name, d.upgradeAll(v, path[1:]...))
		case len(path) == 0 && d.kind(v) == '"':
			m.raw(name, []byte("["+d.raw(v)+"]"))
		default:
			m.raw(name, []byte(d.raw(v)))
		}
	}
	return m.written()
}

func (d *document) upgradeHashes(n int32) []byte {
	if d.kind(n) != '{' || d.empty(n) {
		return []byte(d.raw(n))
	}
	var m Members
	for name, v := range d.members(n) {
		if name == "ssdeep" && !d.has(n, "SSDEEP") {
			name = "SSDEEP"
		}
		m.raw(name, []byte(d.raw(v)))
	}
	return m.written()
}

// upgradePattern writes the times of START and STOP as 2.1 does, t'…' instead of '…'.
func upgradePattern(p string) string {
	var b strings.Builder
	for len(p) > 0 {
		if p[0] == '\'' {
			n := quotedLen(p)
			b.WriteString(p[:n])
			p = p[n:]
			continue
		}
		n := strings.IndexByte(p, '\'')
		if n < 0 {
			n = len(p)
		}
		b.WriteString(p[:n])
		before := strings.Fields(p[:n])
		if n < len(p) && len(before) > 0 && slices.Contains([]string{"START", "STOP"}, before[len(before)-1]) {
			b.WriteByte('t')
		}
		p = p[n:]
	}
	return b.String()
}

// quotedLen is the length of the quoted string with which p begins, or of p when it does not end.
func quotedLen(p string) int {
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(p)
}
