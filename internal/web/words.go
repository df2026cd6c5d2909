package web

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Words says things in one language and one time zone. It is a value; the zero value says every key as it is.
type Words struct {
	lang string
	text Catalogue
	zone *time.Location
	now  func() time.Time
}

// Lang is the language, as in the lang attribute: "en" or "nl".
func (w Words) Lang() string { return w.lang }

// T is the text of key. Pairs fill its placeholders: T("shared", "n", 14, "who", name) fills {n} and {who}. A number
// under "n" chooses between key.one and key.other. Whole numbers, times and markings are written as people say them.
// A key that no catalogue holds is said as it is; the test of catalogues finds it.
func (w Words) T(key string, pairs ...any) string {
	return w.fill(w.find(key, pairs), pairs)
}

func (w Words) fill(text string, pairs []any) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		name := m[1 : len(m)-1]
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return w.Say(pairs[i+1])
			}
		}
		return m
	})
}

// Has tells whether there is a text of key.
func (w Words) Has(key string) bool {
	_, ok := w.text[key]
	return ok
}

func (w Words) find(key string, pairs []any) string {
	if text, ok := w.text[key]; ok {
		return text
	}
	form := ".other"
	for i := 0; i+1 < len(pairs); i += 2 {
		if n, ok := whole(pairs[i+1]); ok && pairs[i] == "n" && n == 1 {
			form = ".one"
		}
	}
	if text, ok := w.text[key+form]; ok {
		return text
	}
	return key
}

// Link is the text of key as T says it, where what stands in brackets links to path. Only same-site paths become
// links.
func (w Words) Link(key, path string, pairs ...any) template.HTML {
	var m markup
	before, rest, _ := strings.Cut(w.find(key, pairs), "[")
	label, after, _ := strings.Cut(rest, "]")
	m.text(w.fill(before, pairs))
	if label != "" {
		m.open("a", "href", path).text(w.fill(label, pairs)).close()
	}
	m.text(w.fill(after, pairs))
	return m.html()
}

// Say writes one value as people say it.
func (w Words) Say(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return w.When(v)
	case time.Duration:
		return w.Span(v)
	case stix.Marking:
		return v.Label()
	case nil:
		return ""
	}
	if n, ok := whole(v); ok {
		return w.Number(n)
	}
	return fmt.Sprint(v)
}

func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case int32:
		return int64(v), true
	case uint64:
		return int64(min(v, 1<<62)), true
	}
	return 0, false
}

// Number writes n in groups of three with a narrow space that does not break.
func (w Words) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	if len(digits) < 5 { // four digits read well without
		return sign + digits
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString("\u202f")
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Size writes a number of bytes as people say it: "812 bytes", "3.4 MB".
func (w Words) Size(n int64) string {
	if n < 1000 {
		return w.T("size.bytes", "n", n)
	}
	v, unit := float64(n), 0
	units := [...]string{"bytes", "kB", "MB", "GB", "TB"}
	for v >= 999.5 && unit < len(units)-1 {
		v, unit = v/1000, unit+1
	}
	digits := strconv.FormatFloat(v, 'f', 1, 64)
	if v >= 10 {
		digits = strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits = strings.TrimSuffix(digits, ".0")
	if w.lang == "nl" {
		digits = strings.Replace(digits, ".", ",", 1)
	}
	return digits + "\u00a0" + units[unit]
}

// When writes t as people say it, seen from now: "Today 14:28", "Mon 17:34" within six days, else "12 Nov 2026".
func (w Words) When(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t, now := w.local(t), w.local(w.clock())
	switch days := daysBetween(now, t); {
	case days == 0:
		return w.T("when.today", "clock", t.Format("15:04"))
	case days > -7 && days < 0:
		return w.T("when.weekday."+weekday(t)) + " " + t.Format("15:04")
	case days > 0 && days < 7:
		return w.T("when.weekday."+weekday(t)) + " " + strconv.Itoa(t.Day()) + " " + w.month(t) + ", " + t.Format("15:04")
	}
	return w.Date(t)
}

// Clock writes the time of day of t, "14:28", for lists of one day; an older t as When does.
func (w Words) Clock(t time.Time) string {
	local := w.local(t)
	if !t.IsZero() && daysBetween(w.local(w.clock()), local) == 0 {
		return local.Format("15:04")
	}
	return w.When(t)
}

// Date writes the day of t: "12 Nov 2026".
func (w Words) Date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = w.local(t)
	return strconv.Itoa(t.Day()) + " " + w.month(t) + " " + strconv.Itoa(t.Year())
}

// Now writes this moment in full: "Tuesday 24 November 2026, 14:32".
func (w Words) Now() string {
	t := w.local(w.clock())
	return w.T("when.full", "weekday", w.T("when.day."+weekday(t)), "day", t.Day(),
		"month", w.T("when.monthname."+strconv.Itoa(int(t.Month()))), "year", strconv.Itoa(t.Year()), "clock", t.Format("15:04"))
}

// Span writes a length of time in its two largest units: "19 h 12 min", "6 days".
func (w Words) Span(d time.Duration) string {
	d = d.Abs()
	hours, minutes := int(d.Hours()), int(d.Minutes())%60
	switch {
	case d < time.Minute:
		return w.T("span.seconds", "n", int(d.Seconds()))
	case hours == 0:
		return w.T("span.minutes", "n", minutes)
	case hours < 48 && minutes == 0:
		return w.T("span.hours", "n", hours)
	case hours < 48:
		return w.T("span.hours", "n", hours) + " " + w.T("span.minutes", "n", minutes)
	}
	return w.T("span.days", "n", hours/24)
}

// ZoneName is the zone in which times are said, for a line such as "Times in Amsterdam".
func (w Words) ZoneName() string {
	if w.zone == nil {
		return "UTC"
	}
	_, city, ok := strings.Cut(w.zone.String(), "/")
	if !ok {
		return w.zone.String()
	}
	return strings.ReplaceAll(city, "_", " ")
}

func (w Words) clock() time.Time {
	if w.now == nil {
		return time.Time{}
	}
	return w.now()
}

// Local is t in the zone in which times are said.
func (w Words) Local(t time.Time) time.Time { return w.local(t) }

func (w Words) local(t time.Time) time.Time {
	if w.zone == nil {
		return t.UTC()
	}
	return t.In(w.zone)
}

// inputForm is how a datetime-local input writes a time.
const inputForm = "2006-01-02T15:04"

// Input writes t as a datetime-local input holds it, in the zone in which times are said; the zero time is empty.
func (w Words) Input(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.local(t).Format(inputForm)
}

// ReadInput reads what a datetime-local input sends, in the zone in which times are said; empty is the zero time. Where a
// browser has no such input, a person writes the same: a day, then "T" or a space, then the time.
func (w Words) ReadInput(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	zone := w.zone
	if zone == nil {
		zone = time.UTC
	}
	form := strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{inputForm, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, form, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, polder.Errorf(polder.Invalid, "%.40q is not a time; write it as 2026-11-24 09:12", text)
}

func (w Words) month(t time.Time) string { return w.T("when.month." + strconv.Itoa(int(t.Month()))) }

func weekday(t time.Time) string { return strconv.Itoa(int(t.Weekday())) }

// daysBetween counts the midnights from a to b, both in the same zone.
func daysBetween(a, b time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(day(b).Sub(day(a)) / (24 * time.Hour))
}

// WordsOf are the words for whoever asks: the language chosen in the address, on this device, in the account or by
// the browser, in this order.
func WordsOf(r *http.Request) Words {
	q := requestOf(r.Context())
	if q == nil {
		return Words{}
	}
	return q.site.Words(q.language(r))
}

// Defang writes a value that bites so that nobody follows it by accident: "example[.]com", "hxxps://…". It is for
// reading only; what is copied stays whole.
func Defang(value string) string {
	scheme, host, isURL := strings.Cut(value, "://")
	if !isURL {
		scheme, host = "", value
	}
	tail := ""
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host, tail = host[:i], host[i:]
	}
	if i := strings.LastIndexByte(strings.TrimRight(host, "."), '.'); i >= 0 {
		host = host[:i] + "[.]" + host[i+1:]
	}
	if !isURL {
		return host + tail
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		scheme = "hxxp" + scheme[4:]
	case "ftp":
		scheme = "fxp"
	}
	return scheme + "://" + host + tail
}
