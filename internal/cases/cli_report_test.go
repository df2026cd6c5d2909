package cases

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/cli/clitest"
	"github.com/polder-exchange/polder/internal/seal"
)

func TestReportCommandsHaveHelp(t *testing.T) { clitest.Commands(t, reportCommand(time.Now)) }

// reportCLIKey is a key of which a test knows the private half.
func reportCLIKey(n byte) seal.PrivateKey { return seal.NewPrivateKey([32]byte{1: n, 2: 7}) }

// reportCLIDesk is a desk that Anna reads, and whoever else is named.
func reportCLIDesk(t testing.TB, names ...string) DeskView {
	t.Helper()
	d := DeskView{Alias: "acme", Name: "Adviser", Organisation: "Acme Optics", Kind: DeskReports, Listed: true, Salt: bytes.Repeat([]byte{3}, 32), Limits: ReportLimits{Least: SealLeast}}
	first := reportCLIKey(1).Public().ID()
	for i, name := range append([]string{"Anna"}, names...) {
		k := reportCLIKey(byte(i + 1)).Public()
		entries := []seal.LogEntry{{At: reportNow, Did: seal.DidAdd, Key: k, Name: name, By: "the desk"}}
		if i > 0 {
			entries = append(entries, seal.LogEntry{At: reportNow, Did: seal.DidConfirm, Key: k, Name: name, By: string(first)})
		}
		for _, e := range entries {
			var err error
			if d.Log, err = seal.AppendLog(d.Log, e); err != nil {
				t.Fatal(err)
			}
		}
		d.Readers = append(d.Readers, Reader{Key: k.ID(), Public: k, Fingerprint: k.Fingerprint(), Name: name, Desk: "acme", Since: reportNow})
	}
	return d
}

// reportCLINode is a node that shows desks, takes whatever is posted, and answers the first posts with changed desks.
type reportCLINode struct {
	t       testing.TB
	desks   []DeskView
	changed []DeskView
	posts   []ReportPost
	sizes   []int
	header  http.Header
}

func (n *reportCLINode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	reply := func(status int, v any) {
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			n.t.Error(err)
		}
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /api/v1/reports/desks":
		reply(200, reportDeskList{n.desks})
	case "GET /api/v1/reports/desks/acme":
		reply(200, n.desks[0])
	case "POST /api/v1/reports":
		body, err := io.ReadAll(r.Body)
		var p ReportPost
		if err != nil || json.Unmarshal(body, &p) != nil {
			n.t.Errorf("posted %.100q, %v", body, err)
		}
		n.posts, n.sizes, n.header = append(n.posts, p), append(n.sizes, len(body)), r.Header
		if len(n.changed) > 0 {
			desk := n.changed[0]
			n.changed = n.changed[1:]
			reply(409, ReportConflict{Status: 409, Title: "Conflict", Detail: "others", Desk: desk})
			return
		}
		out := ReportPosted{SealedBy: "device", Desk: p.To}
		if p.Thread == nil {
			out.ID = "aaaa"
		}
		reply(201, out)
	default:
		reply(404, map[string]any{"title": "Not Found", "status": 404})
	}
}

// run runs a command line against n. File answers.json is there.
func (n *reportCLINode) run(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	server := httptest.NewServer(n)
	defer server.Close()
	return clitest.Run(t, stdin, append(append([]string{"report"}, args...), "--node", server.URL), reportCommand(time.Now))
}

func reportCLIFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const reportCLIAnswers = `{"what":"A visitor photographed the machine hall","roads":["insider"],"may_know":"desk"}`

// TestReportSends: the readers open what was sent, with what was proposed here; nobody else does, nothing readable is
// sent, no token goes along, and short and long reports have the same length.
func TestReportSends(t *testing.T) {
	t.Setenv("POLDER_TOKEN", "polder_secret")
	n := &reportCLINode{t: t, desks: []DeskView{reportCLIDesk(t, "Bram")}}
	attached := reportCLIFile(t, "a b.txt", "canary in a file")
	out, errs, code := n.run(t, "", "--file", reportCLIFile(t, "answers.json", reportCLIAnswers), "--attach", attached)
	if code != 0 || out != "{\"id\":\"aaaa\"}\n" || errs != "" {
		t.Fatalf("exit %d: %q %q", code, out, errs)
	}
	p := n.posts[0]
	for i := range 2 {
		a := openAnswers(*p.Box, reportCLIKey(byte(i+1)))
		if a == nil || a.What != "A visitor photographed the machine hall" || a.Proposed == nil || a.Proposed.Class == "" || a.Language != "en" {
			t.Errorf("reader %d opens %+v", i, a)
		}
		name, data, err := openAttachment(p.Files[0], reportCLIKey(byte(i+1)))
		if err != nil || name != "a_b.txt" || string(data) != "canary in a file" {
			t.Errorf("reader %d opens the file as %q %q, %v", i, name, data, err)
		}
	}
	if len(p.Box.Wraps) != 2 || p.Thread != nil || p.Answers != nil || openAnswers(*p.Box, reportCLIKey(9)) != nil {
		t.Errorf("sealed to %v, thread %v, plain %v", p.Box.Readers(), p.Thread, p.Answers)
	}
	if n.header.Get("Authorization") != "" || n.header.Get("Cookie") != "" {
		t.Errorf("the report went with %v", n.header)
	}
	text, err := json.Marshal(p)
	if err != nil || bytes.Contains(text, []byte("photographed")) || bytes.Contains(text, []byte("canary")) {
		t.Errorf("something readable was sent (%v)", err)
	}
	for _, what := range []string{strings.Repeat("a", 200), strings.Repeat("a", 5000)} {
		if _, errs, code := n.run(t, "", "--file", reportCLIFile(t, "answers.json", `{"what":"`+what+`"}`)); code != 0 {
			t.Fatal(errs)
		}
	}
	if n.sizes[1] != n.sizes[2] || n.sizes[1]%reportStep != 0 {
		t.Errorf("200 and 5000 characters go out as %d and %d bytes (S29)", n.sizes[1], n.sizes[2])
	}
}

// TestReportReceipt: the words stay here; what is sent is what they lead to.
func TestReportReceipt(t *testing.T) {
	n := &reportCLINode{t: t, desks: []DeskView{reportCLIDesk(t)}}
	out, errs, code := n.run(t, reportCLIAnswers, "--file", "-", "--anonymous", "--lang", "nl", "--json")
	var sent reportSent
	if code != 0 || json.Unmarshal([]byte(out), &sent) != nil || sent.ID != "" || seal.Receipt(sent.Receipt).Check() != nil {
		t.Fatalf("exit %d: %q %q", code, out, errs)
	}
	a, err := seal.Receipt(sent.Receipt).Access(n.desks[0].Salt)
	if err != nil {
		t.Fatal(err)
	}
	p := n.posts[0]
	if p.Thread == nil || p.Thread.Proof != base64.StdEncoding.EncodeToString(a.Proof[:]) || p.Thread.Public != a.Key.Public() {
		t.Errorf("the thread is %+v", p.Thread)
	}
	if openAnswers(*p.Box, a.Key) == nil {
		t.Error("the reporter cannot read the report again")
	}
	text, err := json.Marshal(p)
	for w := range strings.FieldsSeq(sent.Receipt) {
		if err != nil || bytes.Contains(text, []byte(`"`+w)) || bytes.Contains(text, []byte(sent.Receipt)) {
			t.Errorf("a word of the receipt was sent (%v)", err)
		}
	}
	// Who is pressed may be made to give the words away: they do not open what was said.
	n.desks[0].Kind = DeskPressed
	out, errs, code = n.run(t, reportCLIAnswers, "--file", "-", "--anonymous")
	if code != 0 || json.Unmarshal([]byte(out), &sent) != nil {
		t.Fatalf("exit %d: %q %q", code, out, errs)
	}
	if a, err = seal.Receipt(sent.Receipt).Access(n.desks[0].Salt); err != nil {
		t.Fatal(err)
	}
	if openAnswers(*n.posts[1].Box, a.Key) != nil {
		t.Error("the words of somebody who is pressed open the report")
	}
	if read := openAnswers(*n.posts[1].Box, reportCLIKey(1)); read == nil || read.Proposed != nil {
		t.Errorf("who is pressed is given a class: %+v", read)
	}
}

// TestS30FalseReaders: a node that swaps a key, adds a reader, leaves one out or breaks the list is refused before
// anything is sealed; so is one that changes its list between two answers (S30).
func TestS30FalseReaders(t *testing.T) {
	mallory := reportCLIKey(66).Public()
	swapped := func(r Reader) Reader {
		r.Key, r.Public, r.Fingerprint = mallory.ID(), mallory, mallory.Fingerprint()
		return r
	}
	for _, c := range []struct {
		why, says string
		change    func(d *DeskView)
	}{
		{"a reader's key is swapped", "does not stand in its list of keys", func(d *DeskView) { d.Readers[0] = swapped(d.Readers[0]) }},
		{"a reader is added", "does not stand in its list of keys", func(d *DeskView) { d.Readers = append(d.Readers, swapped(d.Readers[0])) }},
		{"a reader is left out", "2 stand in its list of keys, and 1 are shown", func(d *DeskView) { d.Readers = d.Readers[:1] }},
		{"the fingerprint is that of another key", "fingerprint of another key", func(d *DeskView) { d.Readers[0].Fingerprint = mallory.Fingerprint() }},
		{"the key under the same id and fingerprint is another", "fingerprint of another key", func(d *DeskView) { d.Readers[0].Public = mallory }},
		{"a name is put on another's key", "stands in its list of keys as Anna", func(d *DeskView) { d.Readers[0].Name = "The confidential adviser" }},
		{"an entry of the list is changed", "does not hold together", func(d *DeskView) { d.Log[0].Key = mallory }},
		{"the list is gone", "does not stand in its list of keys", func(d *DeskView) { d.Log = nil }},
		{"one waits, and is shown as a reader", "does not stand in its list of keys", func(d *DeskView) { d.Log = d.Log[:2] }},
	} {
		d := reportCLIDesk(t, "Bram")
		c.change(&d)
		n := &reportCLINode{t: t, desks: []DeskView{d}}
		out, errs, code := n.run(t, reportCLIAnswers, "--file", "-", "--anonymous")
		if code != 1 || out != "" || !strings.Contains(errs, c.says) || !strings.Contains(errs, "nothing was sealed") || len(n.posts) > 0 {
			t.Errorf("%s: exit %d, %d posts, %q %q; want %q", c.why, code, len(n.posts), out, errs, c.says)
		}
	}
	honest, later := reportCLIDesk(t), reportCLIDesk(t, "Bram")
	n := &reportCLINode{t: t, desks: []DeskView{honest}, changed: []DeskView{later}}
	if out, errs, code := n.run(t, reportCLIAnswers, "--file", "-"); code != 0 || len(n.posts) != 2 || len(n.posts[1].Box.Wraps) != 2 || n.posts[0].Once != n.posts[1].Once {
		t.Errorf("readers that were added by the rules: exit %d, %d posts, %q %q", code, len(n.posts), out, errs)
	}
	other := reportCLIDesk(t)
	var err error
	if other.Log, err = seal.AppendLog(nil, seal.LogEntry{At: reportNow, Did: seal.DidAdd, Key: mallory, Name: "Anna", By: "x"}); err != nil {
		t.Fatal(err)
	}
	other.Readers = []Reader{swapped(honest.Readers[0])}
	n = &reportCLINode{t: t, desks: []DeskView{honest}, changed: []DeskView{other}}
	if _, errs, code := n.run(t, reportCLIAnswers, "--file", "-"); code != 1 || len(n.posts) != 1 || !strings.Contains(errs, "another one a moment ago") {
		t.Errorf("a list that was replaced: exit %d, %d posts, %q", code, len(n.posts), errs)
	}
	n = &reportCLINode{t: t, desks: []DeskView{honest}, changed: []DeskView{later}}
	if _, errs, code := n.run(t, reportCLIAnswers, "--file", "-", "--fingerprint", honest.Readers[0].Fingerprint); code != 1 || len(n.posts) != 1 || !strings.Contains(errs, "Bram reads too") {
		t.Errorf("a reader beside those of the poster: exit %d, %d posts, %q", code, len(n.posts), errs)
	}
}

// TestS30FalseAnswer: an answer is not sealed to a reader whom the list of the desk does not know, nor to a key that is not
// the one that the sealed report names as its reporter's, whatever the node says of a report (S30).
func TestS30FalseAnswer(t *testing.T) {
	desk := reportCLIDesk(t)
	anna, reporter, mallory := reportCLIKey(1), reportCLIKey(50).Public(), reportCLIKey(66).Public()
	locked, err := seal.Lock(rand.Reader, anna, "six words that only this test may know")
	if err != nil {
		t.Fatal(err)
	}
	words := filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(words, []byte("six words that only this test may know\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	honest := reporter.String()
	for _, c := range []struct {
		why    string
		more   bool           // a reader whom the list does not know
		shown  seal.PublicKey // as the reporter's
		reply  string         // what the sealed report says
		sealed seal.PublicKey // to whom the report is sealed
		says   string
	}{
		{"the readers of the list", false, reporter, honest, anna.Public(), ""},
		{"one more", true, reporter, honest, anna.Public(), "does not stand in the list of its desk, so nothing was sealed"},
		{"another key in the reporter's place", false, mallory, honest, anna.Public(), "not the one that the report itself names"},
		{"a key at a report whose reporter kept no receipt", false, mallory, "", anna.Public(), "not the one that the report itself names"},
		{"a report that the reader cannot open", false, reporter, honest, mallory, "your keys do not open this report"},
	} {
		text, err := json.Marshal(Answers{What: "x", Reply: c.reply})
		if err != nil {
			t.Fatal(err)
		}
		box, err := seal.Seal(rand.Reader, PurposeReport, text, SealLeast, c.sealed)
		if err != nil {
			t.Fatal(err)
		}
		view := ReportView{Report: Report{ID: "x", Desk: "acme", Thread: true, Box: box}, Reporter: &c.shown, Readers: slices.Clone(desk.Readers)}
		if c.more {
			view.Readers = append(view.Readers, Reader{Key: mallory.ID(), Public: mallory, Fingerprint: mallory.Fingerprint(), Name: "Anna", Desk: "acme"})
		}
		var posted []ReportAnswer
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			var v any = view
			switch r.Method + " " + r.URL.Path {
			case "GET /api/v1/reports/keys":
				v = reportKeyList{[]OwnKey{{ID: anna.Public().ID(), Locked: locked, Current: true}}}
			case "GET /api/v1/reports/desks/acme":
				v = desk
			case "POST /api/v1/reports/inbox/x/messages":
				var in ReportAnswer
				if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
					t.Error(err)
				}
				posted = append(posted, in)
			}
			if err := json.NewEncoder(w).Encode(v); err != nil {
				t.Error(err)
			}
		}))
		out, errs, code := clitest.Run(t, "", []string{"report", "reply", "x", "--text", "Thank you", "--passphrase-file", words, "--node", server.URL, "--token", "t"}, reportCommand(time.Now))
		server.Close()
		if c.says != "" {
			if code != 1 || len(posted) > 0 || !strings.Contains(errs, c.says) {
				t.Errorf("%s: exit %d, %d answers, %q %q", c.why, code, len(posted), out, errs)
			}
			continue
		}
		if code != 0 || len(posted) != 1 {
			t.Fatalf("%s: exit %d, %d answers, %q %q", c.why, code, len(posted), out, errs)
		}
		for _, k := range []seal.PrivateKey{anna, reportCLIKey(50)} {
			if text, err := posted[0].Box.Open(PurposeMessage, k); err != nil || string(text) != "Thank you" {
				t.Errorf("%s: %q, %v", c.why, text, err)
			}
		}
	}
}

// TestS44ReportTerminal: nothing that a node says of itself steers the terminal of who reports.
func TestS44ReportTerminal(t *testing.T) {
	d := reportCLIDesk(t)
	d.Readers[0].Name = "Anna\x1b]0;owned\x07\u202e"
	n := &reportCLINode{t: t, desks: []DeskView{d}}
	out, errs, _ := n.run(t, reportCLIAnswers, "--file", "-")
	if strings.ContainsAny(out+errs, "\x1b\x07\u202e") || !strings.Contains(errs, `\x1b]0;owned\x07\u202e`) {
		t.Errorf("%q %q", out, errs)
	}
}

// TestReportUsage: what is missing or contradicts itself is wrong usage or refused, with what would be right.
func TestReportUsage(t *testing.T) {
	two := reportCLIDesk(t)
	two.Alias = "beta"
	for _, c := range []struct {
		args, stdin string
		code        int
		says        string
	}{
		{"", "", 2, "there is nobody to ask; give --file"},
		{"--file - --lang de", reportCLIAnswers, 2, "--lang \"de\" is not known"},
		{"--file -", reportCLIAnswers, 2, "give --to with one of acme, beta"},
		{"--file - --to acme --fingerprint 123", reportCLIAnswers, 1, "is that of no reader"},
		{"--file - --to acme", strings.Replace(reportCLIAnswers, `"desk"`, `"team"`, 1), 1, "has no response team"},
		{"--file - --to gone", reportCLIAnswers, 1, "Not Found"},
		{"--file - --to acme --attach none", reportCLIAnswers, 1, "none: no such file"},
		{"--file - --to acme --attach 1 --attach 2 --attach 3 --attach 4 --attach 5 --attach 6", reportCLIAnswers, 2, "at most 5 files"},
		{"show", "", 2, "no receipt is given"},
		{"show --receipt - --reply -", "", 2, "both read standard input"},
		{"show --receipt a --attach b", "", 2, "give --reply too"},
		{"show --receipt -", "a b c", 1, "has 6 words, not 3"},
		{"inbox", "", 2, "no token is given"},
		{"confirm nokey --token t", "", 2, "32 characters"},
		{"reply x --token t", "", 2, "text"},
		{"reply x --token t --text -", "  ", 2, "the message is empty"},
	} {
		n := &reportCLINode{t: t, desks: []DeskView{reportCLIDesk(t), two}}
		out, errs, code := n.run(t, c.stdin, strings.Fields(c.args)...)
		if code != c.code || out != "" || !strings.Contains(errs, c.says) || len(n.posts) > 0 {
			t.Errorf("report %s: exit %d, want %d; %q %q, want %q", c.args, code, c.code, out, errs, c.says)
		}
	}
}

// reportCLIPerson is somebody who types lines.
func reportCLIPerson(lines ...string) (*reportPerson, *bytes.Buffer) {
	var out bytes.Buffer
	c := &cobra.Command{}
	c.SetErr(&out)
	return &reportPerson{in: bufio.NewReader(strings.NewReader(strings.Join(lines, "\n") + "\n")), out: cli.Err(c), lang: "en"}, &out
}

// TestReportAsks: the six questions at a terminal, in at most twelve answers, with who can read shown before them.
func TestReportAsks(t *testing.T) {
	desk := reportCLIDesk(t, "Bram")
	p, said := reportCLIPerson("", "A visitor took photographs", "of the hall", "", "yesterday", "2, 5", "9", "1", "", "1", "")
	f := &reportFlags{lang: "en"}
	a, err := f.ask(p, desk)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	want := Answers{What: "A visitor took photographs\nof the hall", Noticed: "yesterday", Roads: []Road{RoadInsider, RoadResearch}, Ongoing: "yes", MayKnow: "desk", Language: "en"}
	if !reflect.DeepEqual(a, want) || !f.anonymous {
		t.Errorf("got %+v, anonymous %v; want %+v", a, f.anonymous, want)
	}
	text := said.String()
	for _, s := range []string{"Anna", "Bram", desk.Readers[1].Fingerprint, "1. What did you notice?", "6. Who may know?", "Type a number from the list."} {
		if !strings.Contains(text, s) {
			t.Errorf("it does not say %q:\n%s", s, text)
		}
	}
	if strings.Contains(text, "response team") || strings.Index(text, desk.Readers[0].Fingerprint) > strings.Index(text, "1. What") {
		t.Errorf("a team that is not there is offered, or the readers come after the questions:\n%s", text)
	}
	for _, c := range []struct {
		typed string
		send  bool
	}{{"y", true}, {"ja", true}, {"", false}, {"n", false}} {
		p, _ := reportCLIPerson(c.typed)
		if sure, err := f.confirm(p, desk, a); err != nil || sure != c.send {
			t.Errorf("%q sends: %v, %v; want %v", c.typed, sure, err, c.send)
		}
	}
	if p, _ := reportCLIPerson(); true {
		if _, err := f.ask(p, desk); err == nil {
			t.Error("a report was made of questions that nobody answered")
		}
	}
}

// TestReportAsksPressed: somebody who is pressed is asked three things, no name, and is never judged.
func TestReportAsksPressed(t *testing.T) {
	desk := reportCLIDesk(t)
	desk.Kind = DeskPressed
	p, said := reportCLIPerson("Ze vragen om tekeningen", "", "4", "in de bibliotheek")
	f := &reportFlags{lang: "nl"}
	a, err := f.ask(p, desk)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	want := Answers{What: "Ze vragen om tekeningen", Call: "in de bibliotheek", MayKnow: "desk", Language: "nl", More: map[string]string{"danger": "self"}}
	if !reflect.DeepEqual(a, want) || !f.anonymous {
		t.Errorf("got %+v, anonymous %v; want %+v", a, f.anonymous, want)
	}
}

// TestReportPhrases: both languages say everything.
func TestReportPhrases(t *testing.T) {
	for key := range reportPhrases["en"] {
		if reportPhrases["nl"][key] == "" || reportPhrases["nl"][key] == reportPhrases["en"][key] {
			t.Errorf("nl does not say %q", key)
		}
	}
	if len(reportPhrases["nl"]) != len(reportPhrases["en"]) {
		t.Error("nl says what en does not")
	}
}

// TestS43SavedNames: the name of an attachment never leads out of the folder, hides, replaces a file or is an option.
func TestS43SavedNames(t *testing.T) {
	for _, c := range []struct{ name, want, why string }{
		{"picture.jpg", "picture.jpg", "as it is"},
		{"../../etc/passwd", "_.._etc_passwd", "a way up"},
		{`..\..\boot.ini`, "_.._boot.ini", "a way up on another system"},
		{"/etc/passwd", "_etc_passwd", "from the root"},
		{".bashrc", "bashrc", "a hidden file"},
		{"--help", "help", "an option"},
		{"a\x00b\x1b[2J.txt", "a_b__2J.txt", "what steers a terminal"},
		{"", "attachment", "nothing"},
		{"..", "attachment", "the folder above"},
		{strings.Repeat("x", 300) + ".pdf", strings.Repeat("x", 96) + ".pdf", "longer than file systems like"},
	} {
		if got := safeFileName(c.name); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}
