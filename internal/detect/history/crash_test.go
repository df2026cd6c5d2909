package history

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crashDir names the folder in which TestKill's child writes.
const crashDir = "POLDER_HISTORY_CRASH"

// numbered is the i-th event of the child.
func numbered(i int) said {
	return saying(noon.Add(time.Duration(i%7)*20*time.Minute), [2]string{"domain", fmt.Sprintf("n%d.example.com", i)})
}

// crashChild appends, flushes and merges without end, and says after each flush up to which event everything is durable.
func crashChild(t *testing.T, dir string) {
	s := open(t, dir, Options{FlushBytes: 8 << 10})
	first, err := strconv.Atoi(os.Getenv(crashDir + "_FROM"))
	if err != nil {
		t.Fatal(err)
	}
	for i := first; ; i += 5 {
		var batch []said
		for j := i; j < i+5; j++ {
			batch = append(batch, numbered(j))
		}
		keep(t, s, "a", batch...)
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("durable %d\n", i+5)
		if i%50 == 0 {
			if _, err := s.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestKill kills a writer with SIGKILL again and again. What it said was durable is there once, what was half written is
// gone, and reading the same again adds what is missing and nothing else.
func TestKill(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashChild(t, dir)
		return
	}
	dir := storeDir(t)
	durable := 0
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), crashDir+"="+dir, crashDir+"_FROM="+strconv.Itoa(durable))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		began := durable
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n, ok := strings.CutPrefix(lines.Text(), "durable ")
			if !ok {
				continue
			}
			if durable, err = strconv.Atoi(n); err != nil {
				t.Fatal(err)
			}
			if durable >= began+60+round*17 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		for lines.Scan() { // what it said before it died
			if n, ok := strings.CutPrefix(lines.Text(), "durable "); ok {
				if v, err := strconv.Atoi(n); err == nil {
					durable = v
				}
			}
		}
		_ = cmd.Wait()
		if durable < began+60 {
			t.Fatalf("round %d: the writer ended at %d", round, durable)
		}
	}
	s := open(t, dir, Options{})
	have := map[string]int{}
	for _, raw := range rawHits(t, s, Query{Values: value(t, "example.com")}) {
		have[raw]++
	}
	var all []said
	for i := range durable {
		e := numbered(i)
		all = append(all, e)
		if have[e.raw] != 1 {
			t.Fatalf("event %d of %d durable ones is there %d times", i, durable, have[e.raw])
		}
	}
	if n := keep(t, s, "a", all...); n != 0 {
		t.Errorf("reading again adds %d", n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", tempPrefix+"*")); len(left) != 0 {
		t.Errorf("half a segment is left: %q", left)
	}
	if _, err := s.Segments(); err != nil {
		t.Errorf("not every segment is whole: %v", err)
	}
}
