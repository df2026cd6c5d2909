package screen

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// onThread is the processor time that this thread has taken, which a busy machine does not change.
func onThread(t testing.TB) time.Duration {
	t.Helper()
	const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID
	var ts syscall.Timespec
	if _, _, no := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&ts)), 0); no != 0 {
		t.Fatal(no)
	}
	return time.Duration(ts.Nano())
}

// heldWriter measures how long each write of a world holds the writer.
func (w *serviceWorld) heldWriter() (took func() []time.Duration) {
	var mu sync.Mutex
	var all []time.Duration
	w.around = func(fn func(*db.Tx) error) func(*db.Tx) error {
		return func(tx *db.Tx) error {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			start := onThread(w.t)
			err := fn(tx)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, onThread(w.t)-start)
			return err
		}
	}
	return func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		out := all
		all = nil
		slices.Sort(out)
		return out
	}
}

// TestWritesAreShort: no transaction of an import, of a batch, of asking known parties and of asking them again holds
// the writer above 50 ms, with rows as people have them: every tenth meets a listing.
func TestWritesAreShort(t *testing.T) {
	if testing.Short() {
		t.Skip("it imports and asks thousands of parties")
	}
	w := ready(t)
	took := w.heldWriter()
	const most = 50 * time.Millisecond
	steps := map[string]func(){
		"1 importing parties": func() {
			_, err := w.ImportParties(t.Context(), anna, Customers, manyRows(3_000, 10))
			must(t, err)
		},
		"2 asking them": w.work,
		"3 importing them again, changed": func() {
			_, err := w.ImportParties(t.Context(), anna, Customers, func(yield func(Query, error) bool) {
				for q := range manyRows(3_000, 10) {
					q.Country = "NL"
					if !yield(q, nil) {
						return
					}
				}
			})
			must(t, err)
			w.work()
		},
		"4 storing a batch": func() {
			_, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, manyRows(3_000, 10))
			must(t, err)
		},
		"5 asking a batch": w.work,
		"6 asking again when a listing changes": func() {
			one := entry("1", firmOne)
			one.Addresses = []string{"14 Dock Road"}
			w.lists.put("alpha", "2026-11-02", one, entry("2", firmTwo), entry("3", firmThree))
			w.work()
		},
		"7 closing what is no longer listed": func() {
			w.lists.put("alpha", "2026-11-03", entry("2", firmTwo))
			w.work()
		},
		"8 many hits each": func() {
			var same []lists.Entry
			for i := range 60 {
				same = append(same, entry(itoaTest(100+i), firmTwo))
			}
			w.lists.put("alpha", "2026-11-04", same...)
			_, err := w.ImportParties(t.Context(), anna, Suppliers, rowsOf(company("A", firmTwo), company("B", firmTwo), company("C", firmTwo)))
			must(t, err)
			w.work()
		},
	}
	for _, what := range slices.Sorted(maps.Keys(steps)) {
		steps[what]()
		all := took()
		if len(all) == 0 {
			t.Errorf("%s wrote nothing", what)
			continue
		}
		worst := all[len(all)-1]
		t.Logf("%s: %d writes, median %v, longest %v", what, len(all), all[len(all)/2].Round(time.Microsecond), worst.Round(time.Microsecond))
		if worst > most {
			t.Errorf("%s holds the writer %v, more than %v", what, worst, most)
		}
	}
}
