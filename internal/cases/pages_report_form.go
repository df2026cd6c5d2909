package cases

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/web"
)

// reportValues are what somebody has filled in, as it stands in the form.
type reportValues struct {
	What, When, Day, On, Call, Who, Kind, Name, Danger string
	Roads                                              []string
	More                                               map[string]string
	Strip, Named                                       bool
}

// reportFormFault is an answer that must be changed.
type reportFormFault struct{ Field, Short, Text string }

// reportFieldError is the error of one field, for its template; without a text there is none.
type reportFieldError struct{ Name, Text string }

// reportChoice is one answer to choose.
type reportChoice struct {
	Value, Label, Help string
	Chosen             bool
}

// reportMore is a question that is asked later or never.
type reportMore struct{ Name, Label, Help, Value string }

// reportSay is a text that a script of the page says.
type reportSay struct{ Key, Text string }

// reportForm is the form of a desk: the six questions, or the three for somebody who is pressed.
type reportForm struct {
	Desk   DeskView
	Once   string
	Others bool // there may be other desks to choose
	Values reportValues
	Errors []reportFormFault
	Fault  string // why it was not sent, where no answer is to blame

	words web.Words
	today time.Time
	where string // address of the page where one comes back
	code  int
}

// The questions that may be asked later, by their names in [Answers].More.
var reportLater = []string{"systems", "know_how", "people", "organisation", "told"}

// The longest answers, in bytes.
const (
	reportLongWhat = 20_000
	reportLongLine = 200
	reportLongMore = 2_000
	reportLongCall = 1_000
)

func (p *Pages) newReportForm(r *http.Request, desk DeskView, others bool) reportForm {
	words := p.reporter.leaflet.Words(r)
	if desk.Kind == DeskPressed {
		desk.Team = nil // nobody but the desk reads what somebody says who is pressed
	}
	return reportForm{Desk: desk, Once: reportPageOnce(), Others: others, words: words, today: words.Local(p.o.Now()), where: r.Host + "/report/thread",
		Values: reportValues{On: "unknown", Who: "desk", Danger: "unknown", Strip: true, More: map[string]string{}}}
}

// take fills in what was sent. What is not one of the choices is as not chosen.
func (f *reportForm) take(in url.Values) {
	one := func(name string, of ...string) string {
		if v := in.Get(name); slices.Contains(of, v) {
			return v
		}
		return ""
	}
	line := func(name string) string { return strings.TrimSpace(strings.ToValidUTF8(in.Get(name), "\uFFFD")) }
	v := &f.Values
	v.What, v.When, v.Call, v.Name = line("what"), line("when"), line("call"), line("name")
	v.Day = one("day", "today", "yesterday", "week")
	v.On, v.Danger = one("on", "yes", "no", "unknown"), one("danger", "self", "yes", "no", "unknown")
	v.Who = cmp.Or(one("who", f.mayKnow()...), "desk")
	v.Kind = one("kind", string(KindIncident), string(KindNearMiss), string(KindApproach), string(KindSuspicion))
	v.Named, v.Strip = in.Get("named") == "yes", in.Get("strip") == "yes"
	for _, road := range mailRoads {
		if slices.Contains(in["road"], string(road)) {
			v.Roads = append(v.Roads, string(road))
		}
	}
	for _, name := range reportLater {
		v.More[name] = line(name)
	}
	if once := in.Get("once"); len(once) >= 20 && len(once) <= 64 {
		f.Once = once
	}
}

// mayKnow are the answers to the sixth question that this desk can follow.
func (f *reportForm) mayKnow() []string {
	if f.Desk.Team != nil && len(f.Desk.Team.Readers) > 0 {
		return []string{"desk", "team", "members", "police"}
	}
	return []string{"desk", "members", "police"}
}

// answers is what was said, and Errors what must be changed first.
func (f *reportForm) answers(files reportUpload) Answers {
	v := f.Values
	a := Answers{What: v.What, Ongoing: v.On, Call: v.Call, MayKnow: v.Who, Kind: Kind(v.Kind), Language: f.words.Lang()}
	for _, road := range v.Roads {
		a.Roads = append(a.Roads, Road(road))
	}
	for name, text := range v.More {
		if text != "" {
			if a.More == nil {
				a.More = map[string]string{}
			}
			a.More[name] = text
		}
	}
	f.need("what", v.What != "", "error.what")
	f.fits("what", "q1", v.What, reportLongWhat)
	a.Noticed = f.noticed()
	f.fits("call", "q5", v.Call, reportLongLine)
	if v.Named {
		a.Name = v.Name
		f.need("name", v.Name != "", "error.name")
		f.fits("name", "name.title", v.Name, reportLongLine)
	}
	for _, m := range f.More() {
		f.fits("more-"+m.Name, strings.ReplaceAll("more."+m.Name, "_", "-"), m.Value, reportLongMore)
	}
	f.weigh(files)
	return a
}

// fault notes that a field must be changed: short is the key of the line above the form, text of that above the field.
func (f *reportForm) fault(field, short, text string, pairs ...any) {
	f.Errors = append(f.Errors, reportFormFault{field, f.words.T(short, pairs...), f.words.T(text, pairs...)})
}

func (f *reportForm) need(field string, there bool, key string) {
	if !there {
		f.fault(field, key+".short", key)
	}
}

func (f *reportForm) fits(field, question, text string, most int) {
	if n := len(text) - most; n > 0 {
		f.fault(field, "error.long.short", "error.long", "n", n, "question", f.words.T(question))
	}
}

// noticed is the answer to the second question: own words where there are any, else the day that was chosen as a date
// that everybody reads alike. A date that has not come yet is an error that says what was probably meant.
func (f *reportForm) noticed() string {
	if own := f.Values.When; own != "" {
		if wrote, meant, ahead := reportAhead(own, reportMonths(f.words), f.today); ahead {
			f.fault("when", "error.future.short", "error.future", "wrote", reportPageDate(f.words, wrote), "meant", reportPageDate(f.words, meant))
		}
		f.fits("when", "q2", own, reportLongLine)
		return own
	}
	return reportQuickDay(f.Values.Day, f.today)
}

// weigh holds the files to their bounds.
func (f *reportForm) weigh(files reportUpload) {
	switch {
	case files.count > reportMostFiles:
		f.fault("files", "error.files.short", "error.files.many", "n", files.count)
	case files.large:
		f.fault("files", "error.files.short", "error.files.large")
	case files.unclean != "":
		f.fault("files", "error.strip.short", "error.strip", "file", files.unclean)
	case files.count > 0 && len(f.Errors) > 0:
		f.fault("files", "error.files.again", "error.files.again")
	}
}

func (f reportForm) status() int {
	if f.code == 0 && len(f.Errors) > 0 {
		return http.StatusUnprocessableEntity
	}
	return f.code
}

// Has tells whether the answer of a field must be changed.
func (f reportForm) Has(field string) bool { return f.Error(field).Text != "" }

// Error is what is wrong with the answer of a field.
func (f reportForm) Error(field string) reportFieldError {
	for _, e := range f.Errors {
		if e.Field == field {
			return reportFieldError{field, e.Text}
		}
	}
	return reportFieldError{field, ""}
}

// Action is where the form goes.
func (f reportForm) Action() string { return web.InLanguage(reportPagePath(f.Desk), f.words.Lang()) }

// ReadersPath is the page of who can read.
func (f reportForm) ReadersPath() string { return "/report/d/" + f.Desk.Alias + "/readers" }

// Example is a date to follow in the second question.
func (f reportForm) Example() string {
	return fmt.Sprintf("%d %d %d", f.today.Day(), f.today.Month(), f.today.Year())
}

// View is the desk as the API gives it, for scripts: the page asks for nothing more before it sends.
func (f reportForm) View() (string, error) {
	text, err := json.Marshal(f.Desk)
	return string(text), err
}

// Months are the names of the months, for scripts.
func (f reportForm) Months() string { return reportMonths(f.words) }

// Sent is what is shown once the report has arrived.
func (f reportForm) Sent() reportSentView { return reportSentView{Where: f.where, Desk: f.Desk} }

// MoreOpen tells whether something was filled in, or is wrong, among what may be asked later.
func (f reportForm) MoreOpen() bool {
	for _, m := range f.More() {
		if m.Value != "" {
			return true
		}
	}
	return f.Values.Kind != ""
}

// choices are the answers to choose of a question; the text of one is under prefix and its value.
func (f reportForm) choices(prefix string, chosen []string, values ...string) []reportChoice {
	var all []reportChoice
	for _, v := range values {
		c := reportChoice{Value: v, Label: f.words.T(prefix + v), Chosen: slices.Contains(chosen, v)}
		if f.words.Has(prefix + v + ".help") {
			c.Help = f.words.T(prefix + v + ".help")
		}
		all = append(all, c)
	}
	return all
}

// Days are the quick answers to when.
func (f reportForm) Days() []reportChoice {
	return f.choices("q2.", []string{f.Values.Day}, "today", "yesterday", "week")
}

// Roads are the five, and that one does not know.
func (f reportForm) Roads() []reportChoice {
	var values []string
	for _, r := range mailRoads {
		values = append(values, string(r))
	}
	return f.choices("road.", f.Values.Roads, values...)
}

// Ongoing are the answers to whether it goes on.
func (f reportForm) Ongoing() []reportChoice {
	return f.choices("q4.", []string{f.Values.On}, "yes", "no", "unknown")
}

// Danger are the answers to whether anybody is in danger.
func (f reportForm) Danger() []reportChoice {
	return f.choices("pressed.q2.", []string{f.Values.Danger}, "self", "yes", "no", "unknown")
}

// Kinds are what it may be.
func (f reportForm) Kinds() []reportChoice {
	all := f.choices("kind.", []string{f.Values.Kind}, "incident", "near-miss", "approach", "suspicion")
	return append([]reportChoice{{Label: f.words.T("kind.none"), Chosen: f.Values.Kind == ""}}, all...)
}

// MayKnow are the answers to who may know, each with who that is.
func (f reportForm) MayKnow() []reportChoice {
	all := f.choices("q6.", []string{f.Values.Who}, f.mayKnow()...)
	for i := range all {
		switch c := &all[i]; c.Value {
		case "desk":
			c.Label = f.words.T("q6.desk", "desk", f.Desk.Name)
			c.Help = f.words.T("q6.readers", "n", len(f.Desk.Readers))
			if len(f.Desk.Readers) == 0 {
				c.Help = f.words.T("q6.readers.none")
			}
		case "team":
			c.Help = f.words.T("q6.team.help", "team", f.Desk.Team.Name)
		}
	}
	return all
}

// More are the questions that may be asked later.
func (f reportForm) More() []reportMore {
	var all []reportMore
	for _, name := range reportLater {
		key := "more." + strings.ReplaceAll(name, "_", "-")
		m := reportMore{Name: name, Label: f.words.T(key), Value: f.Values.More[name]}
		if f.words.Has(key + ".help") {
			m.Help = f.words.T(key + ".help")
		}
		all = append(all, m)
	}
	return all
}

// reportFormSays are the keys of what the scripts of a form say.
var reportFormSays = []string{
	"error.title.one", "error.title.other", "error.what", "error.what.short", "error.asked", "error.asked.short", "error.long", "error.long.short",
	"error.future", "error.future.short", "error.name", "error.name.short", "error.files.many", "error.files.large", "error.files.short", "error.strip",
	"error.strip.short", "fault.text", "fault.network", "fault.busy", "fault.keys", "fault.again", "fault.large", "send.busy", "sent.title", "sent.lede",
	"sent.copied", "sent.wait", "sent.named", "draft.kept", "draft.deleted", "before.readers.one", "before.readers.other", "date",
}

// Says are the texts of the scripts.
func (f reportForm) Says() []reportSay { return reportSays(f.words, reportFormSays) }

func reportSays(words web.Words, keys []string) []reportSay {
	var all []reportSay
	for _, key := range keys {
		all = append(all, reportSay{key, words.T(key)})
	}
	return all
}
