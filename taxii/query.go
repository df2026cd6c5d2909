package taxii

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxValues bounds the values of one match field and maxValue the length of each.
const (
	maxValues = 1000
	maxValue  = 512
)

// kind is a resource that comes in pages.
type kind byte

const (
	objectsKind  kind = 'o'
	manifestKind kind = 'm'
	versionsKind kind = 'v'
	objectKind   kind = '1' // one object by its id
)

// fields are the match fields that each kind of resource filters by; others are ignored.
func (k kind) fields() []string {
	switch k {
	case objectsKind, manifestKind:
		return []string{"id", "type", "version", "spec_version"}
	case versionsKind:
		return []string{"spec_version"}
	default:
		return []string{"version", "spec_version"}
	}
}

// request is what the parameters of a request for a page say.
type request struct {
	Query
	next string // empty when absent
}

// parsePage reads the parameters of a request for a page of kind k. Every error is an [ErrInvalid] that names the
// parameter. Parameters and match fields that TAXII does not know are ignored.
func parsePage(rawQuery string, k kind) (request, error) {
	var req request
	values, err := readValues(rawQuery)
	if err != nil {
		return req, err
	}
	if err := readMatch(values, k.fields(), &req.Query); err != nil {
		return req, err
	}
	if k == versionsKind {
		req.Versions = VersionFilter{All: true}
	}
	return req, readPosition(values, &req)
}

// parseDelete reads the parameters of a DELETE. A parameter that would narrow what is read, but that DELETE does not
// know, is refused: ignoring it would delete more than was meant.
func parseDelete(rawQuery string) (Query, error) {
	q := Query{}
	values, err := readValues(rawQuery)
	if err != nil {
		return q, err
	}
	for name := range values {
		field, isMatch := matchField(name)
		if isMatch && field != "version" && field != "spec_version" || name == "added_after" || name == "limit" || name == "next" {
			return q, invalid("%s is no parameter of DELETE; it takes match[version] and match[spec_version]", clip(name))
		}
	}
	if err := readMatch(values, objectKind.fields(), &q); err != nil {
		return q, err
	}
	if _, given := values["match[version]"]; !given {
		q.Versions = VersionFilter{All: true}
	}
	return q, nil
}

// readValues decodes a query; each parameter that TAXII knows may be there once.
func readValues(rawQuery string) (url.Values, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, invalid("the query after ? is not URL-encoded as it should be: & between parameters, %%XX for other bytes")
	}
	for name, all := range values {
		_, isMatch := matchField(name)
		if !isMatch && name != "added_after" && name != "limit" && name != "next" {
			continue
		}
		if len(all) > 1 {
			return nil, invalid("%s is given %d times; give it once, with commas between its values", clip(name), len(all))
		}
	}
	return values, nil
}

func matchField(name string) (string, bool) {
	field, ok := strings.CutPrefix(name, "match[")
	field, closed := strings.CutSuffix(field, "]")
	return field, ok && closed
}

func readMatch(values url.Values, fields []string, q *Query) error {
	q.Versions.Last = true
	for _, field := range fields {
		name := "match[" + field + "]"
		given, ok := values[name]
		if !ok {
			continue
		}
		list, err := readList(name, given[0])
		if err != nil {
			return err
		}
		switch field {
		case "id":
			q.IDs = list
		case "type":
			q.Types = list
		case "spec_version":
			q.SpecVersions, err = specVersions(list)
		case "version":
			q.Versions, err = versions(list)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readList splits the values of a match field, sorts them and leaves out doubles.
func readList(name, s string) ([]string, error) {
	list := strings.Split(s, ",")
	if len(list) > maxValues {
		return nil, invalid("%s has %d values; ask for at most %d at once", name, len(list), maxValues)
	}
	for _, v := range list {
		if !plain(v) {
			return nil, invalid("%s has the value %q; write values of printable characters without spaces, with commas between them", name, clip(v))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// plain tells whether s can be a value of a match field or an id in a path: not empty, of bounded length, and of
// printable characters without spaces.
func plain(s string) bool {
	if s == "" || len(s) > maxValue || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) })
}

func specVersions(list []string) ([]string, error) {
	for _, v := range list {
		major, minor, ok := strings.Cut(v, ".")
		if !ok || !digits(major) || !digits(minor) {
			return nil, invalid("match[spec_version] has the value %q; write 2.0 or 2.1", clip(v))
		}
	}
	return list, nil
}

func versions(list []string) (VersionFilter, error) {
	var f VersionFilter
	for _, v := range list {
		switch v {
		case "all":
			f.All = true
		case "first":
			f.First = true
		case "last":
			f.Last = true
		default:
			t, err := ParseTime(v)
			if err != nil {
				return f, invalid("match[version]: %v, or one of first, last and all", err)
			}
			f.Exact = append(f.Exact, t)
		}
	}
	if f.All && len(list) > 1 {
		return f, invalid("match[version]=all stands alone; leave out the other values or all")
	}
	slices.SortFunc(f.Exact, time.Time.Compare)
	f.Exact = slices.CompactFunc(f.Exact, time.Time.Equal)
	return f, nil
}

// readPosition reads limit, added_after and next. An empty next is none where added_after says where to go on, and
// otherwise an error: to begin again in silence would send its client round for ever.
func readPosition(values url.Values, req *request) error {
	after, hasAfter := values["added_after"]
	if hasAfter {
		t, err := ParseTime(after[0])
		if err != nil {
			return invalid("added_after: %v", err)
		}
		req.After = max(0, floorMicro(t))
	}
	if next, ok := values["next"]; ok {
		req.next = next[0]
		if req.next == "" && !hasAfter {
			return invalid("next is empty; leave it out to begin, or send the next of the page before")
		}
	}
	if limit, ok := values["limit"]; ok {
		n, err := readLimit(limit[0])
		if err != nil {
			return err
		}
		req.Limit = n
	}
	return nil
}

// floorMicro is the last whole microsecond not after t.
func floorMicro(t time.Time) int64 { return t.Unix()*1e6 + int64(t.Nanosecond())/1e3 }

// readLimit reads a positive number; one beyond all bounds is as good as the largest page.
func readLimit(s string) (int, error) {
	if !digits(s) || strings.Trim(s, "0") == "" {
		return 0, invalid("limit is %q; write a whole number above zero", clip(s))
	}
	n := 0
	for _, c := range []byte(s) {
		n = min(n*10+int(c-'0'), 1<<30)
	}
	return n, nil
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func invalid(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, format, args...)
}
