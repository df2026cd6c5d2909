package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cli/clitest"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// keysFile is what `polder keys show --all --json` prints.
func (w *world) keysFile() []byte {
	w.t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	all, err := w.Entries(context.Background(), true)
	must(w.t, err)
	for _, e := range all {
		must(w.t, enc.Encode(e))
	}
	lines, err := w.more(context.Background())
	must(w.t, err)
	for _, l := range lines {
		must(w.t, enc.Encode(l))
	}
	return b.Bytes()
}

// made is an object whose times are those of now, as an organisation signs it.
func (w *world) made(n int, at time.Time) stix.Object {
	raw := strings.ReplaceAll(string(object(n, 1, "x", w.orgs["a"].ID)), "2026-01-01T00:00:01.000Z", stix.FormatTime(at))
	return w.sign("a", []byte(raw))
}

// TestRing: what a file of keys says offline is what the node says, but for revoked keys, where the object's own time
// decides and the state says so.
func TestRing(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	first := w.made(1, w.clock())
	verify := func(o stix.Object) exchange.SignatureState {
		t.Helper()
		r, err := ReadRing(bytes.NewReader(w.keysFile()), nil)
		must(t, err)
		return r.Verify(o).State
	}
	if got := verify(first); got != exchange.SignatureValid {
		t.Errorf("signed: %s", got)
	}
	w.pass(time.Hour)
	_, err := w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRotate})
	must(t, err)
	if got := verify(first); got != exchange.SignatureValid {
		t.Errorf("after a rotation: %s", got)
	}
	second := w.made(2, w.clock())
	w.pass(time.Hour)
	_, err = w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRevoke})
	must(t, err)
	for why, c := range map[string]struct {
		o    stix.Object
		want exchange.SignatureState
	}{
		"made before": {second, exchange.SignatureEarlier}, "with the key before that": {first, exchange.SignatureEarlier},
		"with the new key": {w.made(3, w.clock()), exchange.SignatureValid},
	} {
		if got := verify(c.o); got != c.want || Right(got) != (c.want == exchange.SignatureValid) {
			t.Errorf("after a revocation, %s: %s, want %s", why, got, c.want)
		}
	}
	blind, err := w.acc.BlindObject(ctx, w.where.ID)
	must(t, err)
	if got := verify(mustParse(t, blind)); got != StateBlind || !Right(got) {
		t.Errorf("the identity that stands for a member: %s", got)
	}
	forged := strings.Replace(string(blind), `"name":"`, `"name":"The real `, 1)
	if got := verify(mustParse(t, []byte(forged))); Right(got) {
		t.Errorf("another identity under its id: %s", got)
	}
	if got := verify(mustParse(t, object(4, 1, "x", a))); got != exchange.SignatureMissing || Right(got) {
		t.Errorf("in its name, unsigned: %s", got)
	}
	random := []byte(`{"type":"process","spec_version":"2.1","id":"process--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11","pid":4}`)
	if got := verify(mustParse(t, random)); got != exchange.SignatureNone || Right(got) {
		t.Errorf("an observable with a random id: %s", got)
	}
}

// TestRingRefuses: a file of keys is read whole or not at all, and the place of what is wrong is named.
func TestRingRefuses(t *testing.T) {
	w := newWorld(t, "Node")
	w.made(1, w.clock())
	good := string(w.keysFile())
	line := strings.SplitAfter(good, "\n")
	owner := string(w.orgs["a"].ID)
	of := ""
	for _, l := range line {
		if strings.Contains(l, `"owner":"`+owner+`"`) {
			of = l
		}
	}
	for why, c := range map[string]struct{ file, want string }{
		"another form":            {"hello\n", "1: is not JSON"},
		"a line that is none":     {good + "{}\n", "is neither an owner with statements"},
		"no statements":           {`{"owner":"` + owner + `","statements":[]}`, "1: the statements are of"},
		"another's statements":    {strings.Replace(of, `"owner":"`+owner, `"owner":"`+string(w.orgs["b"].ID), 1), "not of"},
		"a statement changed":     {strings.Replace(of, `"n":1`, `"n":2`, 1), "begin is the first statement"},
		"a signature changed":     {strings.Replace(of, `"signature":"`, `"signature":"A`, 1), "1:"},
		"a digest that is none":   {`{"blind":"x","digest":"00"}`, "64 digits of hexadecimal"},
		"more lines than allowed": {strings.Repeat("\n", seal.MaxKeyLines+1), "more lines than"},
		"a line without end":      {strings.Repeat("x", seal.MaxKeyLine+1), "longer than"},
	} {
		if _, err := ReadRing(strings.NewReader(c.file), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", why, err, c.want)
		}
	}
	if _, err := ReadRing(strings.NewReader(good+"\n\n"+of), nil); err != nil {
		t.Errorf("the same chain twice: %v", err)
	}
	// Two owners with one key (S16).
	shared := seal.NewSigningKey([32]byte{5})
	var file strings.Builder
	for i := range 2 {
		c, err := seal.Begin(fmt.Sprintf("identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c1%d", i), time.Unix(1_800_000_000, 0), shared, seal.NewPrivateKey([32]byte{5}).Public())
		must(t, err)
		must(t, json.NewEncoder(&file).Encode(entryOf(c, "x")))
	}
	if _, err := ReadRing(strings.NewReader(file.String()), nil); err == nil || !strings.Contains(err.Error(), "a key belongs to one owner alone") {
		t.Errorf("one key, two owners: %v", err)
	}
}

func FuzzReadRing(f *testing.F) {
	c, err := seal.Begin("identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11", time.Unix(1_800_000_000, 0), seal.NewSigningKey([32]byte{5}), seal.NewPrivateKey([32]byte{5}).Public())
	if err != nil {
		f.Fatal(err)
	}
	line, err := json.Marshal(entryOf(c, "x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"blind":"identity--x","community":"c","digest":"00"}`))
	o, err := stix.Parse(object(1, 1, "x", "identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := ReadRing(bytes.NewReader(file), nil)
		if err != nil {
			return
		}
		if found := r.Verify(o); Right(found.State) {
			t.Fatalf("an unsigned object is %+v by %s", found, file)
		}
	})
}

// TestVerifyCommand: a line an object, and the exit code says whether all of them are right.
func TestVerifyCommand(t *testing.T) {
	w := newWorld(t, "Node")
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		must(t, os.WriteFile(name, b, 0o600))
		return name
	}
	signed := w.made(1, w.clock())
	keys := write("keys.jsonl", append(w.keysFile(), '\n'))
	other := bytes.Replace(signed.Raw(), []byte(`"name":"x"`), []byte(`"name":"y"`), 1)
	escaped := bytes.Replace(signed.Raw(), []byte(`"name":"x"`), []byte(`"name":"`+"\\u001b[2J"+`"`), 1)
	for _, c := range []struct {
		why  string
		args []string
		in   string
		code int
		out  string
	}{
		{"right", []string{"--keys", keys, write("a.json", signed.Raw())}, "", 0, signed.ID + " valid " + string(w.orgs["a"].ID)},
		{"from a pipe", []string{"--keys", keys, "-"}, signed.Text() + "\n" + signed.Text(), 0, signed.ID + " valid"},
		{"changed", []string{"--keys", keys, write("b.json", other)}, "", 1, " wrong "},
		{"one of two", []string{"--keys", keys, "-"}, signed.Text() + "\n" + string(other), 1, " valid "},
		{"no keys", []string{"-"}, signed.Text(), 1, "no keys are given; print them with polder keys show --all --json"},
		{"nothing", []string{"--keys", keys, "-"}, "", 1, ""},
		{"cut off", []string{"--keys", keys, "-"}, signed.Text()[:100], 1, ""},
		{"as a script wants it", []string{"--json", "--keys", keys, "-"}, signed.Text(), 0, `"state":"valid","signer":"` + string(w.orgs["a"].ID)},
		{"what would steer a terminal", []string{"--keys", keys, "-"}, string(escaped), 1, " wrong "},
		{"no file", []string{"--keys", keys}, "", 2, ""},
		{"no such file of keys", []string{"--keys", filepath.Join(dir, "none"), "-"}, "", 1, ""},
	} {
		out, errs, code := clitest.Run(t, c.in, append([]string{"verify"}, c.args...), Commands(CommandOptions{})...)
		if code != c.code || !strings.Contains(out, c.out) || strings.Contains(out+errs, "\x1b") {
			t.Errorf("%s: %d\n%s\n%s", c.why, code, out, errs)
		}
	}
}

func TestCommandsHaveHelp(t *testing.T) { clitest.Commands(t, Commands(CommandOptions{})...) }

// BenchmarkSignature is what signing and verifying one object cost beside storing it: storing must cost more.
func BenchmarkSignature(b *testing.B) {
	w := newWorld(b, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	actor := w.as("a")
	plain, err := stix.Parse(object(1, 1, strings.Repeat("A report of ordinary length. ", 40), a))
	must(b, err)
	signed, err := w.Sign(ctx, a, w.where, plain)
	must(b, err)
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Sign(ctx, a, w.where, plain); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if found, err := w.Check(ctx, w.where.ID, signed, 0); err != nil || found.State != exchange.SignatureValid {
				b.Fatal(found, err)
			}
		}
	})
	n := 10
	w.x = exchange.New(exchange.Options{DB: w.o.DB, Journal: w.journal, Audit: w.audit, Accounts: w.acc, Now: w.clock, Secret: []byte("0123456789abcdef0123456789abcdef"), Search: w.index}) // signs nothing
	for _, size := range []int{1, 1000} {
		b.Run(fmt.Sprintf("store/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := exchange.Request{Community: w.where.Alias, Confirmed: true}
				for range size {
					n++
					r.Objects = append(r.Objects, exchange.Incoming{Raw: object(n, 1, strings.Repeat("A report of ordinary length. ", 40), a)})
				}
				if res, err := w.x.Share(ctx, actor, r); err != nil || res.Stored != size {
					b.Fatal(res, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/object")
		})
	}
}
