package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/cli/clitest"
)

// ship is a command for tests: it does what its argument says.
func ship() *cobra.Command {
	c := &cobra.Command{Use: "ship WHAT", Short: "Ship something", Example: "  polder ship ok", Args: cobra.ExactArgs(1)}
	data := c.Flags().String("tlp", "", "level")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		p := cli.Out(cmd)
		switch args[0] {
		case "ok":
			p.Printf("shipped %s at %s\n", args[0], *data)
			return nil
		case "nothing":
			return cli.Nothing
		case "where":
			return cli.At("a.json", 12, errors.New("no id; give one"))
		case "many":
			return errors.Join(cli.At("a.json", 1, errors.New("one")), cli.At("b.json", 0, errors.New("two")))
		case "hostile":
			return errors.New("name is \x1b]0;owned\a\u202e")
		case "usage":
			return cli.Usagef("give a file")
		case "cut":
			return fmt.Errorf("reading: %w", context.Canceled)
		}
		return nil
	}
	return c
}

func org() *cobra.Command {
	c := &cobra.Command{Use: "org", Short: "Organisations"}
	add := &cobra.Command{Use: "add", Short: "Add one", Example: "  polder org add --data node", RunE: func(*cobra.Command, []string) error { return nil }}
	cli.DataFlag(add)
	c.AddCommand(add)
	return c
}

// TestExitCodes: what scripts rely on (X24), and what a person reads.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string // contained
	}{
		{"ship ok --tlp amber", 0, "shipped ok at amber", ""},
		{"ship nothing", 3, "", ""},
		{"ship where", 1, "", "polder: a.json:12: no id; give one\n"},
		{"ship many", 1, "", "polder: a.json:1: one\npolder: b.json: two\n"},
		{"ship usage", 2, "", "polder: give a file\npolder: see polder ship --help\n"},
		{"ship cut", 1, "", "polder: interrupted\n"},
		{"ship", 2, "", "polder: accepts 1 arg(s), received 0\npolder: write polder ship WHAT\npolder: see polder ship --help\n"},
		{"ship ok --tpl amber", 2, "", "polder: there is no flag --tpl; did you mean --tlp?\n"},
		{"ship ok --colour", 2, "", "polder: there is no flag --colour\n"},
		{"shp ok", 2, "", `polder: there is no command "shp" in polder; did you mean ship?`},
		{"frobnicate", 2, "", `polder: there is no command "frobnicate" in polder; see polder --help`},
		{"org", 2, "", "polder: polder org needs one of: add\n"},
		{"org ad", 2, "", "did you mean add?"},
		{"org add", 2, "", `polder: required flag(s) "data" not set`},
		{"org add --data x", 0, "", ""},
		{"", 0, "Exit status: 0 done; 1 refused or failed; 2 wrong usage; 3 where", ""},
		{"ship --help", 0, "polder ship ok", ""},
		{"version", 0, "polder ", ""},
		{"version --json", 0, `"version":`, ""},
		{"version --sbom", 0, `"CycloneDX"`, ""},
		{"completion bash", 0, "polder", ""},
		{"__complete shi", 0, "ship\tShip something", ""},
	} {
		out, errs, code := clitest.Run(t, "", strings.Fields(c.args), ship(), org())
		if code != c.code || !strings.Contains(out, c.stdout) || !strings.Contains(errs, c.stderr) {
			t.Errorf("polder %s: exit %d, want %d\nstdout: %s\nstderr: %s\nwant in them: %q and %q", c.args, code, c.code, out, errs, c.stdout, c.stderr)
		}
		if c.code == 3 && errs+out != "" {
			t.Errorf("polder %s answers by exit status and still says %q", c.args, errs+out)
		}
	}
}

// TestEachCommand: the commands of this package pass the check that every capability's must pass; a bad one does not.
func TestEachCommand(t *testing.T) {
	clitest.Commands(t, ship(), org())
	bad := &cobra.Command{Use: "bad", Short: "Bad.", Run: func(*cobra.Command, []string) {}}
	bad.Flags().Bool("silent", false, "")
	probe := &probe{TB: t}
	clitest.Commands(probe, bad)
	if probe.errors != 3 {
		t.Errorf("%d complaints about a bad command, want 3", probe.errors)
	}
}

type probe struct {
	testing.TB
	errors int
}

func (p *probe) Errorf(string, ...any) { p.errors++ }
func (p *probe) Helper()               {}

// TestS44Errors: an error text cannot steer the terminal.
func TestS44Errors(t *testing.T) {
	_, errs, _ := clitest.Run(t, "", []string{"ship", "hostile"}, ship())
	if want := "polder: name is \\x1b]0;owned\\x07\\u202e\n"; errs != want {
		t.Errorf("got %q, want %q", errs, want)
	}
	_, errs, _ = clitest.Run(t, "", []string{"\x1b[2Jship"}, ship())
	if strings.Contains(errs, "\x1b") {
		t.Errorf("a name of a command steers the terminal: %q", errs)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFailedOutput: a result that could not be written is not a success.
func TestFailedOutput(t *testing.T) {
	var errs strings.Builder
	code := cli.Run(t.Context(), []string{"ship", "ok"}, nil, full{}, &errs, ship())
	if code != 1 || !strings.Contains(errs.String(), "write to standard output: no space left on device") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}

// TestOpen: standard input by "-", a clear word about folders and missing files, and odd names are just names.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "--tlp")
	if err := os.WriteFile(odd, []byte("odd"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &cobra.Command{}
	c.SetIn(strings.NewReader("in"))
	for _, x := range []struct{ name, text, err string }{
		{"-", "in", ""},
		{odd, "odd", ""},
		{dir, "", dir + ": it is a folder; name the files in it"},
		{filepath.Join(dir, "none"), "", filepath.Join(dir, "none") + ": no such file or directory"},
	} {
		r, err := cli.Open(c, x.name)
		if x.err != "" {
			if err == nil || err.Error() != x.err {
				t.Errorf("%s: %v, want %q", x.name, err, x.err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(r); string(text) != x.text {
			t.Errorf("%s: %q, want %q", x.name, text, x.text)
		}
		_ = r.Close()
	}
}

// TestNodeFlags: flags first, then the variables; what is missing is wrong usage; a token is in no help text.
func TestNodeFlags(t *testing.T) {
	t.Setenv("POLDER_NODE", "http://127.0.0.1:1/")
	t.Setenv("POLDER_TOKEN", "secret-of-the-environment")
	var got *cli.Node
	command := func() *cobra.Command {
		c := &cobra.Command{Use: "ask", Short: "Ask", Example: "  polder ask"}
		node := cli.NodeFlags(c)
		c.RunE = func(*cobra.Command, []string) (err error) { got, err = node(); return err }
		return c
	}
	if _, errs, code := clitest.Run(t, "", []string{"ask"}, command()); code != 0 || got.URL != "http://127.0.0.1:1" || got.Token != "secret-of-the-environment" {
		t.Errorf("exit %d %q: %+v", code, errs, got)
	}
	if clitest.Run(t, "", []string{"ask", "--node", "https://n.example", "--token", "t"}, command()); got.URL != "https://n.example" || got.Token != "t" {
		t.Errorf("flags do not win: %+v", got)
	}
	help, _, _ := clitest.Run(t, "", []string{"ask", "--help"}, command())
	if strings.Contains(help, "secret-of") {
		t.Error("the token is in the help text")
	}
	for _, bad := range []string{"localhost:8080", "ftp://n", "http://user:pw@n", "http://", "http://n/?a=b"} {
		if _, errs, code := clitest.Run(t, "", []string{"ask", "--node", bad}, command()); code != 2 || !strings.Contains(errs, "not the address of a node") {
			t.Errorf("%s: exit %d %q", bad, code, errs)
		}
	}
	t.Setenv("POLDER_TOKEN", "")
	if _, errs, code := clitest.Run(t, "", []string{"ask"}, command()); code != 2 || !strings.Contains(errs, "POLDER_TOKEN") {
		t.Errorf("without a token: exit %d %q", code, errs)
	}
}
