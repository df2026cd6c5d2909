// Package clitest checks what every command owes its user.
package clitest

import (
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polder-exchange/polder/internal/cli"
)

// Commands fails t for each command, however deep, that lacks a short description or an example that begins with its
// own path, or that has a flag without a description. Build the commands as for [cli.Main].
func Commands(t testing.TB, commands ...*cobra.Command) {
	t.Helper()
	root := &cobra.Command{Use: "polder"}
	root.AddCommand(commands...)
	for _, c := range commands {
		check(t, c)
	}
}

func check(t testing.TB, c *cobra.Command) {
	t.Helper()
	if c.Short == "" || strings.HasSuffix(c.Short, ".") {
		t.Errorf("%s: its short description is %q; say in a few words, without a full stop, what it does", c.CommandPath(), c.Short)
	}
	if c.Runnable() && !strings.Contains(c.Example, c.CommandPath()) {
		t.Errorf("%s: no example that shows %q", c.CommandPath(), c.CommandPath())
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Usage == "" {
			t.Errorf("%s: --%s has no description", c.CommandPath(), f.Name)
		}
	})
	for _, sub := range c.Commands() {
		check(t, sub)
	}
}

// Run runs the command line as a person would, without a terminal, and returns what it printed and its exit code.
func Run(t testing.TB, stdin string, args []string, commands ...*cobra.Command) (stdout, stderr string, code int) {
	t.Helper()
	var out, err strings.Builder
	code = cli.Run(context.Background(), args, strings.NewReader(stdin), &out, &err, commands...)
	return out.String(), err.String(), code
}
