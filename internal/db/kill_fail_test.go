//go:build fail

package db

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// F3 at the named points: before and after the commit, while the log is emptied, between migrations.
func TestF3Points(t *testing.T) {
	for _, point := range []string{"migrate.before=kill@1", "migrate.before=kill@2", "commit.before=kill@1", "commit.before=kill@37", "commit.after=kill@1", "commit.after=kill@37", "checkpoint.during=kill@1", "checkpoint.during=kill@3"} {
		t.Run(point, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "node.db")
			c, out := failing(t, path, point)
			acks := afterDeath(t, path, c, out)
			if c.ProcessState.Success() {
				t.Fatal("the process was not killed")
			}
			if strings.Contains(point, "@37") && acks == 0 {
				t.Fatal("nothing was acknowledged before")
			}
		})
	}
}

// An error at a commit is answered to everyone in it; after one whose outcome nobody knows the database takes nothing.
func TestErrorAtEachPoint(t *testing.T) {
	for _, c := range []struct {
		point string
		ends  bool
	}{{"commit.before=error@20", false}, {"commit.after=error@20", true}} {
		t.Run(c.point, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "node.db")
			cmd, out := failing(t, path, c.point)
			var failed int
			var lines []string
			for range 400 {
				line, err := out.ReadString('\n')
				if err != nil {
					break
				}
				lines = append(lines, line)
				if strings.HasPrefix(line, "failed") {
					failed++
				}
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if failed == 0 || c.ends && failed != 4 {
				t.Fatalf("%d writers failed; %v", failed, lines)
			}
			d := mustOpen(t, path, Options{})
			if n := count(t, d, "shared"); n%2 != 0 || n == 0 {
				t.Fatalf("%d rows", n)
			}
		})
	}
}

func failing(t *testing.T, path, point string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	c, out := startChild(t, path, "pairs")
	c.Env = append(c.Env, "POLDER_FAIL="+point)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, out
}
