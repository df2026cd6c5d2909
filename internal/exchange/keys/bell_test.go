package keys

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatch: what another process writes is noticed within a second, the very first thing too, and nothing else rings.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		b := make(bell, 1)
		var mu sync.Mutex
		var n int64
		var failed error
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.watch(ctx, func() (int64, error) {
				mu.Lock()
				defer mu.Unlock()
				return n, failed
			})
		}()
		for _, c := range []struct {
			why   string
			n     int64
			err   error
			rings bool
		}{
			{"nothing happened", 0, nil, false},
			{"the first thing ever", 1, nil, true},
			{"the same again", 1, nil, false},
			{"a number that could not be read", 7, errors.New("busy"), false},
			{"what was missed meanwhile", 7, nil, true},
		} {
			mu.Lock()
			n, failed = c.n, c.err
			mu.Unlock()
			time.Sleep(1001 * time.Millisecond)
			synctest.Wait()
			if rang := len(b) == 1; rang != c.rings {
				t.Errorf("%s: rang %v, want %v", c.why, rang, c.rings)
			}
			for len(b) > 0 {
				<-b
			}
		}
		stop()
		<-done
	})
}
