package history

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// hour is an hour of event time, counted from 1970; undated is the place of events without a time.
type hour int64

const undated hour = -1 << 40

const (
	dayPrefix   = "day="
	undatedDay  = dayPrefix + "undated"
	filtersFile = "_filters"
	tempPrefix  = "_tmp-"
	segmentExt  = ".parquet"
	keyFile     = "key"
	microsHour  = int64(time.Hour / time.Microsecond)
)

func hourOf(t int64) hour {
	if t == 0 {
		return undated
	}
	h := t / microsHour
	if t%microsHour < 0 {
		h--
	}
	return hour(h)
}

func (h hour) start() time.Time { return time.Unix(int64(h)*3600, 0).UTC() }

// day is the name of the folder of an hour.
func (h hour) day() string {
	if h == undated {
		return undatedDay
	}
	return dayPrefix + h.start().Format(time.DateOnly)
}

// segmentName is the file of the n-th segment of an hour: 14-000003.parquet.
func segmentName(h hour, n int) string {
	clock := 0
	if h != undated {
		clock = h.start().Hour()
	}
	return fmt.Sprintf("%02d-%06d%s", clock, n, segmentExt)
}

// parseSegment reads what segmentName wrote, in the folder of a day.
func parseSegment(day, name string) (h hour, n int, ok bool) {
	text, ok := strings.CutSuffix(name, segmentExt)
	clock, number, cut := strings.Cut(text, "-")
	if !ok || !cut || len(clock) != 2 || len(number) < 6 || len(number) > 9 {
		return 0, 0, false
	}
	c, err := strconv.ParseUint(clock, 10, 8)
	m, err2 := strconv.ParseUint(number, 10, 31)
	if err != nil || err2 != nil || c > 23 {
		return 0, 0, false
	}
	if day == undatedDay {
		return undated, int(m), c == 0
	}
	date, err := time.ParseInLocation(time.DateOnly, strings.TrimPrefix(day, dayPrefix), time.UTC)
	if err != nil || !strings.HasPrefix(day, dayPrefix) {
		return 0, 0, false
	}
	return hour(date.Unix()/3600 + int64(c)), int(m), true
}

// segment is a file of events of one hour.
type segment struct {
	hour   hour
	number int
	day    string // the name of its folder
	name   string // of its file
	bytes  int64
	entry  *entry // nil until the filters of the day were read
}

func (g *segment) path(dir string) string { return filepath.Join(dir, g.day, g.name) }

// before orders segments by hour, then by number; the undated come first.
func (g *segment) before(o *segment) int {
	if g.hour != o.hour {
		return int(max(-1, min(1, int64(g.hour)-int64(o.hour))))
	}
	return g.number - o.number
}
