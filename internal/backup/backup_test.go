package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// node is a small one: a database with a table t, a head file, keys and blobs.
func node(t testing.TB) (*db.DB, Sources) {
	t.Helper()
	dir := t.TempDir()
	d, err := db.Open(t.Context(), filepath.Join(dir, "node.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	write(t, d, `CREATE TABLE t(n INTEGER PRIMARY KEY, s TEXT) STRICT`)
	put(t, dir, "head", "1 abc")
	put(t, dir, "keys/one", "secret")
	put(t, dir, "blobs/ab/"+strings.Repeat("a", 64), strings.Repeat("blob", 1<<19))
	put(t, dir, "other", "not for the backup")
	return d, Sources{
		Databases: []Database{{Name: "node.db", DB: d, Describe: describe}},
		Dir:       dir, Files: []string{"head", "keys", "blobs", "not there"},
	}
}

func describe(ctx context.Context, path string, m *Manifest) error {
	c, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.QueryRowContext(ctx, `SELECT count(*) FROM t`).Scan(&m.AuditN)
}

func write(t testing.TB, d *db.DB, query string, args ...any) {
	t.Helper()
	if err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func pair(t testing.TB) (age.Recipient, []age.Identity) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient(), []age.Identity{id}
}

var about = Manifest{Version: "v0.1.0", Created: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC), Lineage: "abc", Seq: 42}

func take(t testing.TB, src Sources, to ...age.Recipient) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Backup(context.Background(), src, &b, to, about); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	d, src := node(t)
	for i := range 50 {
		write(t, d, `INSERT INTO t VALUES(?, 'x')`, i)
	}
	var last int64
	src.Progress = func(n int64) { last = n }
	to, ids := pair(t)
	data := take(t, src, to)
	if last < 2<<20 {
		t.Errorf("progress ended at %d", last)
	}
	if left, _ := filepath.Glob(filepath.Join(src.Dir, ".backup-*")); len(left) > 0 {
		t.Errorf("the copy in the clear was left: %v", left)
	}
	if bytes.Contains(data, []byte("secret")) {
		t.Error("it is not encrypted")
	}
	m, err := Check(t.Context(), bytes.NewReader(data), ids)
	if err != nil {
		t.Fatal(err)
	}
	if m.Format != 1 || m.Lineage != "abc" || m.Seq != 42 || m.AuditN != 50 || fmt.Sprint(m.Databases) != "[node.db]" || !m.Created.Equal(about.Created) {
		t.Errorf("manifest %+v", m)
	}
	for _, exists := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "new")
		if exists {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Restore(t.Context(), bytes.NewReader(data), ids, dir); err != nil {
			t.Fatal(err)
		}
		if got, want := tree(t, dir), "blobs/ab/"+strings.Repeat("a", 64)+" head keys/one node.db"; got != want {
			t.Errorf("restored %s, want %s", got, want)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "keys/one")); err != nil || string(text) != "secret" {
			t.Errorf("keys/one is %q, %v", text, err)
		}
		if n := rows(t, filepath.Join(dir, "node.db")); n != 50 {
			t.Errorf("%d rows", n)
		}
	}
}

// tree lists the files of dir.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func rows(t testing.TB, path string) (n int) {
	t.Helper()
	d, err := db.Open(t.Context(), path, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Read().QueryRow(`SELECT count(*) FROM t`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPassphrase(t *testing.T) {
	_, src := node(t)
	to, err := age.NewScryptRecipient("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(10)
	data := take(t, src, to)
	for pass, ok := range map[string]bool{"correct horse": true, "wrong": false} {
		id, err := age.NewScryptIdentity(pass)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Check(t.Context(), bytes.NewReader(data), []age.Identity{id})
		if (err == nil) != ok || !ok && (polder.KindOf(err) != polder.Invalid || !strings.Contains(err.Error(), "none of the keys")) {
			t.Errorf("passphrase %q: %v", pass, err)
		}
	}
	if err := Backup(t.Context(), src, io.Discard, nil, about); polder.KindOf(err) != polder.Invalid {
		t.Errorf("a backup in the clear: %v", err)
	}
}

// F19: a backup under four writers holds everything that was acknowledged before it began.
func TestF19Writers(t *testing.T) {
	d, src := node(t)
	to, ids := pair(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{}, 4)
	for w := range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for n := 0; ctx.Err() == nil; n++ {
				_ = d.Write(ctx, func(tx *db.Tx) error {
					_, err := tx.Exec(`INSERT INTO t VALUES(?, ?)`, w*1_000_000+n, strings.Repeat("x", 300))
					return err
				})
			}
		}()
	}
	for range 3 {
		var before int
		if err := d.Read().QueryRow(`SELECT count(*) FROM t`).Scan(&before); err != nil {
			t.Fatal(err)
		}
		data := take(t, src, to)
		dir := filepath.Join(t.TempDir(), "new")
		m, err := Restore(t.Context(), bytes.NewReader(data), ids, dir)
		if err != nil {
			t.Fatal(err)
		}
		if n := rows(t, filepath.Join(dir, "node.db")); n < before || int64(n) != m.AuditN {
			t.Fatalf("%d rows restored, %d were acknowledged before, the manifest says %d", n, before, m.AuditN)
		}
	}
	stop()
	for range 4 {
		<-done
	}
}

// F20: never over anything.
func TestF20Empty(t *testing.T) {
	_, src := node(t)
	to, ids := pair(t)
	data := take(t, src, to)
	for _, name := range []string{"node.db", "node.db-wal", ".hidden"} {
		dir := t.TempDir()
		put(t, dir, name, "mine")
		_, err := Restore(t.Context(), bytes.NewReader(data), ids, dir)
		if polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), "not empty") {
			t.Errorf("a folder with %s: %v", name, err)
		}
		if got := tree(t, dir); got != name {
			t.Errorf("a folder with %s now holds %s", name, got)
		}
	}
	if _, err := Restore(t.Context(), bytes.NewReader(data), ids, filepath.Join(src.Dir, "head")); err == nil {
		t.Error("it restored over a file")
	}
}

// F7: whatever is cut off or changed in the file, it is refused and nothing appears.
func TestF7Damage(t *testing.T) {
	_, src := node(t)
	src.Files = []string{"head", "keys"}
	to, ids := pair(t)
	data := take(t, src, to)
	try := func(what string, spoilt []byte) {
		t.Helper()
		if _, err := Check(t.Context(), bytes.NewReader(spoilt), ids); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: check says %v", what, err)
		}
		parent := t.TempDir()
		if _, err := Restore(t.Context(), bytes.NewReader(spoilt), ids, filepath.Join(parent, "new")); err == nil {
			t.Errorf("%s was restored", what)
		}
		if got := tree(t, parent); got != "" {
			t.Errorf("%s left %s", what, got)
		}
	}
	step := len(data)/60 + 1
	for at := 0; at < len(data); at += step {
		try(fmt.Sprint("cut at ", at), data[:at])
		flipped := bytes.Clone(data)
		flipped[at] ^= 1
		try(fmt.Sprint("flipped at ", at), flipped)
	}
	try("the last byte missing", data[:len(data)-1])
	try("something after the end", append(bytes.Clone(data), 'x'))
}

// member is a member of a hostile backup.
type member struct {
	name, text string
	kind       byte
	size       int64 // said in the header when it is not the text's
}

func file1(name, text string) member { return member{name: name, text: text, kind: tar.TypeReg} }

const good = `{"format":1,"version":"v0.1.0","databases":[]}`

// forge seals a tar of members, with a right list of hashes unless it has one.
func forge(t testing.TB, to age.Recipient, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	sealed, err := age.Encrypt(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(sealed)
	w := tar.NewWriter(z)
	var sums strings.Builder
	listed := false
	for _, m := range members {
		listed = listed || m.name == sumsName
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(m.text)), m.name)
	}
	if !listed {
		members = append(members, file1(sumsName, sums.String()))
	}
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Size: int64(len(m.text)), Mode: 0o600, Linkname: "/etc/passwd"}
		if m.kind == tar.TypeReg {
			h.Linkname = ""
		} else {
			h.Size = 0
		}
		if m.size > 0 {
			h.Size = m.size
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			_, _ = io.WriteString(w, m.text)
		}
		if m.size > 0 { // the rest of the tar is missing
			_ = z.Close()
			_ = sealed.Close()
			return out.Bytes()
		}
	}
	for _, c := range []io.Closer{w, z, sealed} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// S42, S48: a backup made to harm is refused, and writes nothing outside the folder nor in it.
func TestS48Hostile(t *testing.T) {
	to, ids := pair(t)
	m := file1(manifestName, good)
	evil := filepath.Join(t.TempDir(), "evil.db")
	c, err := sql.Open("sqlite", evil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(`CREATE TABLE t(n); CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END`); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	trigger, err := os.ReadFile(evil)
	if err != nil {
		t.Fatal(err)
	}
	withDB := file1(manifestName, `{"format":1,"databases":["node.db"]}`)
	for _, c := range []struct {
		name    string
		members []member
		want    string
	}{
		{"nothing hostile", []member{m, file1("a/b", "x")}, ""},
		{"climbs", []member{m, file1("../x", "x")}, "leads out"},
		{"climbs within", []member{m, file1("a/../../x", "x")}, "leads out"},
		{"absolute", []member{m, file1("/x", "x")}, "leads out"},
		{"a drive", []member{m, file1("C:/x", "x")}, "refused"},
		{"a backslash", []member{m, file1(`a\..\..\x`, "x")}, "refused"},
		{"a NUL", []member{m, file1("a\x01b", "x")}, "cannot write"},
		{"a stream", []member{m, file1("a:b", "x")}, "refused"},
		{"a symbolic link", []member{m, {name: "a", kind: tar.TypeSymlink}}, "not a regular file"},
		{"a hard link", []member{m, {name: "a", kind: tar.TypeLink}}, "not a regular file"},
		{"a device", []member{m, {name: "a", kind: tar.TypeChar}}, "not a regular file"},
		{"a pipe", []member{m, {name: "a", kind: tar.TypeFifo}}, "not a regular file"},
		{"a name twice", []member{m, file1("a", "x"), file1("a", "y")}, "there twice"},
		{"a name twice on systems that fold", []member{m, file1("a", "x"), file1("A", "y")}, "there twice"},
		{"a file and a folder of one name", []member{m, file1("a", "x"), file1("a/b", "y")}, "a"},
		{"a log of a database", []member{m, file1("node.db-WAL", "x")}, "log does not belong"},
		{"a huge member", []member{m, {name: "a", text: "x", kind: tar.TypeReg, size: 1 << 42}}, "too many"},
		{"a member shorter than it says", []member{m, {name: "a", text: "x", kind: tar.TypeReg, size: 5000}}, "cut short"},
		{"a wrong hash", []member{m, file1("a", "x"), file1(sumsName, strings.Repeat("0", 64)+"  manifest.json\n")}, "not what was written"},
		{"a hash missing", []member{m, file1("a", "x"), file1(sumsName, fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(good)), manifestName))}, "too short"},
		{"a hash too many", []member{m, file1(sumsName, fmt.Sprintf("%x  %s\nx  y\n", sha256.Sum256([]byte(good)), manifestName))}, "members are missing"},
		{"no manifest", []member{file1("a", "x")}, "must begin"},
		{"the manifest later", []member{file1("a", "x"), m}, "must begin"},
		{"a manifest that is none", []member{file1(manifestName, "[]")}, "cannot be read"},
		{"a later format", []member{file1(manifestName, `{"format":2,"version":"v9"}`)}, "use the polder that made it"},
		{"a database missing", []member{withDB}, `"node.db" is missing`},
		{"a database named outside", []member{file1(manifestName, `{"format":1,"databases":["../x"]}`)}, "is missing"},
		{"a database that is none", []member{withDB, file1("node.db", "x")}, "damaged"},
		{"a database with a trigger", []member{withDB, file1("node.db", string(trigger))}, `trigger "g"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			_, err := Restore(t.Context(), bytes.NewReader(forge(t, to, c.members...)), ids, filepath.Join(parent, "a", "..", "new"))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("answered %v, want a word of %q", err, c.want)
			}
			if got := tree(t, parent); got != "" {
				t.Errorf("it left %s", got)
			}
		})
	}
}

// S42: a file that unpacks to far more than it is.
func TestS42Bomb(t *testing.T) {
	to, ids := pair(t)
	data := forge(t, to, file1(manifestName, good), file1("a", strings.Repeat("\x00", 100<<20)))
	if len(data) > 1<<20 {
		t.Fatal("the bomb is not small")
	}
	if _, err := Check(t.Context(), bytes.NewReader(data), ids); polder.KindOf(err) != polder.TooLarge {
		t.Fatalf("answered %v", err)
	}
	many := []member{file1(manifestName, good)}
	for i := range 20 {
		many = append(many, file1(fmt.Sprint(i), "x"))
	}
	few := usual
	few.members = 10
	if _, err := restore(t.Context(), bytes.NewReader(forge(t, to, many...)), ids, filepath.Join(t.TempDir(), "new"), few); polder.KindOf(err) != polder.TooLarge {
		t.Fatalf("too many members: %v", err)
	}
}

func TestBackupRefusesLinks(t *testing.T) {
	_, src := node(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(src.Dir, "keys", "two")); err != nil {
		t.Skip(err)
	}
	to, _ := pair(t)
	if err := Backup(t.Context(), src, io.Discard, []age.Recipient{to}, about); polder.KindOf(err) != polder.Invalid {
		t.Fatalf("a link was followed: %v", err)
	}
}

func TestCancel(t *testing.T) {
	_, src := node(t)
	to, ids := pair(t)
	data := take(t, src, to)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Backup(ctx, src, io.Discard, []age.Recipient{to}, about); err == nil {
		t.Error("a cancelled backup succeeded")
	}
	parent := t.TempDir()
	if _, err := Restore(ctx, bytes.NewReader(data), ids, filepath.Join(parent, "new")); err == nil || tree(t, parent) != "" {
		t.Errorf("a cancelled restore: %v, left %q", err, tree(t, parent))
	}
}

// A stranger restores it with age, tar and sha256sum; here the first is ours and the others the system's.
func TestStandardToolsReadIt(t *testing.T) {
	for _, tool := range []string{"tar", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	_, src := node(t)
	to, ids := pair(t)
	plain, err := age.Decrypt(bytes.NewReader(take(t, src, to)), ids...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := exec.Command("sh", "-c", "tar xzf - && sha256sum --strict -c SHA256SUMS")
	c.Dir, c.Stdin = dir, plain
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Whatever the tar says: no name leads out of a folder, nothing is given out twice, and what is accepted has its hashes.
func FuzzTar(f *testing.F) {
	to, ids := pair(f)
	for _, members := range [][]member{
		{file1(manifestName, good), file1("a/b", "x")},
		{file1(manifestName, good), {name: "l", kind: tar.TypeSymlink}},
		{file1(manifestName, good), file1("../x", "x")},
	} {
		opened, err := age.Decrypt(bytes.NewReader(forge(f, to, members...)), ids...)
		if err != nil {
			f.Fatal(err)
		}
		z, err := gzip.NewReader(opened)
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		given := map[string]bool{}
		u := &reader{ctx: t.Context(), in: &counter{}, most: usual, seen: map[string]string{}}
		u.create = func(name string) (io.WriteCloser, error) {
			if given[name] || !filepath.IsLocal(name) || strings.ContainsAny(name, "\\:\x00") {
				t.Fatalf("the name %q was given out", name)
			}
			given[name] = true
			return discard{}, nil
		}
		err := u.all(tar.NewReader(bytes.NewReader(text)))
		if err == nil && (!given[manifestName] || !given[sumsName] || strings.Count(u.sums.String(), "\n") != len(given)-1) {
			t.Fatalf("accepted with %v", given)
		}
	})
}
