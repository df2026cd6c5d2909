package cases

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// TestReportFlow plays an anonymous report from the desk's view to the closed report, over the REST API.
func TestReportFlow(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	var list reportDeskList
	w.ask("", "GET", "/api/v1/reports/desks", nil, &list, 200)
	if len(list.Desks) != 1 || list.Desks[0].Organisation != "Acme Optics" || list.Desks[0].Phone == "" || len(list.Desks[0].Readers) != 2 || len(list.Desks[0].Salt) < 16 {
		t.Fatalf("desks: %+v", list)
	}
	v := w.view("confidential-adviser")
	d := newDevice(w)
	var posted ReportPosted
	deskMust(t, json.Unmarshal(d.report(v, "A visitor photographed the mask", "a photograph"), &posted))
	if posted.ID != "" || posted.Receipt != "" || posted.SealedBy != "device" {
		t.Errorf("a sealed anonymous report is answered %+v; nothing may lead to it but the receipt", posted)
	}
	if n, err := w.Waiting(t.Context(), deskPeople["anna"]); n != 1 || err != nil {
		t.Errorf("%d reports wait, %v", n, err)
	}
	all := w.inbox("anna")
	if len(all) != 1 || all[0].State != ReportNew || !all[0].Thread || all[0].Received.Minute() != 0 {
		t.Fatalf("inbox: %+v", all)
	}
	if got := deskAnswers(t, all[0].Box, w.keys["anna"]).What; got != "A visitor photographed the mask" {
		t.Errorf("Anna reads %q", got)
	}
	// Directive (EU) 2019/1937 in the Netherlands: seven days, and three months after them. Received on 20 November 2026:
	// until 27 November, and 27 February 2027, which is a Saturday, so Monday 1 March. Acknowledged on the day it came: 20
	// February, a Saturday, so the 22nd.
	if a, f := all[0].AcknowledgeBy.In(deskZone(t)), all[0].FeedbackBy.In(deskZone(t)); a.Format(time.DateOnly) != "2026-11-27" || f.Format(time.DateOnly) != "2027-03-01" {
		t.Errorf("to be acknowledged by %s, answered by %s", a, f)
	}
	id := all[0].ID
	var acknowledged ReportView
	w.ask("bram", "POST", "/api/v1/reports/inbox/"+id+"/acknowledge", nil, &acknowledged, 200)
	if f := acknowledged.FeedbackBy.In(deskZone(t)); !acknowledged.AcknowledgeBy.IsZero() || f.Format(time.DateOnly) != "2027-02-22" {
		t.Errorf("acknowledged, it is to be acknowledged by %s and answered by %s", acknowledged.AcknowledgeBy, f)
	}
	w.answer("anna", id, "When was that?")
	th := d.thread()
	if th.State != ReportAcknowledged || len(th.Messages) != 1 || th.Messages[0].From != "desk" || deskText(t, th.Messages[0].Box, PurposeMessage, d.key) != "When was that?" {
		t.Fatalf("thread: %+v", th)
	}
	if deskAnswers(t, *th.Box, d.key).What == "" || len(th.Files) != 1 || len(th.Box.Wraps) != 1 {
		t.Errorf("the reporter sees of the own report %+v", th)
	}
	said := ReportSaid{Proof: d.proof, Box: d.box(th.Desk, false, PurposeMessage, "On Tuesday"), Files: []seal.Box{d.box(th.Desk, false, PurposeFile, "{}\nmore")}}
	w.ask("", "POST", "/api/v1/reports/thread/message", said, &th, 200)
	if len(th.Messages) != 2 || len(th.Files) != 2 || th.Files[1].With != th.Messages[1].ID {
		t.Errorf("after a message: %+v", th)
	}
	one, err := w.Report(t.Context(), deskPeople["bram"], id)
	deskMust(t, err)
	if deskText(t, one.Messages[1].Box, PurposeMessage, w.keys["bram"]) != "On Tuesday" || len(one.Box.Wraps) != 1 {
		t.Errorf("Bram reads %+v", one)
	}
	file := w.send("bram", "GET", "/api/v1/reports/inbox/"+id+"/files/"+one.Files[0].ID, nil)
	checkDownload(t, file)
	var box seal.Box
	deskMust(t, json.Unmarshal(file.Body.Bytes(), &box))
	if text := deskText(t, box, PurposeFile, w.keys["bram"]); !strings.HasSuffix(text, "\na photograph") {
		t.Errorf("the file holds %q", text)
	}
	w.ask("bram", "PUT", "/api/v1/reports/inbox/"+id+"/case", reportCaseBody{"case--11111111-1111-4111-8111-111111111111"}, nil, 404)
	c, err := w.OpenCase(t.Context(), deskPeople["bram"], CaseNew{Title: "The visitor"})
	deskMust(t, err)
	w.ask("bram", "PUT", "/api/v1/reports/inbox/"+id+"/case", reportCaseBody{c.ID}, &one, 200)
	if one.State != ReportInCase {
		t.Errorf("state %s, want in-case", one.State)
	}
	w.ask("anna", "POST", "/api/v1/reports/inbox/"+id+"/close", nil, &one, 200)
	if d.thread().State != ReportClosed || len(w.inbox("anna")) != 0 {
		t.Error("a closed report stays in the queue, or its thread does not say so")
	}
	w.ask("", "POST", "/api/v1/reports/thread/message", ReportSaid{Proof: d.proof, Box: d.box(th.Desk, false, PurposeMessage, "One thing more")}, &th, 200)
	if th.State != ReportInCase || len(w.inbox("anna")) != 1 {
		t.Errorf("a message to a closed report leaves it %s: nobody would look", th.State)
	}
}

func checkDownload(t *testing.T, out *httptest.ResponseRecorder) {
	t.Helper()
	h := out.Header()
	if out.Code != 200 || h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("an attachment is answered %d with %v", out.Code, h)
	}
}

// TestReportPlain: answers that the node seals; the receipt opens the thread from words alone.
func TestReportPlain(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	post := ReportPost{Answers: &Answers{What: "I was offered money", Roads: []Road{RoadInsider}, Language: "nl"}, Anonymous: true, Once: "a-word-of-20-characters",
		Plain: []ReportAttachment{{Name: "mail.eml", Type: "message/rfc822", Data: []byte("From: x")}}}
	var posted, again ReportPosted
	w.ask("", "POST", "/api/v1/reports", post, &posted, 201)
	if len(strings.Fields(posted.Receipt)) != 6 || posted.ID != "" || posted.SealedBy != "server" {
		t.Fatalf("posted %+v", posted)
	}
	w.ask("", "POST", "/api/v1/reports", post, &again, 201)
	if again.Receipt != posted.Receipt || len(w.inbox("anna")) != 1 {
		t.Errorf("the same post again gives %+v and %d reports", again, len(w.inbox("anna")))
	}
	post.Answers.What += "!"
	w.ask("", "POST", "/api/v1/reports", post, &again, 201)
	if again.Receipt == posted.Receipt || len(w.inbox("anna")) != 2 {
		t.Error("two posts that chose the same word met, and the second reporter got the receipt of the first")
	}
	plain, err := w.ThreadPlain(t.Context(), deskFrom, strings.ToUpper(strings.ReplaceAll(posted.Receipt, " ", " - ")))
	deskMust(t, err)
	if plain.Answers == nil || plain.Answers.What != "I was offered money" || plain.SealedBy != "server" {
		t.Fatalf("the thread is %+v", plain)
	}
	i := slices.IndexFunc(w.inbox("anna"), func(r ReportView) bool {
		return deskAnswers(t, r.Box, w.keys["anna"]).What == "I was offered money"
	})
	w.answer("anna", w.inbox("anna")[i].ID, "By whom?")
	plain, err = w.SayPlain(t.Context(), deskFrom, posted.Receipt, "By a man at the fair", "another-word-of-20-characters")
	deskMust(t, err)
	if len(plain.Messages) != 2 || plain.Texts[plain.Messages[0].ID] != "By whom?" || plain.Texts[plain.Messages[1].ID] != "By a man at the fair" {
		t.Errorf("texts %v", plain.Texts)
	}
	_, err = w.ThreadPlain(t.Context(), deskFrom, "these are no words of a receipt")
	deskIs(t, "wrong words", err, polder.NotFound)
	var named ReportPosted
	w.ask("", "POST", "/api/v1/reports", ReportPost{Answers: &Answers{What: "Odd order", Name: "P. de Boer"}}, &named, 201)
	if named.ID == "" || named.Receipt != "" {
		t.Errorf("a named report is answered %+v", named)
	}
	v, err := w.Report(t.Context(), deskPeople["anna"], named.ID)
	deskMust(t, err)
	if v.Thread || v.Reporter != nil {
		t.Error("a named report without receipt has a thread")
	}
	_, err = w.AnswerReport(t.Context(), deskPeople["anna"], named.ID, ReportAnswer{Box: v.Box})
	deskIs(t, "an answer to nobody", err, polder.Conflict)
}

// TestReportRefused: what a report may not be, and that the reason says what would be right.
func TestReportRefused(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	w.desk("olaf", DeskSettings{Name: "Tulip desk", Listed: true}, "olaf")
	v := w.view("confidential-adviser")
	d := newDevice(w)
	good := func() ReportPost { return d.post(v, Answers{What: "x"}) }
	stranger, err := seal.Seal(strings.NewReader(strings.Repeat("k", 44)), PurposeReport, []byte("{}"), SealLeast, d.key.Public())
	deskMust(t, err)
	for _, c := range []struct {
		why    string
		change func(*ReportPost)
		status int
		words  string
	}{
		{"neither box nor answers", func(p *ReportPost) { p.Box, p.Thread = nil, nil }, 400, "answers"},
		{"both", func(p *ReportPost) { p.Answers = &Answers{What: "y"} }, 400, "either"},
		{"no desk named, two listed", func(p *ReportPost) { p.To = "" }, 400, "confidential-adviser, tulip-desk"},
		{"a desk of nothing", func(p *ReportPost) { p.To = "nobody" }, 404, "no desk"},
		{"another also", func(p *ReportPost) { p.Also = "police" }, 400, "team"},
		{"a team where there is none", func(p *ReportPost) { p.Also = "team" }, 409, "no response team"},
		{"a short word for once", func(p *ReportPost) { p.Once = "short" }, 400, "20 to 64"},
		{"a box to a stranger", func(p *ReportPost) { p.Box = &stranger }, 409, "readers"},
		{"a box to one reader of two", func(p *ReportPost) { p.Box.Wraps = p.Box.Wraps[:1] }, 409, "readers"},
		{"a body in no size class", func(p *ReportPost) { p.Box.Body = append(p.Box.Body, make([]byte, 1001)...) }, 400, "no size that padding leaves"},
		{"a body below the least class", func(p *ReportPost) { p.Box.Body = p.Box.Body[:4096+16] }, 400, "pad the text"},
		{"a body above the largest", func(p *ReportPost) { p.Box.Body = make([]byte, maxReportText*2+16) }, 413, "at most"},
		{"a proof that is none", func(p *ReportPost) { p.Thread.Proof = "AAAA" }, 400, "32 bytes"},
		{"six files", func(p *ReportPost) { p.Files = make([]seal.Box, 6) }, 413, "at most 5"},
		{"a file to a stranger", func(p *ReportPost) { p.Files = []seal.Box{stranger} }, 409, "readers"},
		{"empty answers", func(p *ReportPost) { p.Box, p.Thread, p.Answers = nil, nil, &Answers{What: " "} }, 400, "what: is empty"},
		{"a road of nobody", func(p *ReportPost) {
			p.Box, p.Thread, p.Answers = nil, nil, &Answers{What: "x", Roads: []Road{"river"}}
		}, 400, "roads"},
		{"a long answer", func(p *ReportPost) {
			p.Box, p.Thread, p.Answers = nil, nil, &Answers{What: strings.Repeat("x", maxAnswerText+1)}
		}, 413, "what: is longer"},
	} {
		p := good()
		c.change(&p)
		out := w.send("", "POST", "/api/v1/reports", p)
		if out.Code != c.status || !strings.Contains(out.Body.String(), c.words) {
			t.Errorf("%s: %d %.200s, want %d with %q", c.why, out.Code, out.Body.String(), c.status, c.words)
		}
	}
	if n := len(w.inbox("anna")); n != 0 {
		t.Errorf("%d reports were stored of what was refused", n)
	}
}

// TestReportConflict: a client that sealed to the readers of before is told those of now, and may send again.
func TestReportConflict(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	v := w.view("confidential-adviser")
	d := newDevice(w)
	old := d.post(v, Answers{What: "x"})
	_, err := w.RemoveReader(t.Context(), deskPeople["carla"], v.Alias, w.keys["bram"].Public().ID())
	deskMust(t, err)
	var conflict ReportConflict
	w.ask("", "POST", "/api/v1/reports", old, &conflict, 409)
	if len(conflict.Desk.Readers) != 1 || conflict.Desk.Readers[0].Key != w.keys["anna"].Public().ID() {
		t.Fatalf("the readers of now are said to be %+v", conflict.Desk.Readers)
	}
	w.ask("", "POST", "/api/v1/reports", d.post(conflict.Desk, Answers{What: "x"}), nil, 201)
	if len(w.inbox("anna")) != 1 {
		t.Error("the report sealed anew did not arrive")
	}
}

// TestReportOnce: a post that is sent again, since its answer was lost, makes no second report.
func TestReportOnce(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	v, d := w.view("confidential-adviser"), newDevice(w)
	p := d.post(v, Answers{What: "x"}, "file")
	p.Once = "once-and-only-once-01"
	for range 3 {
		w.ask("", "POST", "/api/v1/reports", p, nil, 201)
	}
	said := ReportSaid{Proof: d.proof, Box: d.box(v, false, PurposeMessage, "y"), Once: "once-and-only-once-02"}
	for range 3 {
		w.ask("", "POST", "/api/v1/reports/thread/message", said, nil, 200)
	}
	if all := w.inbox("anna"); len(all) != 1 || len(all[0].Messages) != 1 || len(all[0].Files) != 1 {
		t.Errorf("inbox %+v", all)
	}
	p.Once = ""
	if out := w.send("", "POST", "/api/v1/reports", p); out.Code != 409 {
		t.Errorf("a second report under one receipt: %d", out.Code)
	}
}

// TestReportTeam: a reporter may let the response team read too, and both desks' people read and answer.
func TestReportTeam(t *testing.T) {
	w := newDeskWorld(t)
	w.desk("tess", DeskSettings{Name: "Response team", Kind: DeskTeam}, "tess")
	w.desk("carla", DeskSettings{Name: "Adviser", Listed: true, Team: "response-team"}, "anna", "bram")
	v, d := w.view("adviser"), newDevice(w)
	if v.Team == nil || v.Team.Organisation != "National response team" || len(v.Team.Readers) != 1 {
		t.Fatalf("the desk offers %+v", v.Team)
	}
	text, _ := json.Marshal(Answers{What: "Malware"})
	box := d.box(v, true, PurposeReport, string(text))
	w.ask("", "POST", "/api/v1/reports", ReportPost{Box: &box, To: "adviser", Also: "team", Thread: &ReportThread{d.proof, d.key.Public()}}, nil, 201)
	d2 := newDevice(w)
	d2.report(v, "Not for the team")
	w.ask("", "POST", "/api/v1/reports", ReportPost{To: "adviser", Also: "team", Answers: &Answers{What: "Plain"}}, nil, 201)
	if a, h := w.inbox("anna"), w.inbox("tess"); len(a) != 3 || len(h) != 2 {
		t.Fatalf("Anna reads %d, the team %d; want 3 and 2", len(a), len(h))
	}
	for _, r := range w.inbox("tess") {
		if deskAnswers(t, r.Box, w.keys["tess"]).What == "" || r.Also != "team" {
			t.Errorf("the team reads %+v", r)
		}
	}
	for _, r := range w.inbox("anna") {
		if deskAnswers(t, r.Box, w.keys["anna"]).What == "Malware" {
			w.answer("tess", r.ID, "We look at it")
		}
	}
	th := d.thread()
	if th.Also != "team" || th.Desk.Team == nil || deskText(t, th.Messages[0].Box, PurposeMessage, d.key) != "We look at it" {
		t.Errorf("thread %+v", th)
	}
	if other := d2.thread(); other.Also != "" || other.Desk.Team != nil {
		t.Error("a reporter who kept the team out is told that it reads")
	}
}

// TestReportRewrap: who comes later reads an open report when a reader has given the keys.
func TestReportRewrap(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	d := newDevice(w)
	d.report(w.view("confidential-adviser"), "Before Dirk", "a file")
	id := w.inbox("anna")[0].ID
	w.answer("anna", id, "Yes")
	key := w.key("dirk")
	_, err := w.AddReader(t.Context(), deskPeople["carla"], "confidential-adviser", DeskReaderPost{Person: "p-dirk"})
	deskMust(t, err)
	if len(w.view("confidential-adviser").Readers) != 2 || len(w.inbox("dirk")) != 0 {
		t.Fatal("a reader that nobody confirmed reads")
	}
	_, err = w.ConfirmReader(t.Context(), deskPeople["bram"], "confidential-adviser", key.ID())
	deskMust(t, err)
	v, err := w.Report(t.Context(), deskPeople["anna"], id)
	deskMust(t, err)
	if len(v.Missing) != 1 || v.Missing[0].Key != key.ID() {
		t.Fatalf("missing: %+v", v.Missing)
	}
	in := ReportWraps{Messages: map[string][]seal.Wrap{}, Files: map[string][]seal.Wrap{}}
	wrap := func(b seal.Box, purpose string) []seal.Wrap {
		wraps, err := b.For(nil, purpose, w.keys["anna"], key)
		deskMust(t, err)
		return wraps
	}
	in.Report = wrap(v.Box, PurposeReport)
	for _, m := range v.Messages {
		in.Messages[m.ID] = wrap(m.Box, PurposeMessage)
	}
	for _, f := range v.Files {
		r, _, err := w.ReportFile(t.Context(), deskPeople["anna"], id, f.ID)
		deskMust(t, err)
		var b seal.Box
		deskMust(t, json.Unmarshal([]byte(deskRead(t, r)), &b))
		in.Files[f.ID] = wrap(b, PurposeFile)
	}
	var after ReportView
	w.ask("anna", "POST", "/api/v1/reports/inbox/"+id+"/wraps", in, &after, 200)
	if len(after.Missing) != 0 {
		t.Errorf("still missing: %+v", after.Missing)
	}
	w.ask("anna", "POST", "/api/v1/reports/inbox/"+id+"/wraps", in, nil, 200) // again: passed over
	mine, err := w.Report(t.Context(), deskPeople["dirk"], id)
	deskMust(t, err)
	if deskAnswers(t, mine.Box, w.keys["dirk"]).What != "Before Dirk" || deskText(t, mine.Messages[0].Box, PurposeMessage, w.keys["dirk"]) != "Yes" {
		t.Error("Dirk reads something else")
	}
	stranger, err := v.Box.For(nil, PurposeReport, w.keys["anna"], d.key.Public())
	deskMust(t, err)
	stranger = append(stranger, seal.Wrap{To: "00000000000000000000000000000000", Enc: make([]byte, 32), Key: make([]byte, 48)})
	if out := w.send("anna", "POST", "/api/v1/reports/inbox/"+id+"/wraps", ReportWraps{Report: stranger}); out.Code != 409 {
		t.Errorf("a wrap for who does not read: %d", out.Code)
	}
}
