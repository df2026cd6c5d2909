//go:build fail

// Package fail marks the places where a test may break the program; see off.go.
package fail

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

type rule struct {
	what string
	at   int
}

var (
	mu    sync.Mutex
	rules = parse(os.Getenv("POLDER_FAIL"))
	seen  = map[string]int{}
)

func parse(s string) map[string]rule {
	out := map[string]rule{}
	for part := range strings.SplitSeq(s, ",") {
		point, what, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		r := rule{at: 1}
		r.what, part, ok = strings.Cut(what, "@")
		if ok {
			r.at, _ = strconv.Atoi(part)
		}
		out[point] = r
	}
	return out
}

// At is a failpoint. It returns an error, or never returns, when the test asked for that.
func At(point string) error {
	mu.Lock()
	r, ok := rules[point]
	seen[point]++
	hit := ok && seen[point] == r.at
	mu.Unlock()
	if !hit {
		return nil
	}
	if r.what == "kill" {
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			_ = p.Kill()
		}
		select {}
	}
	return fmt.Errorf("failpoint %s", point)
}

// Bug tells whether the named bug is put back.
func Bug(name string) bool {
	_, ok := rules[name]
	return ok
}
