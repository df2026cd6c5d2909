package keys

import (
	"context"
	"time"
)

// bell says that there is something new to tell the other nodes.
type bell chan struct{}

// ring never waits: who has not heard it yet hears it once.
func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// watch rings, until ctx ends, when the number that read returns has changed: another process may have written. It is
// looked at each second.
func (b bell) watch(ctx context.Context, read func() (int64, error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := int64(-1)
	for {
		if n, err := read(); err == nil && n != last {
			if last >= 0 {
				b.ring()
			}
			last = n
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
