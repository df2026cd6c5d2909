package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"polder": main}) }

// TestScripts runs the user-level tests: each file below testdata/script is a session at a terminal. They are written to
// be read as a manual.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serve, "stop": stop, "getenv": getenv, "code": code, "pack": pack, "photo": photo,
		},
	})
}

type served struct {
	cmd  *exec.Cmd
	path string
}

// serve DIR starts the node of a folder and sets POLDER_NODE to its address. It runs until `stop` or the script's end.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: serve DIR [flags]")
	}
	cmd := exec.Command("polder", append([]string{"serve", "--data", args[0], "--listen", "127.0.0.1:0"}, args[1:]...)...)
	if path, err := exec.LookPath("polder"); err == nil {
		cmd.Path = path
	}
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = os.Environ()
	errs, err := os.CreateTemp("", "polder-serve-")
	ts.Check(err)
	cmd.Stderr = errs
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s := &served{cmd, errs.Name()}
	ts.Defer(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		_ = errs.Close()
		_ = os.Remove(s.path)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		text, _ := os.ReadFile(s.path)
		ts.Fatalf("serve said %q: %v\n%s", line, err, text)
	}
	running[ts.Getenv("WORK")] = s
	ts.Setenv("POLDER_NODE", strings.TrimSpace(strings.TrimPrefix(line, "ready ")))
}

// running is the node of each script, by its folder.
var running = map[string]*served{}

// stop ends the node cleanly, as SIGTERM does, and demands that it exits with 0.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	s := running[ts.Getenv("WORK")]
	if neg || s == nil {
		ts.Fatalf("no node is running")
	}
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			text, _ := os.ReadFile(s.path)
			ts.Fatalf("serve ended with %v\n%s", err, text)
		}
	case <-time.After(20 * time.Second):
		ts.Fatalf("serve did not end within 20 seconds of SIGTERM")
	}
}

// getenv NAME KEY FILE sets a variable to a member of the JSON object in a file (or in stdout).
func getenv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: getenv NAME KEY FILE")
	}
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[2])), &object))
	ts.Setenv(args[0], fmt.Sprint(object[args[1]]))
}
