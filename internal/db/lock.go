package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

var errHeld = errors.New("held by another process")

// LockDir takes dir for one serving process (F22). While it is held a second call, in this or another process, is
// refused with [polder.Conflict] and says who holds it. The operating system frees it when the process ends, however
// that happens. Commands that only write to the database do not need it.
func LockDir(dir string) (release func(), err error) {
	name := filepath.Join(dir, "polder.lock")
	f, err := lockFile(name)
	if errors.Is(err, errHeld) {
		who, _ := os.ReadFile(name)
		return nil, polder.Errorf(polder.Conflict, "%s is in use by another polder%s: stop it first, or give another --data", dir, holder(who))
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return func() { _ = f.Close() }, nil
}

func holder(who []byte) string {
	if pid := strings.TrimSpace(string(who)); pid != "" && len(pid) < 12 {
		return " (process " + pid + ")"
	}
	return ""
}

// Hold takes the lock file name for a piece of work that processes must not do at once, waiting for it while ctx lasts.
// The operating system frees it when the process ends, however that happens.
func Hold(ctx context.Context, name string) (release func(), err error) { return waitLock(ctx, name) }

// waitLock takes the lock file name, waiting for it while ctx lasts.
func waitLock(ctx context.Context, name string) (release func(), err error) {
	for {
		f, err := lockFile(name)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, errHeld) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %s: %w", name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
