package db

import (
	"bufio"
	"fmt"
	"math/rand/v2" //house:allow math/rand/v2: when a process is killed in a test may be guessed
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// F3: a process with four writers is killed at random moments; what it acknowledged is there, and no pair by half.
func TestF3Kill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.db")
	n := 5
	if os.Getenv("POLDER_SOAK") != "" {
		n = 50
	}
	total := 0
	for range n {
		c, out := startChild(t, path, "pairs")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Peek(1); err != nil { // it writes now
			t.Fatal(err)
		}
		time.AfterFunc(rand.N(200*time.Millisecond), func() { _ = c.Process.Kill() })
		total += afterDeath(t, path, c, out)
	}
	if total == 0 {
		t.Fatal("nothing was acknowledged in any round: the test does not test")
	}
}

// afterDeath reads what a child acknowledges until it is dead, looks for it, and empties the table.
func afterDeath(t *testing.T, path string, c *exec.Cmd, out *bufio.Reader) (acknowledged int) {
	t.Helper()
	type pair struct{ who, n int }
	var acks []pair
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			break
		}
		var p pair
		if k, _ := fmt.Sscanf(line, "pair %d %d\n", &p.who, &p.n); k == 2 {
			acks = append(acks, p)
		}
	}
	_ = c.Wait()
	d := mustOpen(t, path, Options{})
	defer d.Close()
	if err := d.Migrate(t.Context(), "shared", shared); err != nil {
		t.Fatal(err)
	}
	var verdict string
	if err := d.Read().QueryRow(`PRAGMA integrity_check(1)`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity: %s, %v", verdict, err)
	}
	var half int
	if err := d.Read().QueryRow(`SELECT count(*) FROM (SELECT 1 FROM shared GROUP BY who, n / 2 HAVING count(*) <> 2)`).Scan(&half); err != nil || half != 0 {
		t.Fatalf("%d pairs by half, %v", half, err)
	}
	for _, p := range acks {
		var rows int
		if err := d.Read().QueryRow(`SELECT count(*) FROM shared WHERE who = ? AND n BETWEEN ? AND ?`, p.who, p.n, p.n+1).Scan(&rows); err != nil || rows != 2 {
			t.Fatalf("the acknowledged pair %v has %d rows, %v", p, rows, err)
		}
	}
	mustWrite(t, d, `DELETE FROM shared`)
	return len(acks)
}
