package cases

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// reportEntry is the page where one comes back with six words. The words travel in the body of a POST, or not at all.
type reportEntry struct {
	Wrong string // why nothing was opened
	Salt  string
	words web.Words
}

// reportTalkSays are the keys of what the script of a conversation says.
var reportTalkSays = []string{
	"thread.busy", "thread.wrong", "thread.limited", "thread.offline", "thread.shown", "thread.state.new", "thread.state.acknowledged",
	"thread.state.in-case", "thread.state.closed", "thread.none", "thread.from.desk", "thread.from.reporter", "thread.unopened", "thread.own",
	"thread.reply", "thread.reply.help", "thread.reply.empty", "thread.reply.sent", "thread.send", "thread.done", "thread.readers", "thread.ends", "error.long",
	"fault.title", "fault.network", "fault.text", "fault.busy", "fault.keys", "fault.again", "send.busy", "before.fingerprint", "date",
}

// Says are the texts of the script.
func (e reportEntry) Says() []reportSay { return reportSays(e.words, reportTalkSays) }

// Months are the names of the months, for the script.
func (e reportEntry) Months() string { return reportMonths(e.words) }

// reportTalkPage is a conversation that the service opened for a browser without script, for this one answer.
type reportTalkPage struct {
	State, Note, Empty string
	Ends               string
	Lines              []reportTalkLine
	Quiet              bool // nobody has answered yet
	Words, Once, Said  string
	Readers            []Reader
}

// reportTalkLine is one message, or what was reported.
type reportTalkLine struct{ From, Who, Stamp, Date, Text, Sealed string }

func (p *Pages) reportEnter(w http.ResponseWriter, r *http.Request) { p.reportAsk(w, r, "", 0) }

// reportAsk asks for the words, and says why others opened nothing.
func (p *Pages) reportAsk(w http.ResponseWriter, r *http.Request, wrong string, status int) {
	words := p.reporter.leaflet.Words(r)
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "thread", Title: words.T("thread.title"), Lede: words.T("thread.lede"), Scripts: []string{"report_thread.js"},
		Status: status, Stays: r.Method == http.MethodPost, Data: reportEntry{wrong, base64.StdEncoding.EncodeToString(p.ReceiptSalt()), words}})
}

// reportOpen shows a conversation to who has its words. Whatever is wrong with them is answered alike.
func (p *Pages) reportOpen(w http.ResponseWriter, r *http.Request) {
	form, err := web.Form(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	given := form.Get("words")
	plain, err := p.ThreadPlain(r.Context(), web.From(r), given)
	if err != nil {
		p.reportShut(w, r, err)
		return
	}
	p.reportTalk(w, r, p.newReportTalk(r, plain, given), 0)
}

// reportShut is the answer where words opened nothing.
func (p *Pages) reportShut(w http.ResponseWriter, r *http.Request, err error) {
	words := p.reporter.leaflet.Words(r)
	switch polder.KindOf(err) {
	case polder.NotFound:
		p.reportAsk(w, r, words.T("thread.wrong"), http.StatusNotFound)
	case polder.Limited, polder.Unavailable:
		p.reportAsk(w, r, words.T("thread.limited"), web.Status(err))
	default:
		web.Problem(w, r, err)
	}
}

// reportSay takes what somebody writes back, sealed before anything is answered.
func (p *Pages) reportSay(w http.ResponseWriter, r *http.Request) {
	form, err := web.Form(r)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	words := p.reporter.leaflet.Words(r)
	given, once := form.Get("words"), form.Get("once")
	text := strings.TrimSpace(strings.ToValidUTF8(form.Get("say"), "\uFFFD"))
	over := len(text) - reportLongWhat
	if text == "" || over > 0 {
		plain, err := p.ThreadPlain(r.Context(), web.From(r), given)
		if err != nil {
			p.reportShut(w, r, err)
			return
		}
		t := p.newReportTalk(r, plain, given)
		t.Said, t.Empty = text, words.T("thread.reply.empty")
		if over > 0 {
			t.Empty = words.T("error.long", "n", over)
		}
		p.reportTalk(w, r, t, http.StatusUnprocessableEntity)
		return
	}
	plain, err := p.SayPlain(r.Context(), web.From(r), given, text, once)
	if err != nil {
		p.reportShut(w, r, err)
		return
	}
	t := p.newReportTalk(r, plain, given)
	t.Note = words.T("thread.reply.sent")
	p.reportTalk(w, r, t, 0)
}

func (p *Pages) reportTalk(w http.ResponseWriter, r *http.Request, t reportTalkPage, status int) {
	words := p.reporter.leaflet.Words(r)
	p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "talk", Title: words.T("thread.shown"), Stays: true, Status: status, Data: t})
}

func (p *Pages) newReportTalk(r *http.Request, plain ReportPlain, given string) reportTalkPage {
	words := p.reporter.leaflet.Words(r)
	t := reportTalkPage{State: words.T("thread.state." + string(plain.State)), Quiet: true, Words: given, Once: reportPageOnce(), Readers: plain.Desk.Readers,
		Ends: words.T("thread.ends", "date", reportPageDate(words, plain.Ends))}
	if plain.Also != "" && plain.Desk.Team != nil {
		t.Readers = append(t.Readers[:len(t.Readers):len(t.Readers)], plain.Desk.Team.Readers...)
	}
	line := func(from string, at time.Time, text, sealed string) {
		t.Lines = append(t.Lines, reportTalkLine{from, words.T("thread.from." + from), at.UTC().Format(time.RFC3339), reportPageDate(words, at), text, sealed})
	}
	said := ""
	if plain.Answers != nil {
		said = plain.Answers.What
	}
	line("reporter", plain.Received, said, words.T("thread.own"))
	for _, m := range plain.Messages {
		from, sealed := "reporter", words.T("thread.own")
		if m.From == "desk" {
			from, sealed, t.Quiet = "desk", words.T("thread.unopened"), false
		}
		line(from, m.At, plain.Texts[m.ID], sealed)
	}
	return t
}
