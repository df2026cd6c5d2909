package taxii

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

const (
	taxiiType    = "application/taxii+json"
	taxiiVersion = "2.1"
)

// acceptable tells whether an answer in TAXII 2.1 is what the request's Accept headers ask for. As in RFC 9110 the
// most specific range that fits decides, by its q; a range without a version asks for the highest, which is this one.
func acceptable(h http.Header) bool {
	lines := h.Values("Accept")
	list := strings.Join(lines, ",")
	if strings.TrimSpace(list) == "" {
		return true
	}
	best, quality := 0, 0.0
	for _, item := range splitList(list) {
		typ, params, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		if fit := fitness(typ, params); fit > best {
			best, quality = fit, q(params["q"])
		} else if fit == best && fit > 0 {
			quality = max(quality, q(params["q"]))
		}
	}
	return best > 0 && quality > 0
}

// fitness is how specifically a media range names TAXII 2.1; 0 when it does not.
func fitness(typ string, params map[string]string) int {
	version, versioned := params["version"]
	switch {
	case typ == taxiiType && versioned && version == taxiiVersion:
		return 4
	case typ == taxiiType && !versioned:
		return 3
	case typ == "application/*":
		return 2
	case typ == "*/*":
		return 1
	}
	return 0
}

// q reads a quality value; what cannot be read counts as 1.
func q(s string) float64 {
	if s == "" {
		return 1
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < 0 || v > 1 {
		return 1
	}
	return v
}

// splitList splits a header's list at commas outside quotes.
func splitList(s string) []string {
	var items []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			items = append(items, s[start:i])
			start = i + 1
		}
	}
	return append(items, s[start:])
}

// isTAXII tells whether a Content-Type is TAXII 2.1: with that version or with none, in UTF-8.
func isTAXII(contentType string) bool {
	typ, params, err := mime.ParseMediaType(contentType)
	if err != nil || typ != taxiiType {
		return false
	}
	version, versioned := params["version"]
	charset, named := params["charset"]
	return (!versioned || version == taxiiVersion) && (!named || strings.EqualFold(charset, "utf-8"))
}

// takesGzip tells whether the request's Accept-Encoding allows gzip.
func takesGzip(h http.Header) bool {
	named, any := -1.0, -1.0
	for _, item := range splitList(strings.Join(h.Values("Accept-Encoding"), ",")) {
		name, rest, _ := strings.Cut(item, ";")
		_, value, _ := strings.Cut(rest, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			named = q(strings.TrimSpace(value))
		case "*":
			any = q(strings.TrimSpace(value))
		}
	}
	return named > 0 || named < 0 && any > 0
}
