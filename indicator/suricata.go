package indicator

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The range of the rule ids that WriteSuricata gives. An id follows from kind and value alone, so that a rule keeps it
// from one export to the next; where two values of one list want the same, the one that sorts later takes the next free
// one.
const (
	SIDFirst = 900_000_000
	SIDLast  = 999_999_999
)

// WriteSuricata writes one alert rule a line. Addresses match either way, names and all below them in DNS queries,
// http URLs by host and path, mail addresses in SMTP. Kinds and values that a rule cannot match alone are skipped: an
// https URL shows no path, hashes need a file beside the rules.
func WriteSuricata(w io.Writer, entries []Entry) ([]Skipped, error) {
	var l list
	var rules []suricataRule
	for _, e := range entries {
		if !l.take(&e, true) {
			continue
		}
		head, match, why := suricataMatch(e)
		if why != "" {
			l.skip(e, why)
			continue
		}
		rules = append(rules, suricataRule{entry: e, head: head, match: match})
	}
	giveSIDs(rules)
	b := bufio.NewWriter(w)
	for _, r := range rules {
		fmt.Fprintln(b, r)
	}
	return l.skipped, b.Flush()
}

type suricataRule struct {
	entry       Entry
	head, match string
	sid         uint32
}

// String is the rule on one line. Texts lose the characters that end an option.
func (r suricataRule) String() string {
	const special = "\"';:\\|,"
	msg := strings.TrimSpace("Polder " + string(r.entry.Kind) + " " + oneLine(asciiOnly(r.entry.Description), special))
	metadata := "polder_kind " + strings.ReplaceAll(string(r.entry.Kind), "-", "_")
	for _, m := range [][2]string{{"polder_id", r.entry.ID}, {"polder_source", r.entry.Source}, {"tlp", strings.TrimPrefix(r.entry.Label, "TLP:")}} {
		if word := strings.ReplaceAll(oneLine(asciiOnly(m[1]), special), " ", "_"); word != "" {
			metadata += ", " + m[0] + " " + word
		}
	}
	return fmt.Sprintf(`%s (msg:"%s"; %ssid:%d; rev:1; metadata:%s;)`, r.head, msg, r.match, r.sid, metadata)
}

// suricataMatch is the head of a rule and the options that match, or why there is none.
func suricataMatch(e Entry) (head, match, why string) {
	switch e.Kind {
	case IPv4, IPv6, CIDR:
		return "alert ip any any <> [" + e.Value + "] any", "", ""
	case Domain:
		return "alert dns any any -> any any", "dns.query; dotprefix; content:" + suricataContent("."+e.Value) + "; nocase; endswith; ", ""
	case URL:
		return suricataURL(e.Value)
	case Email:
		return "alert smtp any any -> any any", "content:" + suricataContent("<"+e.Value+">") + "; nocase; ", ""
	case MD5, SHA1, SHA256, SHA512:
		return "", "", "Suricata reads hashes from a file beside the rules; take the plain list"
	}
	return "", "", "a Suricata rule cannot match the kind " + string(e.Kind) + " alone"
}

func suricataURL(value string) (head, match, why string) {
	u, err := splitURL(value)
	switch {
	case err != nil:
		return "", "", err.Error()
	case u.scheme != "http":
		return "", "", u.scheme + " does not show the path to Suricata; share the host if all of it is bad"
	}
	path, _, _ := strings.Cut(u.rest, "#")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if len(path) > 255 {
		return "", "", "the path has more than 255 bytes"
	}
	host := strings.Trim(u.host, "[]")
	return "alert http any any -> any any", fmt.Sprintf("http.host; content:%s; bsize:%d; http.uri.raw; content:%s; bsize:%d; ",
		suricataContent(host), len(host), suricataContent(path), len(path)), ""
}

// suricataContent writes bytes as the content of a rule: letters, digits and a few signs plain, all others in hex.
func suricataContent(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("./-_", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "|%02x|", c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func asciiOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0x7e {
			return '?'
		}
		return r
	}, s)
}

// giveSIDs numbers the rules in the order of their values, so that the order of the entries does not matter.
func giveSIDs(rules []suricataRule) {
	order := make([]*suricataRule, len(rules))
	for i := range rules {
		order[i] = &rules[i]
	}
	slices.SortFunc(order, func(a, b *suricataRule) int {
		return cmp.Or(cmp.Compare(a.entry.Kind, b.entry.Kind), cmp.Compare(a.entry.Value, b.entry.Value))
	})
	taken := make(map[uint32]bool, len(rules))
	for _, r := range order {
		r.sid = wantedSID(r.entry.Kind, r.entry.Value)
		for taken[r.sid] {
			if r.sid++; r.sid > SIDLast {
				r.sid = SIDFirst
			}
		}
		taken[r.sid] = true
	}
}

// wantedSID is the rule id of a value when no other takes it.
func wantedSID(kind Kind, value string) uint32 {
	sum := sha256.Sum256([]byte(string(kind) + "\x00" + value))
	return SIDFirst + uint32(binary.BigEndian.Uint64(sum[:8])%(SIDLast-SIDFirst+1))
}
