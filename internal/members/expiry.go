package members

import (
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// longestExpiry is a century: what is meant to last longer gives no expiry.
const longestExpiry = 36500 * 24 * time.Hour

var expiryUnits = map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseExpiry reads when something ends: a span from now ("12h", "90d", "26w"), a day ("2027-01-31", which it still
// lasts) or a time (RFC 3339). The empty text is never, the zero time.
func parseExpiry(s string, now time.Time) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	if span, ok := parseSpan(s); ok {
		return now.Add(span), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if day, dayErr := time.Parse(time.DateOnly, s); dayErr == nil {
		at, err = day.AddDate(0, 0, 1), nil
	}
	if err != nil || at.After(now.Add(longestExpiry)) {
		return time.Time{}, polder.Errorf(polder.Invalid, "%.40q is no expiry; write a span such as 90d or 12h, or a day such as 2027-01-31", s)
	}
	if !at.After(now) {
		return time.Time{}, polder.Errorf(polder.Invalid, "%s is past; give a later day", s)
	}
	return at, nil
}

// parseSpan reads a whole number of hours, days or weeks, at least one and at most a century.
func parseSpan(s string) (time.Duration, bool) {
	unit, ok := expiryUnits[s[len(s)-1]]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil || n == 0 || n > uint64(longestExpiry/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
