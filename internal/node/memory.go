package node

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

// softMemory is what the node's own heap is kept to, as far as its work allows; SQLite's caches come beside it.
const softMemory = 80 << 20

// heapLive is the bytes that the last collection found in use.
const heapLive = "/gc/heap/live:bytes"

// keepMemory keeps the soft limit above what is in use: rules and indicators are held in memory by what organisations
// load, and a limit below them would have the collector run without end.
func keepMemory(ctx context.Context) {
	debug.SetMemoryLimit(softMemory)
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		sample := []runtimemetrics.Sample{{Name: heapLive}}
		runtimemetrics.Read(sample)
		live := int64(sample[0].Value.Uint64())
		debug.SetMemoryLimit(max(softMemory, live+live/4+32<<20))
	}
}
