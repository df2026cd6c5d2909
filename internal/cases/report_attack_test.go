package cases

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/seal"

	"github.com/polder-exchange/polder/internal/db"
)

// canaries are words that may be found nowhere, by where they were put.
type canaries map[string][]byte

// put makes a word for a place, and says it.
func (c canaries) put(place string) string {
	word := "zq" + strings.ToLower(rand.Text())
	c[place] = []byte(word)
	return word
}

// raw adds bytes as they are, and as text in the usual forms.
func (c canaries) raw(place string, b []byte) {
	c[place] = b
	c[place+" in hexadecimal"] = []byte(hex.EncodeToString(b))
	c[place+" in base64"] = []byte(base64.StdEncoding.EncodeToString(b))
	c[place+" in base64url"] = []byte(base64.RawURLEncoding.EncodeToString(b))
}

// hunt looks for the words in a text.
func (c canaries) hunt(t *testing.T, where string, text []byte) {
	t.Helper()
	low := bytes.ToLower(text)
	for place, word := range c {
		if bytes.Contains(text, word) || bytes.Contains(low, bytes.ToLower(word)) {
			t.Errorf("%s holds what stood in %s", where, place)
		}
	}
}

// huntFolder looks in every file below a folder.
func (c canaries) huntFolder(t *testing.T, dir string) (files int) {
	t.Helper()
	deskMust(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		c.hunt(t, filepath.Base(path), text)
		c.hunt(t, "the name of a file", []byte(path))
		return err
	}))
	return files
}

// fullAnswers are answers with a canary in every field.
func (c canaries) fullAnswers() Answers {
	return Answers{What: c.put("what"), Noticed: c.put("noticed"), Roads: []Road{RoadResearch}, Ongoing: c.put("ongoing"), Call: c.put("call"), MayKnow: c.put("may_know"), Name: c.put("name"),
		Kind: Kind(c.put("kind")), Language: "nl", More: map[string]string{c.put("key of more"): c.put("more")},
		Proposed: &Proposal{Class: c.put("class"), Severity: Severity(c.put("severity")), Why: []string{c.put("why")}}}
}

// seen sends as a browser that says much of itself does.
func (w *deskWorld) seen(c canaries, path string, body any) *httptest.ResponseRecorder {
	w.t.Helper()
	text, err := json.Marshal(body)
	deskMust(w.t, err)
	r := httptest.NewRequest("POST", path, bytes.NewReader(text))
	r.RemoteAddr = w.from
	for _, name := range []string{"User-Agent", "Referer", "X-Forwarded-For", "Accept-Language", "X-Real-Ip", "From"} {
		r.Header.Set(name, c.put("header "+name))
	}
	r.Header.Set("Cookie", "polder="+c.put("cookie"))
	r.Header.Set("Authorization", "Bearer "+c.put("authorization"))
	r.Header.Set("Content-Type", "application/json")
	out := httptest.NewRecorder()
	w.http.ServeHTTP(out, r)
	for name := range out.Header() {
		if name == "Set-Cookie" {
			w.t.Errorf("%s sets a cookie", path)
		}
	}
	return out
}

// canaryReports sends a report by device and one by the server, with messages and files both ways, and wrong receipts.
func canaryReports(t *testing.T, w *deskWorld, c canaries) {
	t.Helper()
	v, d := w.view("confidential-adviser"), newDevice(w)
	proof, err := base64.StdEncoding.DecodeString(d.proof)
	deskMust(t, err)
	c.raw("a proof", proof)
	post := d.post(v, c.fullAnswers(), c.put("a file"))
	post.Once = c.put("once")
	if out := w.seen(c, "/api/v1/reports", post); out.Code != 201 {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	if out := w.seen(c, "/api/v1/reports/thread/message", ReportSaid{Proof: d.proof, Box: d.box(v, false, PurposeMessage, c.put("a message")), Once: c.put("once of a message")}); out.Code != 200 {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	w.answer("anna", w.inbox("anna")[0].ID, c.put("an answer"))
	a := c.fullAnswers()
	plain := ReportPost{Answers: &a, Anonymous: true, Once: c.put("once of answers"), Plain: []ReportAttachment{{Name: c.put("name of a file"), Type: c.put("type of a file"), Data: []byte(c.put("bytes of a file"))}}}
	out := w.seen(c, "/api/v1/reports", plain)
	if out.Code != 201 {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	var posted ReportPosted
	deskMust(t, json.Unmarshal(out.Body.Bytes(), &posted))
	c["a receipt"] = []byte(posted.Receipt)
	access, err := seal.Receipt(posted.Receipt).Access(w.ReceiptSalt())
	deskMust(t, err)
	c.raw("the proof of a receipt", access.Proof[:])
	if _, err := w.SayPlain(t.Context(), deskFrom, posted.Receipt, c.put("a plain message"), c.put("once of a plain message")); err != nil {
		t.Fatal(err)
	}
	w.seen(c, "/api/v1/reports/thread", ReportProof{c.put("a wrong proof")})
	w.seen(c, "/api/v1/reports", map[string]string{"what": c.put("a body that is refused")})
	w.seen(c, "/api/v1/reports", `{"answers":{"what":"`+c.put("a body that is none")+`"`)
	_, _ = w.ThreadPlain(t.Context(), deskFrom, c.put("a wrong receipt"))
}

// TestS29Canary (S29): words put into every field of reports, messages, files, headers and receipts are found nowhere the
// node writes: not in the database, its log or what it freed, not among files, in the log, the audit, a backup or a
// temporary folder.
func TestS29Canary(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	w := newDeskWorld(t)
	w.from = "[2001:db8:77aa:55bb:1234:5678:9abc:def0]:4711"
	w.acme()
	c := canaries{}
	c["the address"], c["the network"] = []byte("2001:db8:77aa"), []byte("77aa:55bb")
	c.raw("bytes of the address", []byte{0x20, 0x01, 0x0d, 0xb8, 0x77, 0xaa, 0x55, 0xbb})
	canaryReports(t, w, c)
	if len(w.inbox("anna")) != 2 {
		t.Fatalf("%d reports; the test says nothing", len(w.inbox("anna")))
	}
	if n := c.huntFolder(t, w.dir); n < 3 {
		t.Fatalf("%d files; the database is elsewhere", n)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	deskMust(t, w.db.CopyTo(t.Context(), backup))
	rows, err := w.audit.List(t.Context(), deskAudit(deskPeople["carla"]))
	deskMust(t, err)
	c.hunt(t, "the audit", []byte(fmt.Sprintf("%+v", rows)))
	for _, r := range rows {
		if strings.HasPrefix(r.Action, "report.received") && (r.Person != "" || r.Time.Minute() != 0 || r.Time.Second() != 0 || strings.Contains(fmt.Sprint(r.Detail, r.Object), w.inbox("anna")[0].ID)) {
			t.Errorf("the audit tells too much of who reported when: %+v", r)
		}
	}
	for _, r := range w.inbox("anna") {
		deskMust(t, reportSteps(
			func() error { _, err := w.CloseReport(t.Context(), deskPeople["anna"], r.ID); return err },
			func() error { return w.RemoveReport(t.Context(), deskPeople["anna"], r.ID) }))
	}
	c.huntFolder(t, w.dir)
	deskMust(t, w.db.Close())
	c.huntFolder(t, w.dir)
	c.huntFolder(t, filepath.Dir(backup))
	c.huntFolder(t, temp)
	c.hunt(t, "the log", []byte(w.log.String()))
}

// TestS29Removed (S29): a report that was removed leaves nothing in what the database freed, nor a file.
func TestS29Removed(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	v, d := w.view("confidential-adviser"), newDevice(w)
	post := d.post(v, Answers{What: "x"}, strings.Repeat("a file ", 3000))
	w.ask("", "POST", "/api/v1/reports", post, nil, 201)
	c := canaries{"a sealed report": post.Box.Body[200:264], "a sealed file": post.Files[0].Body[200:264], "a wrap": post.Box.Wraps[0].Key}
	id := w.inbox("anna")[0].ID
	held := func() (n int) {
		deskMust(t, filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			for _, word := range c {
				n += min(1, bytes.Count(text, word))
			}
			return err
		}))
		return n
	}
	if held() < len(c) {
		t.Fatal("what was sealed is not found while it is there; the test says nothing")
	}
	_, err := w.CloseReport(t.Context(), deskPeople["anna"], id)
	deskMust(t, err)
	w.ask("anna", "DELETE", "/api/v1/reports/inbox/"+id, nil, nil, 204)
	w.ask("anna", "GET", "/api/v1/reports/inbox/"+id, nil, nil, 404)
	w.ask("", "POST", "/api/v1/reports/thread", ReportProof{d.proof}, nil, 404)
	_, err = w.blobs.Sweep(t.Context())
	deskMust(t, err)
	deskMust(t, w.db.Close())
	c.huntFolder(t, w.dir)
}

// privateThings are all that a copied database and the node's configuration hold, as candidates for a key.
func privateThings(t *testing.T, w *deskWorld) (out [][]byte) {
	t.Helper()
	out = [][]byte{deskSecret, deskSecret[:32], w.reports.salt, w.reports.pepper, w.reports.onceKey, make([]byte, 32)}
	tables, err := w.db.Read().Query(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
	names, err := db.All(func(row db.Row) (n string, err error) { err = row.Scan(&n); return n, err }, tables, err)
	deskMust(t, err)
	for _, name := range names {
		rows, err := w.db.Read().Query(`SELECT * FROM ` + name)
		deskMust(t, err)
		columns, err := rows.Columns()
		deskMust(t, err)
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new([]byte)
			}
			deskMust(t, rows.Scan(cells...))
			for _, cell := range cells {
				if b := *cell.(*[]byte); len(b) >= 8 {
					out = append(out, slices.Clone(b))
				}
			}
		}
		deskMust(t, rows.Err())
		rows.Close()
	}
	return out
}

// TestS29CopyOpensNothing (S29): whoever has the database and the node's secrets, and tries everything in them as a key, a
// proof and a passphrase, opens no report, whoever sealed it.
func TestS29CopyOpensNothing(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	canaryReports(t, w, canaries{})
	copied := openDeskWorld(t, copiedFolder(t, w), ServiceOptions{})
	things := privateThings(t, copied)
	if len(things) < 100 {
		t.Fatalf("%d things to try; the test says nothing", len(things))
	}
	var ids []string
	all, err := listReports(copied.committed(t.Context()), []string{"confidential-adviser"}, ReportFilter{Limit: 200}, nil)
	deskMust(t, err)
	for _, r := range all {
		ids = append(ids, r.id)
	}
	everyone := []seal.KeyID{w.keys["anna"].Public().ID(), w.keys["bram"].Public().ID()}
	boxes, err := readBoxes(copied.committed(t.Context()), ids, everyone, true)
	deskMust(t, err)
	tried, seen := 0, map[string]bool{}
	for _, thing := range things {
		if seen[string(thing)] {
			continue
		}
		seen[string(thing)] = true
		for _, seed := range candidates(thing) {
			k := seal.NewPrivateKey(seed)
			for _, id := range ids {
				for _, b := range boxes[id] {
					for i := range b.box.Wraps {
						one := b.box
						one.Wraps = []seal.Wrap{one.Wraps[i]}
						one.Wraps[0].To = k.Public().ID()
						tried++
						if text, err := one.Open(b.part, k); err == nil {
							t.Fatalf("a thing of the database opened a %s: %q", b.part, text)
						}
					}
				}
			}
			if _, err := copied.Thread(t.Context(), deskFrom, base64.StdEncoding.EncodeToString(seed[:])); err == nil {
				t.Fatal("a thing of the database opened a thread")
			}
		}
	}
	if tried < 1000 {
		t.Errorf("%d tries; the test says little", tried)
	}
	if text := deskAnswers(t, w.inbox("anna")[0].Box, w.keys["anna"]); text.What == "" {
		t.Error("not even its reader opens a report; the test says nothing")
	}
}

// candidates are the keys that a thing may stand for.
func candidates(thing []byte) (out [][32]byte) {
	if len(thing) >= 32 {
		out = append(out, [32]byte(thing[:32]), [32]byte(thing[len(thing)-32:]))
	}
	return append(out, [32]byte(reportKey(thing, "")), [32]byte(reportKey(deskSecret, string(thing))))
}

// copiedFolder is a copy of what a node keeps, made while it runs.
func copiedFolder(t *testing.T, w *deskWorld) string {
	t.Helper()
	dir := t.TempDir()
	deskMust(t, w.db.CopyTo(t.Context(), filepath.Join(dir, "polder.db")))
	deskMust(t, os.CopyFS(filepath.Join(dir, "files"), os.DirFS(filepath.Join(w.dir, "files"))))
	return dir
}

// TestS29SameSize (S29): a report of 200 bytes and one of 5,000 make the same number of bytes there and back, and so do
// their threads; what opens nothing is answered as long as a thread.
func TestS29SameSize(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	v := w.view("confidential-adviser")
	type sizes struct{ sent, answered, thread, said int }
	var first sizes
	for i, what := range []string{strings.Repeat("s", 200), strings.Repeat("l", 5000), "x"} {
		d := newDevice(w)
		post := d.post(v, Answers{What: what})
		text, err := json.Marshal(post)
		deskMust(t, err)
		got := sizes{sent: len(text), answered: len(w.ask("", "POST", "/api/v1/reports", post, nil, 201))}
		got.thread = len(w.ask("", "POST", "/api/v1/reports/thread", ReportProof{d.proof}, nil, 200))
		got.said = len(w.ask("", "POST", "/api/v1/reports/thread/message", ReportSaid{Proof: d.proof, Box: d.box(v, false, PurposeMessage, what)}, nil, 200))
		if i == 0 {
			first = got
		} else if got != first {
			t.Errorf("%d bytes of text: %+v, the first made %+v", len(what), got, first)
		}
	}
	wrong := len(w.ask("", "POST", "/api/v1/reports/thread", ReportProof{base64.StdEncoding.EncodeToString(make([]byte, 32))}, nil, 404))
	if wrong != first.thread {
		t.Errorf("a receipt that opens nothing is answered with %d bytes, a thread with %d", wrong, first.thread)
	}
	text, _ := json.Marshal(Answers{What: "named"})
	keys := deskKeys(t, v.Readers, v.Log)
	box, err := seal.Seal(rand.Reader, PurposeReport, text, SealLeast, keys...)
	deskMust(t, err)
	named := len(w.ask("", "POST", "/api/v1/reports", ReportPost{To: v.Alias, Box: &box}, nil, 201))
	plain := len(w.ask("", "POST", "/api/v1/reports", ReportPost{To: v.Alias, Answers: &Answers{What: "p"}, Anonymous: true}, nil, 201))
	if named != first.answered || plain != first.answered {
		t.Errorf("answers to a named report have %d bytes, to plain answers %d, to an anonymous report %d", named, plain, first.answered)
	}
}

// TestS30Removed (S30): who was removed gets nothing of what comes later, whatever they ask, and a client that seals to
// the list of keys leaves them out.
func TestS30Removed(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	d := newDevice(w)
	d.report(w.view("confidential-adviser"), "Before")
	id := w.inbox("bram")[0].ID
	bram := w.keys["bram"].Public().ID()
	w.ask("carla", "DELETE", "/api/v1/desks/confidential-adviser/readers/"+string(bram), nil, nil, 200)
	v := w.view("confidential-adviser")
	deskMust(t, reportTrustDesk(v))
	newDevice(w).report(v, "After")
	w.ask("", "POST", "/api/v1/reports/thread/message", ReportSaid{Proof: d.proof, Box: d.box(v, false, PurposeMessage, "Later")}, nil, 200)
	w.answer("anna", id, "Answer")
	var left int
	deskMust(t, w.db.Read().QueryRow(`SELECT count(*) FROM cases_wrap WHERE key = ?`, string(bram)).Scan(&left))
	if left != 0 {
		t.Errorf("%d wraps for who was removed are kept", left)
	}
	if len(w.inbox("bram")) != 0 {
		t.Error("who was removed reads the queue")
	}
	for _, path := range []string{"", "/files/x"} {
		if out := w.send("bram", "GET", "/api/v1/reports/inbox/"+id+path, nil); out.Code != 404 {
			t.Errorf("who was removed reads %s: %d", path, out.Code)
		}
	}
	stale, err := seal.Seal(rand.Reader, PurposeMessage, []byte("x"), SealLeast, w.keys["anna"].Public(), w.keys["bram"].Public(), d.key.Public())
	deskMust(t, err)
	if out := w.send("", "POST", "/api/v1/reports/thread/message", ReportSaid{Proof: d.proof, Box: stale}); out.Code != 409 {
		t.Errorf("a message that is sealed to who was removed: %d", out.Code)
	}
}

// TestS30SwappedKey (S30): a node that shows a key of its own for a reader, however it goes about it, is refused by the
// client before anything is sealed.
func TestS30SwappedKey(t *testing.T) {
	own, err := seal.GenerateKey(rand.Reader)
	deskMust(t, err)
	evil := own.Public()
	for _, c := range []struct {
		why   string
		swap  func(*DeskView)
		grant bool // the list of keys was written anew as a whole: only the fingerprint from elsewhere helps
	}{
		{"the key of a reader", func(v *DeskView) { v.Readers[0].Public = evil }, false},
		{"the key, its id and its fingerprint", func(v *DeskView) {
			v.Readers[0].Public, v.Readers[0].Key, v.Readers[0].Fingerprint = evil, evil.ID(), evil.Fingerprint()
		}, false},
		{"a reader more", func(v *DeskView) {
			v.Readers = append(v.Readers, Reader{Key: evil.ID(), Public: evil, Fingerprint: evil.Fingerprint(), Name: "Anna Visser"})
		}, false},
		{"the key in the list", func(v *DeskView) { v.Readers[0].Public, v.Log[0].Key = evil, evil }, false},
		{"an entry nobody confirmed", func(v *DeskView) {
			log, err := seal.AppendLog(v.Log, seal.LogEntry{At: v.Log[2].At, Did: seal.DidAdd, Key: evil, Name: "Eve", By: "x"})
			deskMust(t, err)
			v.Log, v.Readers = log, append(v.Readers, Reader{Key: evil.ID(), Public: evil, Fingerprint: evil.Fingerprint(), Name: "Eve"})
		}, false},
		{"a whole new list", func(v *DeskView) {
			log, err := seal.AppendLog(nil, seal.LogEntry{At: v.Log[0].At, Did: seal.DidAdd, Key: evil, Name: "Anna Visser", By: "x"})
			deskMust(t, err)
			v.Log, v.Readers = log, []Reader{{Key: evil.ID(), Public: evil, Fingerprint: evil.Fingerprint(), Name: "Anna Visser"}}
		}, true},
	} {
		w := newDeskWorld(t)
		w.acme()
		v := w.view("confidential-adviser")
		deskMust(t, reportTrustDesk(v))
		prints := []string{v.Readers[0].Fingerprint, v.Readers[1].Fingerprint}
		deskMust(t, reportCompare(v.Readers, prints))
		c.swap(&v)
		if err := reportTrustDesk(v); (err == nil) != c.grant {
			t.Errorf("%s: %v", c.why, err)
		}
		if c.grant && reportCompare(v.Readers, prints) == nil {
			t.Errorf("%s: passes with the fingerprints of the poster", c.why)
		}
	}
}
