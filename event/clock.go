package event

import "time"

// Clock is the time of an event as its log wrote it, read when it is asked for.
type Clock struct {
	text []byte
	read func([]byte) time.Time
}

// Time is the zero time when there is none or it cannot be read.
func (c Clock) Time() time.Time {
	if c.read == nil {
		return time.Time{}
	}
	return c.read(c.text)
}
