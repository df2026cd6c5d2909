package members

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/cli/clitest"
	"github.com/polder-exchange/polder/internal/db"
)

// cheap is a password hash that tests can afford.
var cheap = accounts.PasswordCost{MemoryKiB: 8, Passes: 1, Lanes: 1}

// openFolder is an [Opener] for tests.
func openFolder(ctx context.Context, dir string, create bool) (*Store, error) {
	path := filepath.Join(dir, "node.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, polder.Errorf(polder.NotFound, "%s holds no node; make one with polder init --data %s", dir, dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, path, db.Options{})
	if err != nil {
		return nil, err
	}
	l := audit.New(d, time.Now)
	a := accounts.New(d, l, accounts.Options{Password: cheap})
	if err := errors.Join(l.Migrate(ctx), a.Migrate(ctx)); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Store{Accounts: a, Audit: l, DB: d, Close: d.Close}, nil
}

func TestCommandsHelp(t *testing.T) { clitest.Commands(t, Commands(openFolder)...) }

// shell runs commands on one folder.
type shell struct {
	*testing.T
	dir string
}

func newShell(t *testing.T) *shell {
	s := &shell{t, filepath.Join(t.TempDir(), "node")}
	s.do(0, "init", "--name", "Acme Optics", "--country", "NL")
	return s
}

// do runs a command (its --data is added) and answers what it printed.
func (s *shell) do(code int, args ...string) (stdout, stderr string) {
	s.Helper()
	stdout, stderr, got := clitest.Run(s, "", append(args, "--data", s.dir), Commands(openFolder)...)
	if got != code {
		s.Fatalf("%q: exit %d, want %d\nstdout: %s\nstderr: %s", args, got, code, stdout, stderr)
	}
	return stdout, stderr
}

// object runs a command that prints one JSON object with exactly these names.
func (s *shell) object(names string, args ...string) map[string]string {
	s.Helper()
	out, _ := s.do(0, args...)
	var got map[string]string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		s.Fatalf("%q printed %q: %v", args, out, err)
	}
	want := strings.Fields(names)
	for _, n := range want {
		if got[n] == "" {
			s.Fatalf("%q printed no %s: %s", args, n, out)
		}
	}
	if len(got) != len(want) {
		s.Fatalf("%q printed more than %s: %s", args, names, out)
	}
	return got
}

// X25: what scripts read.
func TestX25Outputs(t *testing.T) {
	s := &shell{t, filepath.Join(t.TempDir(), "node")}
	node := s.object("org admin password token", "init", "--name", "Acme Optics", "--json")
	if !regexp.MustCompile(`^identity--[0-9a-f-]{36}$`).MatchString(node["org"]) || node["admin"] != "admin" {
		t.Fatalf("init: %v", node)
	}
	org := s.object("id name", "org", "add", "--name", "Klepwerk BV", "--country", "NL", "--sector", "manufacturing", "--widest-tlp", "amber", "--json")
	if org["name"] != "Klepwerk BV" {
		t.Fatalf("org add: %v", org)
	}
	person := s.object("id password", "person", "add", "--org", org["id"], "--email", "sanne@klepwerk.example", "--role", "steward", "--json")
	com := s.object("id alias", "community", "add", "--name", "Chip Supply-Chain", "--unmarked", "green")
	if com["alias"] != "chip-supply-chain" {
		t.Fatalf("community add: %v", com)
	}
	if again := s.object("id alias", "community", "add", "--name", "chip supply chain", "--json"); again["alias"] != "chip-supply-chain-2" {
		t.Fatalf("second community of the name: %v", again)
	}
	token := s.object("id token", "token", "create", "--org", org["id"], "--role", "contributor", "--expires", "90d", "--name", "gateway")
	if !strings.Contains(token["token"], token["id"]) {
		t.Fatalf("token: %v", token)
	}
	if got := s.object("community org role", "community", "join", "--community", "chip-supply-chain", "--org", org["id"], "--json"); got["role"] != "contributor" {
		t.Fatalf("a member is a contributor unless it is said otherwise: %v", got)
	}
	s.do(0, "token", "revoke", token["id"])
	s.do(0, "community", "leave", "--community", "chip-supply-chain", "--org", org["id"])
	s.object("id state", "person", "disable", person["id"], "--json")
	s.object("id state", "person", "enable", "Sanne@Klepwerk.example", "--json")
	s.object("id password", "person", "reset-password", person["id"], "--json")

	out, _ := s.do(0, "audit", "verify", "--json")
	var v verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil || !v.Whole || v.Entries < 12 {
		t.Fatalf("audit verify: %s, %v", out, err)
	}
}

// A secret is printed by the command that makes it and stands nowhere else.
func TestSecretsArePrintedOnce(t *testing.T) {
	s := newShell(t)
	org := s.object("id name", "org", "add", "--name", "Klepwerk", "--json")["id"]
	made := s.object("id token", "token", "create", "--org", org, "--role", "reader")
	person := s.object("id password", "person", "add", "--org", org, "--email", "a@b.example", "--role", "reader", "--json")
	for _, args := range [][]string{{"token", "list"}, {"token", "list", "--json"}, {"person", "list"}, {"person", "list", "--json"}, {"audit", "list"}, {"audit", "list", "--json"}} {
		out, errs := s.do(0, args...)
		if out == "" {
			t.Errorf("%q printed nothing", args)
		}
		for _, secret := range []string{made["token"], person["password"]} {
			if strings.Contains(out+errs, secret) {
				t.Errorf("%q prints a secret", args)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	s := newShell(t)
	com := s.object("id alias", "community", "add", "--name", "Chips")["alias"]
	org := s.object("id name", "org", "add", "--name", "Klepwerk", "--json")["id"]
	s.object("id password", "person", "add", "--org", org, "--email", "a@b.example", "--role", "reader", "--json")
	const none = "identity--00000000-0000-4000-8000-000000000000"
	for _, c := range []struct {
		why  string
		args string
		code int
		says string
	}{
		{"a node is made once", "init --name Acme", 1, "initialised already"},
		{"an organisation of another node", "person add --email b@b.example --role reader --org " + none, 1, "polder: --org: " + none + " is not an organisation of this node; see polder org list"},
		{"the same of a token", "token create --role reader --org " + none, 1, "see polder org list"},
		{"the same of a membership", "community join --community " + com + " --org " + none, 1, "see polder org list"},
		{"a name that is taken", "org add --name KLEPWERK", 1, ""},
		{"an address that is taken", "person add --org " + org + " --email A@b.example --role reader", 1, "a@b.example logs in on this node already"},
		{"a role that is none", "person add --org " + org + " --email c@b.example --role boss", 2, "use one of reader, contributor, steward, admin"},
		{"a member is no administrator", "community join --community " + com + " --org " + org + " --role admin", 2, "reader, contributor or steward"},
		{"a community that is none", "community join --community none --org " + org, 1, "polder: --community: none is not a community of this node; see polder community list"},
		{"who is no member cannot leave", "community leave --community " + com + " --org " + org, 1, "not a member"},
		{"a level that is unsafe to assume", "community add --name X --unmarked amber", 2, "refuse, clear, green"},
		{"a level that is none", "org add --name X --widest-tlp black", 2, "clear, green, amber, amber+strict, red"},
		{"an expiry that is none", "token create --role reader --expires soon --org " + org, 2, "polder: --expires: \"soon\" is no expiry"},
		{"a token that is none", "token revoke nosuchtoken", 1, "see polder token list"},
		{"a person who is none", "person disable z@z.example", 1, "see polder person list"},
		{"what is asked for is missing", "org add", 2, "name"},
		{"the last administrator stays", "person disable admin", 1, "admin"},
		{"a list has a length", "audit list --limit 0", 2, "1 to 1000"},
		{"a file that is none", "community agreement --community " + com + " --file nothing.md", 1, "nothing.md"},
	} {
		out, errs := s.do(c.code, strings.Fields(c.args)...)
		if !strings.Contains(errs, c.says) || !strings.HasPrefix(errs, "polder: ") || out != "" {
			t.Errorf("%s: stdout %q, stderr %q; want %q", c.why, out, errs, c.says)
		}
	}
	_, errs, code := clitest.Run(t, "", []string{"org", "list", "--data", t.TempDir()}, Commands(openFolder)...)
	if code != 1 || !strings.Contains(errs, "polder init") {
		t.Errorf("a folder without a node: exit %d, %q", code, errs)
	}
}

func TestAgreementFromAFile(t *testing.T) {
	s := newShell(t)
	com := s.object("id alias", "community", "add", "--name", "Chips")["alias"]
	file := filepath.Join(t.TempDir(), "agreement.md")
	if err := os.WriteFile(file, []byte("We keep it dry.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.do(0, "community", "agreement", "--community", com, "--file", file, "--anew")
	if out, _ := s.do(0, "community", "agreement", "--community", com); out != "We keep it dry.\n" {
		t.Fatalf("the agreement reads %q", out)
	}
	out, _ := s.do(0, "community", "agreement", "--community", com, "--json")
	if !strings.Contains(out, `"version":2`) {
		t.Fatalf("the agreement is %s", out)
	}
}

// S25: the first wrong entry is named, and the exit code says so.
func TestAuditVerifyNamesTheWrongEntry(t *testing.T) {
	s := newShell(t)
	s.do(0, "org", "add", "--name", "Klepwerk")
	st, err := openFolder(t.Context(), s.dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.DB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE audit SET action = 'node.stop' WHERE n = 2`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, errs := s.do(1, "audit", "verify"); !strings.Contains(errs, "entry 2") {
		t.Fatalf("verify says %q", errs)
	}
	out, _ := s.do(1, "audit", "verify", "--json")
	var v verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Whole || v.Wrong != 2 {
		t.Fatalf("verify --json: %s, %v", out, err)
	}
}

func TestParseExpiry(t *testing.T) {
	now := time.Date(2026, 11, 24, 14, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		why, text string
		want      time.Time // zero: refused, unless text is empty
	}{
		{"a span of days", "90d", now.AddDate(0, 0, 90)},
		{"hours", "12h", now.Add(12 * time.Hour)},
		{"weeks", "2w", now.AddDate(0, 0, 14)},
		{"a day still lasts", "2026-11-24", time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)},
		{"a time", "2027-01-31T10:00:00+01:00", time.Date(2027, 1, 31, 9, 0, 0, 0, time.UTC)},
		{"blanks around it", " 1d ", now.AddDate(0, 0, 1)},
		{"past", "2026-11-23", time.Time{}},
		{"nothing", "0d", time.Time{}},
		{"backwards", "-1d", time.Time{}},
		{"no unit", "90", time.Time{}},
		{"a unit alone", "d", time.Time{}},
		{"a day that is none", "2027-02-30", time.Time{}},
		{"longer than anybody lives", "40000d", time.Time{}},
		{"a year beyond", "9999-01-01", time.Time{}},
		{"too large for a number", "99999999999999999999d", time.Time{}},
	} {
		got, err := parseExpiry(c.text, now)
		if (err != nil) != c.want.IsZero() || !got.Equal(c.want) {
			t.Errorf("%s: %q gives %v, %v; want %v", c.why, c.text, got, err, c.want)
		}
	}
	if got, err := parseExpiry("", now); err != nil || !got.IsZero() {
		t.Errorf("no expiry is never: %v, %v", got, err)
	}
}

func FuzzParseExpiry(f *testing.F) {
	now := time.Date(2026, 11, 24, 14, 30, 0, 0, time.UTC)
	for _, s := range []string{"", "90d", "12h", "2w", "2027-01-31", "2027-01-31T10:00:00Z", "d", "-1d", "36500d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := parseExpiry(s, now)
		if err == nil && !at.IsZero() && (!at.After(now) || at.After(now.Add(longestExpiry+25*time.Hour))) {
			t.Fatalf("%q ends at %v", s, at)
		}
		if err != nil && (!at.IsZero() || polder.KindOf(err) != polder.Invalid) {
			t.Fatalf("%q: %v, %v", s, at, err)
		}
	})
}
