package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// JSONFlag gives a command --json; [Printer.AsJSON] tells whether it was used.
func JSONFlag(c *cobra.Command) {
	c.Flags().Bool("json", false, "print JSON, a line each, for scripts")
}

// DataFlag gives a command --data, the folder of a node on this machine, which must be named.
func DataFlag(c *cobra.Command) *string {
	dir := c.Flags().String("data", "", "the node's `folder`")
	_ = c.MarkFlagRequired("data")
	_ = c.MarkFlagDirname("data")
	return dir
}

// NodeFlags gives a command --node and --token, for which the variables POLDER_NODE and POLDER_TOKEN stand in. The
// function it returns makes the client once the flags are read; what is missing is wrong usage.
func NodeFlags(c *cobra.Command) func() (*Node, error) {
	open := NodeFlag(c)
	token := c.Flags().String("token", "", "the `token` to act with (or POLDER_TOKEN, which other users of this machine cannot see)")
	return func() (*Node, error) {
		n, err := open()
		if err != nil {
			return nil, err
		}
		if n.Token = either(*token, "POLDER_TOKEN"); n.Token == "" {
			return nil, Usagef("no token is given; give --token or set POLDER_TOKEN")
		}
		return n, nil
	}
}

// NodeFlag is [NodeFlags] for what anybody may ask of a node: there is no --token, and none is sent.
func NodeFlag(c *cobra.Command) func() (*Node, error) {
	address := c.Flags().String("node", "", "the node's `address`, such as http://127.0.0.1:8080 (or POLDER_NODE)")
	return func() (*Node, error) {
		a := either(*address, "POLDER_NODE")
		if a == "" {
			return nil, Usagef("no node is named; give --node URL or set POLDER_NODE")
		}
		u, err := url.Parse(a)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			return nil, Usagef("%q is not the address of a node; it looks like http://127.0.0.1:8080", a)
		}
		return &Node{URL: strings.TrimRight(u.String(), "/")}, nil
	}
}

func either(flag, variable string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv(variable)
}

// Open opens a file that a person named; "-" is standard input. A folder is refused with a sentence.
// Whoever reads it bounds how much: it may be a pipe without an end. Reading fails once the command was told to end.
func Open(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return &whileRunning{ctx: cmd.Context(), in: io.NopCloser(cmd.InOrStdin())}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, At(name, 0, plain(err))
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close()
		return nil, At(name, 0, fmt.Errorf("it is a folder; name the files in it"))
	}
	w := &whileRunning{ctx: cmd.Context(), in: f}
	if w.ctx != nil {
		w.stop = context.AfterFunc(w.ctx, func() { _ = f.Close() }) // a pipe that nobody writes to is left
	}
	return w, nil
}

// whileRunning is a file that is read until the command is told to end.
type whileRunning struct {
	ctx  context.Context
	in   io.ReadCloser
	stop func() bool // nil when nothing closes it but its reader
}

func (w *whileRunning) Read(p []byte) (int, error) {
	if w.ctx != nil && w.ctx.Err() != nil {
		return 0, w.ctx.Err()
	}
	n, err := w.in.Read(p)
	if err != nil && w.ctx != nil && w.ctx.Err() != nil {
		err = w.ctx.Err()
	}
	return n, err
}

func (w *whileRunning) Close() error {
	if w.stop != nil {
		w.stop()
	}
	return w.in.Close()
}

// plain takes the operation and the path out of an error of a file: the caller says them.
func plain(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
