package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"strconv"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// code N COMMAND... runs a command and demands its exit status, which `! exec` does not tell apart.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// pack gzip|zstd|cut FROM TO writes a file compressed, or the first half of it.
func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pack gzip|zstd|cut FROM TO")
	}
	data := []byte(ts.ReadFile(args[1]))
	var out []byte
	switch args[0] {
	case "gzip":
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(data)
		ts.Check(errors.Join(err, z.Close()))
		out = b.Bytes()
	case "zstd":
		z, err := zstd.NewWriter(nil)
		ts.Check(err)
		out = z.EncodeAll(data, nil)
	case "cut":
		out = data[:len(data)/2]
	default:
		ts.Fatalf("pack %s: use gzip, zstd or cut", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out, 0o600))
}
