//go:build !windows

package detect

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/cli"
)

// TestS43OddFiles (S43): whatever stands where a log should, the command ends: a pipe in a folder is not opened, one that is named is
// read, a ring of links is not walked, a device without an end is given up or read in bounded memory until the command is told to end.
func TestS43OddFiles(t *testing.T) {
	dir := t.TempDir()
	rule, log := written(t, "rule.yml", everyProcess), process("a", "b", "c")
	noErr(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	noErr(t, os.Symlink(dir, filepath.Join(dir, "again")))
	noErr(t, os.Symlink("ring", filepath.Join(dir, "ring")))
	noErr(t, os.Symlink("/dev/zero", filepath.Join(dir, "zero")))
	noErr(t, os.WriteFile(filepath.Join(dir, "log.jsonl"), []byte(log), 0o600))
	named := filepath.Join(t.TempDir(), "named")
	noErr(t, syscall.Mkfifo(named, 0o600))
	for _, c := range []struct {
		why   string
		args  []string
		write string // a pipe that somebody writes a log to
		after time.Duration
		code  int
		says  string
	}{
		{"a folder with a pipe, links and a device behind a link", []string{"detect", "--rules", rule, "--count", dir}, "", 0, 0, `"alerts":1`},
		{"a pipe that somebody writes to", []string{"detect", "--rules", rule, "--count", named}, named, 0, 0, `"alerts":1`},
		{"a ring of links", []string{"detect", "--rules", rule, filepath.Join(dir, "ring")}, "", 0, 1, "too many levels of symbolic links"},
		{"a device without an end", []string{"detect", "--rules", rule, "/dev/zero"}, "", 0, 1, "binary data"},
		{"the same, read as what it is not", []string{"detect", "--rules", rule, "--format", "json", "/dev/zero"}, "", time.Second, 1, "interrupted"},
		{"as rules", []string{"detect", "--rules", "/dev/zero", dir}, "", 0, 1, "longer than"},
		{"as indicators", []string{"detect", "--indicators", "/dev/zero", dir}, "", time.Second, 1, ""},
		{"a folder as indicators", []string{"detect", "--indicators", dir, dir}, "", 0, 1, "it is a folder"},
		{"a history of a device", []string{"hunt", "--store", "/dev/zero", "--value", "a.example"}, "", 0, 1, ""},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if c.after > 0 {
			time.AfterFunc(c.after, cancel)
		}
		var out, said strings.Builder
		code := make(chan int, 1)
		most := peak(func() {
			go func() {
				code <- cli.Run(ctx, c.args, strings.NewReader(""), &out, &said, Commands(time.Now)...)
			}()
			if c.write != "" {
				go func() { _ = os.WriteFile(c.write, []byte(log), 0o600) }()
			}
			select {
			case got := <-code:
				if got != c.code || !strings.Contains(out.String()+said.String(), c.says) {
					t.Errorf("%s: exit %d, %s%s", c.why, got, out.String(), said.String())
				}
			case <-time.After(20 * time.Second):
				t.Errorf("%s: the command does not end", c.why)
			}
		})
		cancel()
		if most > 192<<20 {
			t.Errorf("%s: it took %d MiB", c.why, most>>20)
		}
	}
}

// TestS43SilentPipe (S43): a pipe that is open and silent is left when the command is told to end.
func TestS43SilentPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	noErr(t, syscall.Mkfifo(name, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	var out, said strings.Builder
	go func() {
		done <- cli.Run(ctx, []string{"detect", name}, strings.NewReader(""), &out, &said, Commands(time.Now)...)
	}()
	w, err := os.OpenFile(name, os.O_WRONLY, 0)
	noErr(t, err)
	defer w.Close()
	time.AfterFunc(200*time.Millisecond, cancel)
	select {
	case code := <-done:
		if code != 1 || strings.Contains(out.String(), "NO SIGN") {
			t.Errorf("exit %d, %s%s", code, out.String(), said.String())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the command does not end")
	}
}

// TestS43GrowingFile (S43): a file that grows while it is read is read to where its end was met.
func TestS43GrowingFile(t *testing.T) {
	name := written(t, "grows.jsonl", strings.Repeat(process("a", "b", "c"), 1000))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	noErr(t, err)
	defer f.Close()
	stop := make(chan struct{})
	grown := make(chan struct{})
	go func() {
		defer close(grown)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				_, _ = f.WriteString(process("a", "b", "c"))
			}
		}
	}()
	out, said, code := asked(t, "", "detect", "--rules", written(t, "rule.yml", everyProcess), "--count", name)
	close(stop)
	<-grown
	if code != 0 || said != "" || !strings.HasPrefix(out, `{"events":1`) {
		t.Errorf("exit %d, %s%s", code, out, said)
	}
}
