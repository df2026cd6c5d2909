package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/accounts"
)

// guide is docs/operations.md or a file of its folder.
func guide(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "docs"}, name...)...))
	ok(t, err)
	return string(text)
}

// shellWords cuts a line as a shell does: by spaces, quotes around some; a comment ends it.
func shellWords(line string) (all []string) {
	var word []byte
	open, in := byte(0), false
	for i := range len(line) {
		switch c := line[i]; {
		case open != 0 && c == open:
			open = 0
		case open != 0:
			word = append(word, c)
		case c == '\'' || c == '"':
			open, in = c, true
		case c == ' ':
			if in {
				all = append(all, string(word))
			}
			word, in = nil, false
		case c == '#' && !in:
			return all
		default:
			word, in = append(word, c), true
		}
	}
	if in {
		all = append(all, string(word))
	}
	return all
}

// understood says what is wrong with a command line, short of running it; whole asks for all that it needs.
func understood(root *cobra.Command, line string, whole bool) error {
	c, rest, err := root.Find(shellWords(line)[1:])
	if err == nil && c.HasSubCommands() && len(rest) > 0 {
		err = fmt.Errorf("%s knows no %q", c.CommandPath(), rest)
	}
	if err != nil || !whole {
		return err
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return err
	}
	if err := c.ValidateRequiredFlags(); err != nil {
		return err
	}
	return c.ValidateFlagGroups()
}

// wholeProgram is the tree of all commands.
func wholeProgram() *cobra.Command {
	root := &cobra.Command{Use: "polder", RunE: func(*cobra.Command, []string) error { return nil }, Args: cobra.NoArgs}
	root.AddCommand(Commands()...)
	root.AddCommand(&cobra.Command{Use: "version", Args: cobra.NoArgs, Run: func(*cobra.Command, []string) {}})
	return root
}

// TestOperationsCommands: every command in the guide and in the units is one that the program understands, flags and all.
func TestOperationsCommands(t *testing.T) {
	text := guide(t, "operations.md")
	var whole, named []string
	for n, block := range strings.Split(text, "```") {
		for line := range strings.Lines(block) {
			line = strings.TrimSpace(line)
			if n%2 == 1 && strings.HasPrefix(line, "polder ") && !strings.HasSuffix(line, "{") {
				whole = append(whole, line)
			}
		}
		if n%2 == 0 {
			for _, m := range regexp.MustCompile("`(polder [a-z][^`]*)`").FindAllStringSubmatch(block, -1) {
				named = append(named, m[1])
			}
		}
	}
	for _, unit := range []string{"polder.service", "polder-backup.service"} {
		for _, m := range regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/(polder .*)$`).FindAllStringSubmatch(guide(t, "operations", unit), -1) {
			whole = append(whole, m[1])
		}
	}
	if len(whole) < 40 || len(named) < 5 {
		t.Fatalf("only %d commands and %d mentions found", len(whole), len(named))
	}
	for _, line := range whole {
		if err := understood(wholeProgram(), line, true); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range named {
		if err := understood(wholeProgram(), line, false); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, wrong := range []string{"polder peer lost", "polder backup --data x", "polder backup --data x --recipent age1 y", "polder restore --check"} {
		if understood(wholeProgram(), wrong, true) == nil {
			t.Errorf("%q passes: the test sees nothing", wrong)
		}
	}
}

// TestOperationsConfig: every piece of polder.yaml in the guide is one that a node reads.
func TestOperationsConfig(t *testing.T) {
	n := 0
	for i, block := range strings.Split(guide(t, "operations.md"), "```") {
		block = strings.TrimSpace(block)
		if i%2 == 0 || !strings.HasPrefix(block, "public_url:") && !strings.HasPrefix(block, "listen:") {
			continue
		}
		n++
		dir := t.TempDir()
		ok(t, os.WriteFile(filepath.Join(dir, "polder.yaml"), []byte(block), 0o600))
		c, err := ReadConfig(dir)
		if err != nil || c.PublicURL != "https://polder.example" {
			t.Errorf("%v in\n%s", err, block)
		}
	}
	if n != 2 {
		t.Errorf("%d pieces of polder.yaml found, want 2", n)
	}
}

// TestOperationsMetrics: every metric that the guide, the alerts and the dashboard name is one that the node has, and
// every one of Polder's own stands in the guide and on the dashboard. The dashboard is JSON as Grafana reads it.
func TestOperationsMetrics(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	prepared(t, dir)
	n, err := Open(context.Background(), dir, Config{}.filled(), Options{Log: io.Discard})
	ok(t, err)
	defer n.Close()
	have := map[string]bool{}
	descriptions := make(chan *prometheus.Desc, 1000)
	newMetrics(prometheus.NewRegistry(), n).registry.Describe(descriptions)
	close(descriptions)
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	for d := range descriptions {
		have[name.FindStringSubmatch(d.String())[1]] = true
	}
	var board struct {
		Title, UID string
		Panels     []struct {
			Title   string
			Type    string
			Targets []struct{ Expr, RefID string }
		}
	}
	ok(t, json.Unmarshal([]byte(guide(t, "operations", "grafana.json")), &board))
	expressions := ""
	for _, p := range board.Panels {
		if p.Title == "" || p.Type == "" || len(p.Targets) == 0 {
			t.Errorf("panel %+v", p)
		}
		for _, target := range p.Targets {
			expressions += target.Expr + "\n"
		}
	}
	var alerts struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	ok(t, yaml.Unmarshal([]byte(guide(t, "operations", "alerts.yml")), &alerts))
	rules := ""
	for _, g := range alerts.Groups {
		for _, r := range g.Rules {
			if rules += r.Expr + "\n"; r.Alert == "" || r.Expr == "" {
				t.Errorf("rule %+v", r)
			}
		}
	}
	named := regexp.MustCompile(`\b(polder|process|go)_[a-z_]+\b`)
	texts := map[string]string{"docs/operations.md": guide(t, "operations.md"), "grafana.json": expressions, "alerts.yml": rules}
	for file, text := range texts {
		all := named.FindAllString(text, -1)
		if len(all) < 8 {
			t.Errorf("%s names only %v", file, all)
		}
		for _, m := range all {
			if !have[strings.TrimSuffix(m, "_bucket")] && !have[m] {
				t.Errorf("%s names %s, which the node does not have", file, m)
			}
		}
	}
	for m := range have {
		for _, file := range []string{"docs/operations.md", "grafana.json"} {
			if strings.HasPrefix(m, "polder_") && !slices.Contains(named.FindAllString(strings.ReplaceAll(texts[file], "_bucket", ""), -1), m) {
				t.Errorf("%s does not tell of %s", file, m)
			}
		}
	}
}

// TestOperationsDrill: the drill runs as the guide says, over a node that serves, and what it restores is that node; a
// node that lacks somebody, and a backup that cannot be opened, fail it.
func TestOperationsDrill(t *testing.T) {
	path, err := program()
	ok(t, err)
	dir := filepath.Join(t.TempDir(), "node")
	writer, _ := prepared(t, dir)
	p := spawn(t, dir)
	_, body := numbered(0, 0, 0, 5)
	if status, err := post(p.url, writer, body); err != nil || status != 200 && status != 202 {
		t.Fatalf("share: %d %v", status, err)
	}
	pass := filepath.Join(t.TempDir(), "pass.txt")
	ok(t, os.WriteFile(pass, []byte("a passphrase of the drill\n"), 0o600))
	scratch := filepath.Join(t.TempDir(), "scratch")
	drill := func(env ...string) (string, error) {
		cmd := exec.Command("sh", filepath.Join("..", "..", "docs", "operations", "drill.sh"), dir, scratch)
		cmd.Env = append(append(os.Environ(), "POLDER="+path), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := drill("PASSPHRASE_FILE=" + pass)
	if err != nil || !strings.Contains(out, "bytes is good") {
		t.Fatalf("the drill: %v\n%s", err, out)
	}
	p.kill()
	n, err := Open(t.Context(), scratch, Config{}.filled(), Options{Log: io.Discard})
	ok(t, err)
	defer n.Close()
	people, err := n.Accounts.People(t.Context(), accounts.Local(), "")
	if err != nil || len(people) != 1 {
		t.Errorf("the restored node has %v: %v", people, err)
	}
	var held int
	ok(t, n.DB.Read().QueryRow(`SELECT count(*) FROM delivery`).Scan(&held))
	if held != 5 {
		t.Errorf("the restored node holds %d objects", held)
	}
	if out, err := drill("PASSPHRASE_FILE=" + pass); err == nil {
		t.Errorf("a drill into a folder that is not empty passes:\n%s", out)
	}
	if out, err := drill(); err == nil || !strings.Contains(out, "age recipient") {
		t.Errorf("a drill without a key: %v\n%s", err, out)
	}
}

// TestOperationsUnits: the units hold the node to its folder, and their commands stand where the guide puts the program.
func TestOperationsUnits(t *testing.T) {
	unit := guide(t, "operations", "polder.service")
	for _, must := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "CapabilityBoundingSet=\n", "UMask=0077", "StateDirectoryMode=0700", "User=polder", "SystemCallErrorNumber=EPERM"} {
		if !strings.Contains(unit, must) {
			t.Errorf("polder.service lacks %s", must)
		}
	}
	for _, name := range []string{"polder.service", "polder-backup.service", "polder-backup.timer"} {
		section := ""
		for n, line := range strings.Split(guide(t, "operations", name), "\n") {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
				section = line
			case section == "" || !regexp.MustCompile(`^[A-Z][A-Za-z]+=`).MatchString(line):
				t.Errorf("%s:%d: %q is no setting of a section", name, n+1, line)
			}
		}
	}
	if systemd, err := exec.LookPath("systemd-analyze"); err == nil {
		out, err := exec.Command(systemd, "verify", "--man=no", filepath.Join("..", "..", "docs", "operations", "polder-backup.timer")).CombinedOutput()
		if bytes.Contains(out, []byte("Unknown key")) || bytes.Contains(out, []byte("Failed to parse")) {
			t.Errorf("systemd says: %v\n%s", err, out)
		}
	}
}
