package node

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/seal"
)

// sealedWorld is a node with a desk that one person of plain reads for.
type sealedWorld struct {
	*place
	alias string
	desk  cases.DeskView
	key   seal.PrivateKey // of the reader, which no test gives to the node
}

func newSealedWorld(t *testing.T) *sealedWorld {
	t.Helper()
	x := &sealedWorld{place: newPlace(t)}
	x.token(t, x.Accounts, "plain steward", "plain", polder.RoleSteward, time.Time{})
	var err error
	x.key, err = seal.GenerateKey(rand.Reader)
	ok(t, err)
	x.alias = openDesk(t, x.key, string(x.ids["contributor"]), func(as, method, path string, body any, status int) string {
		text, err := json.Marshal(body)
		ok(t, err)
		a := x.ask(ask{as: as, method: method, path: path, kind: jsonKind, body: string(text)})
		if a.status != status {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		return a.body
	})
	ok(t, json.Unmarshal([]byte(x.ask(ask{path: "/api/v1/reports/desks/" + x.alias}).body), &x.desk))
	if len(x.desk.Readers) != 1 || seal.VerifyLog(x.desk.Log) != nil {
		t.Fatalf("the desk has %+v", x.desk)
	}
	return x
}

// openDesk opens a desk that one person reads for, with a key that is locked by nothing that anybody knows.
func openDesk(t *testing.T, key seal.PrivateKey, person string, tell func(as, method, path string, body any, status int) string) string {
	t.Helper()
	lock := make([]byte, 16+12+48)
	_, err := rand.Read(lock)
	ok(t, err)
	tell("contributor", "POST", "/api/v1/reports/keys", seal.LockedKey{Public: key.Public(), Iterations: seal.Iterations, Salt: lock[:16], Nonce: lock[16:28], Key: lock[28:]}, http.StatusCreated)
	tell("plain steward", "POST", "/api/v1/desks", cases.DeskSettings{Alias: "adviser", Name: "Adviser", Listed: true, Promise: "Somebody reads this within a day"}, http.StatusCreated)
	tell("plain steward", "POST", "/api/v1/desks/adviser/readers", cases.DeskReaderPost{Person: polder.PersonID(person), Confirmed: true}, http.StatusCreated)
	return "adviser"
}

// reporter is a device that seals to a desk and keeps what opens its thread.
type reporter struct {
	key   seal.PrivateKey
	proof string
}

func newReporter(t testing.TB) reporter {
	t.Helper()
	k, err := seal.GenerateKey(rand.Reader)
	ok(t, err)
	proof := make([]byte, 32)
	_, err = rand.Read(proof)
	ok(t, err)
	return reporter{k, base64.StdEncoding.EncodeToString(proof)}
}

// box seals a text to the readers of a desk, and to the reporter where it is no file.
func (r reporter) box(t testing.TB, d cases.DeskView, purpose, text string) seal.Box {
	t.Helper()
	var keys []seal.PublicKey
	for _, reader := range d.Readers {
		keys = append(keys, reader.Public)
	}
	if purpose != cases.PurposeFile {
		keys = append(keys, r.key.Public())
	}
	b, err := seal.Seal(rand.Reader, purpose, []byte(text), cases.SealLeast, keys...)
	ok(t, err)
	return b
}

// post is a report with one file.
func (r reporter) post(t testing.TB, d cases.DeskView, what, file string) cases.ReportPost {
	t.Helper()
	text, err := json.Marshal(cases.Answers{What: what, Noticed: what, Call: what, More: map[string]string{"systems": what}})
	ok(t, err)
	box := r.box(t, d, cases.PurposeReport, string(text))
	return cases.ReportPost{To: d.Alias, Box: &box, Thread: &cases.ReportThread{Proof: r.proof, Public: r.key.Public()}, Files: []seal.Box{r.box(t, d, cases.PurposeFile, `{"name":"`+file+`.txt","type":"text/plain"}`+"\n"+file)}}
}

// tell posts a body as nobody and demands that it is taken.
func (x *sealedWorld) tell(t *testing.T, as, path string, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	ok(t, err)
	a := x.ask(ask{as: as, method: "POST", path: path, kind: jsonKind, body: string(text)})
	if a.status >= 300 {
		t.Fatalf("POST %s: %d %s", path, a.status, a.body)
	}
	return a.body
}

// TestS29Node (S29): a report that a device sealed and one that the node sealed on arrival, with a file and messages, over
// a whole node. What they say, the words of the receipt and the address that they came from are in no file of the node's
// folder, in no backup that its own command wrote and that was unlocked, in no answer to anybody, the stream, the figures,
// the audit and the log; who manages the node is refused; and the reader opens every word of it.
func TestS29Node(t *testing.T) {
	x := newSealedWorld(t)
	const device, server, file, said, plainFile = "zqdevicezq", "zqserverzq", "zqattachedzq", "zqsaidzq", "zqplainfilezq"
	r := newReporter(t)
	x.tell(t, "", "/api/v1/reports", r.post(t, x.desk, device, file))
	x.tell(t, "", "/api/v1/reports/thread/message", cases.ReportSaid{Proof: r.proof, Box: r.box(t, x.desk, cases.PurposeMessage, said)})
	var posted cases.ReportPosted
	ok(t, json.Unmarshal([]byte(x.tell(t, "", "/api/v1/reports", cases.ReportPost{To: x.alias, Anonymous: true, Answers: &cases.Answers{What: server, Call: server, Name: server},
		Plain: []cases.ReportAttachment{{Name: plainFile + ".txt", Type: "text/plain", Data: []byte(plainFile)}}})), &posted))
	if len(strings.FieldsFunc(posted.Receipt, func(c rune) bool { return c == ' ' || c == '-' })) != 6 {
		t.Fatalf("the receipt is %q", posted.Receipt)
	}
	page := x.ask(ask{method: "POST", path: "/report/d/" + x.alias, kind: formKind, head: map[string]string{"Sec-Fetch-Site": "same-origin"}, body: "what=zqformzq&noticed=zqformzq&anonymous=yes&send=yes"})
	x.tell(t, "contributor", "/api/v1/cases", cases.CaseNew{Title: "From a report", Report: x.opens(t, device, said, file, server, plainFile)})
	secrets := []string{device, server, file, said, plainFile, "zqformzq", posted.Receipt, r.proof}
	if page.status >= 500 || page.head.Get("Set-Cookie") != "" {
		t.Errorf("the form answers %d, with cookie %q", page.status, page.head.Get("Set-Cookie"))
	}
	probes := x.everyAnswer(t, secrets)
	holds(t, "the log", []byte(x.log.String()), append(secrets, "127.0.0.1:40000"))
	restored := x.backup(t)
	x.end()
	kept, backed := holdsAll(t, x.dir, secrets), holdsAll(t, restored, secrets)
	if kept < 200_000 || backed < 200_000 || probes < 500 {
		t.Errorf("%d bytes of the node, %d of its backup, %d answers: little was looked at", kept, backed, probes)
	}
	t.Logf("%d answers, %d bytes of the node and %d of its backup against %d words", probes, kept, backed, len(secrets))
}

// opens reads everything as the reader's browser does and gives the id of the first report.
func (x *sealedWorld) opens(t *testing.T, want ...string) (first string) {
	t.Helper()
	var inbox struct{ Reports []cases.ReportView }
	ok(t, json.Unmarshal([]byte(x.ask(ask{as: "contributor", path: "/api/v1/reports/inbox"}).body), &inbox))
	text := ""
	for _, of := range inbox.Reports {
		var one cases.ReportView
		ok(t, json.Unmarshal([]byte(x.ask(ask{as: "contributor", path: "/api/v1/reports/inbox/" + of.ID}).body), &one))
		b, err := one.Box.Open(cases.PurposeReport, x.key)
		ok(t, err)
		text += string(b)
		for _, m := range one.Messages {
			b, err := m.Box.Open(cases.PurposeMessage, x.key)
			ok(t, err)
			text += string(b)
		}
		for _, f := range one.Files {
			var box seal.Box
			ok(t, json.Unmarshal([]byte(x.ask(ask{as: "contributor", path: "/api/v1/reports/inbox/" + of.ID + "/files/" + f.ID}).body), &box))
			b, err := box.Open(cases.PurposeFile, x.key)
			ok(t, err)
			text += string(b)
		}
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Fatalf("the reader does not find %q, so hiding it proves nothing: %s", w, text)
		}
	}
	return inbox.Reports[0].ID
}

// everyAnswer asks every exit as everybody, the administrator of the node among them.
func (x *sealedWorld) everyAnswer(t *testing.T, secrets []string) (n int) {
	t.Helper()
	for _, r := range x.Routes() {
		if r.Method != "GET" {
			continue
		}
		path := strings.ReplaceAll(x.fill(r.Pattern, entryID(1)), "/ring", "/"+x.alias)
		for _, as := range []string{"contributor", "plain steward", "foreign", "admin", ""} {
			q := ask{as: as, path: path}
			if r.Stream {
				q.wait = 30 * time.Millisecond
			}
			a := x.ask(q)
			holds(t, r.Method+" "+path+" as "+as, []byte(plainText(a)), secrets)
			n++
			if as == "admin" && (strings.HasPrefix(path, "/api/v1/reports/inbox") || strings.HasPrefix(path, "/cases")) && a.status != http.StatusForbidden {
				t.Errorf("%s: who manages the node gets %d", path, a.status)
			}
		}
	}
	return n
}

// backup is the folder that the node's own commands made of a backup that they wrote.
func (x *sealedWorld) backup(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	ok(t, err)
	at := t.TempDir()
	path, key, out := filepath.Join(at, "node.backup"), filepath.Join(at, "key.txt"), filepath.Join(at, "node")
	ok(t, os.WriteFile(key, []byte(id.String()+"\n"), 0o600))
	for _, args := range [][]string{{"backup", "--data", x.dir, "--recipient", id.Recipient().String(), path}, {"restore", "--data", out, "--identity", key, path}} {
		if code, said, errs := polderRun(t, args...); code != 0 {
			t.Fatalf("%s: %d %s %s", args[0], code, said, errs)
		}
	}
	return out
}

// holdsAll looks through every file of a folder and says how many bytes there are.
func holdsAll(t *testing.T, dir string, secrets []string) (bytes int) {
	t.Helper()
	ok(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		holds(t, path, b, secrets)
		bytes += len(b)
		return err
	}))
	return bytes
}

// holds fails where one of words stands in b, as it is, in capitals, in base64 or in hexadecimal.
func holds(t *testing.T, what string, b []byte, words []string) {
	t.Helper()
	lower := bytes.ToLower(b)
	for _, w := range words {
		for _, form := range []string{strings.ToLower(w), fmt.Sprintf("%x", w), strings.ReplaceAll(strings.ToLower(w), " ", "-")} {
			if bytes.Contains(lower, []byte(form)) {
				t.Errorf("%s holds %q", what, w)
			}
		}
		for shift := range 3 { // the three ways in which a word can lie in base64
			coded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), w...))
			if inner := coded[4 : len(coded)-4]; len(inner) >= 8 && bytes.Contains(b, []byte(inner)) {
				t.Errorf("%s holds %q in base64", what, w)
			}
		}
	}
}
