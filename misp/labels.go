package misp

import (
	"crypto/sha1"
	"encoding/hex"
	"regexp"
	"strings"
)

// This file holds what both directions agree on: the labels that carry what STIX has no property for, and the ids.

// The keys of our labels. A tag of an event that looks like one of them is not taken over.
const (
	keyType         = "type"
	keyCategory     = "category"
	keyToIDs        = "to_ids"
	keyFirstSeen    = "first_seen"
	keyLastSeen     = "last_seen"
	keyRelation     = "object_relation"
	keyName         = "name"
	keyMetaCategory = "meta-category"
	keyThreatLevel  = "threat-level"
	keyAnalysis     = "analysis"
	keyDate         = "date"
	keyReport       = "event-report"
	keyGalaxy       = "galaxy"
	keyReference    = "reference"
)

var ownKeys = map[string]bool{keyType: true, keyCategory: true, keyToIDs: true, keyFirstSeen: true, keyLastSeen: true, keyRelation: true,
	keyName: true, keyMetaCategory: true, keyThreatLevel: true, keyAnalysis: true, keyDate: true, keyReport: true, keyGalaxy: true, keyReference: true}

// label writes misp:key="value"; "" when there is no value.
func label(key, value string) string {
	if value == "" {
		return ""
	}
	return "misp:" + key + `="` + value + `"`
}

var labelForm = regexp.MustCompile(`(?s)^misp:([a-z_-]+)="(.*)"$`)

// readLabel takes a label of ours apart.
func readLabel(s string) (key, value string, ok bool) {
	m := labelForm.FindStringSubmatch(s)
	if m == nil || !ownKeys[m[1]] {
		return "", "", false
	}
	return m[1], m[2], true
}

// splitLabels parts our labels from the tags.
func splitLabels(labels []string) (own map[string]string, tags []string) {
	own = map[string]string{}
	for _, l := range labels {
		if key, value, ok := readLabel(l); ok {
			own[key] = value
		} else {
			tags = append(tags, l)
		}
	}
	return own, tags
}

// compact drops the empty texts of a list and what stands in it twice.
func compact(list []string) []string {
	seen := map[string]bool{"": true}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// readUUID gives a UUID in lower case; "" if it is none.
func readUUID(t text) string {
	s := strings.ToLower(string(t))
	if !uuidForm.MatchString(s) {
		return ""
	}
	return s
}

// namespace is ours for ids that follow from names.
var namespace = [16]byte{0x5b, 0x1c, 0x0e, 0x5a, 0x76, 0x2d, 0x4f, 0x3e, 0x9a, 0x41, 0xd2, 0x07, 0xe8, 0x6b, 0x13, 0xc4}

// uuid5 is the UUID version 5 of some texts, of which no other list of texts has the same.
func uuid5(parts ...string) string {
	h := sha1.New()
	h.Write(namespace[:])
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	b := h.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	x := hex.EncodeToString(b)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// uuidOf is the UUID of an identifier of STIX.
func uuidOf(id string) string {
	_, uuid, _ := strings.Cut(id, "--")
	return uuid
}
