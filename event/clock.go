package event

import "time"

// Clock is the time of an event as its log wrote it, read when it is asked for.
type Clock struct {
	text []byte
	read func([]byte) time.Time
	at   time.Time // when it is known already
}

// Time is the zero time when there is none or it cannot be read.
func (c Clock) Time() time.Time {
	if c.read == nil {
		return c.at
	}
	return c.read(c.text)
}
