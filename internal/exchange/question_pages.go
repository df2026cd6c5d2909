package exchange

import (
	"net/http"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

func (p *Pages) questionRoutes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h handler) web.Route {
		return web.Route{Method: method, Pattern: pattern, Need: need, Exit: "exchange." + exit, Handler: h.serve}
	}
	return []web.Route{
		route("GET", "/questions", "questions", web.Reader, p.questionsPage),
		route("POST", "/questions", "questions", web.Contributor, p.askQuestion),
		route("GET", "/questions/{community}/{id}", "question", web.Reader, p.questionPage),
		route("POST", "/questions/{community}/{id}/note", "question.note", web.Contributor, p.answerQuestion),
		route("POST", "/questions/{community}/{id}/opinion", "question.opinion", web.Contributor, p.judgeQuestion),
		route("POST", "/questions/{community}/{id}/close", "question.close", web.Contributor, p.closeQuestion),
	}
}

func stateTag(words web.Words, s QuestionState) tag {
	t := map[QuestionState]tag{Open: {Class: "info", Icon: "question"}, Answered: {Class: "ok", Icon: "check"}, Closed: {Icon: "lock"}, Expired: {Class: "warn", Icon: "clock"}}[s]
	t.Text = words.T("exchange.question.state." + string(s))
	return t
}

func (p *Pages) questionsPage(w http.ResponseWriter, r *http.Request) error {
	return p.showQuestions(w, r, Ask{Level: stix.Amber}, nil)
}

func (p *Pages) showQuestions(w http.ResponseWriter, r *http.Request, asked Ask, failed error) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	words := rd.words
	all, err := p.Questions(rd.ctx, rd.by, "", 100)
	if err != nil {
		return err
	}
	list := writeList{Empty: web.Empty{Icon: "question", Title: words.T("exchange.questions.none"), Text: words.T("exchange.questions.none-text")}}
	highest := stix.None
	for _, q := range all {
		m, _ := rd.place(string(q.Delivery.Community))
		list.Rows = append(list.Rows, writeRow{Title: q.Question, Href: address("questions", m.Alias, q.Delivery.ID), Sub: m.Name, TLP: q.Delivery.Level, At: q.Delivery.Seq.Time(), State: stateTag(words, q.State)})
		highest = max(highest, q.Delivery.Level)
	}
	v := pageView{Alerts: refusal(words, failed)}
	v.add(block(words.T("exchange.questions"), "", "write-list", list))
	if rd.right() >= polder.RoleContributor {
		level, err := p.levelField(rd, asked.Level.String())
		if err != nil {
			return err
		}
		f := writeForm{Action: "/questions", Submit: words.T("exchange.question.ask"), Primary: true, Fields: []web.Field{
			{Name: "question", Label: words.T("exchange.question"), Help: words.T("exchange.question.help"), Value: asked.Question, Required: true, Max: 300},
			{Name: "text", Label: words.T("exchange.question.text"), Value: asked.Text, Rows: 5, Max: maxBox},
			{Name: "about", Label: words.T("exchange.draft.about"), Help: words.T("exchange.draft.about-help"), Value: strings.Join(asked.About, "\n"), Rows: 2},
			rd.placeField(asked.Community), level, rd.toField(asked.To), rd.namedField(asked.Named),
		}}
		if failed != nil {
			f.Fields = append(f.Fields, rd.confirmField(), overrideField(words, asked.Override))
		}
		v.add(aside(words.T("exchange.question.ask"), "", "write-form", f))
	}
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.questions"), Lede: words.T("exchange.questions.lede"), TLP: highest, Data: v, Status: statusOf(failed)})
	return nil
}

func (p *Pages) askQuestion(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ask := Ask{Community: values.Get("community"), Question: values.Get("question"), Text: values.Get("text"), About: strings.Fields(values.Get("about")), To: orgsOf(values["to"]),
		Named: values.Get("named") == "yes", Confirmed: values.Get("confirm") == "yes", Override: values.Get("override")}
	ask.Level, err = levelOf(values.Get("tlp"))
	if err == nil {
		var res Result
		res, err = p.Ask(r.Context(), web.ActorOf(r), ask)
		err = outcome(res, err)
	}
	if mendable(err) || polder.KindOf(err) == polder.NotFound && err != nil {
		return p.showQuestions(w, r, ask, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, "/questions", "exchange.question.asked")
}

func (p *Pages) questionPage(w http.ResponseWriter, r *http.Request) error {
	return p.showQuestion(w, r, nil)
}

func (p *Pages) showQuestion(w http.ResponseWriter, r *http.Request, failed error) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	q, err := p.Question(rd.ctx, rd.by, r.PathValue("community"), r.PathValue("id"))
	if err != nil {
		return err
	}
	words, d := rd.words, q.Delivery
	m, _ := rd.place(string(d.Community))
	sh, err := p.sheet(rd, d.ID, string(d.Community))
	if err != nil {
		return err
	}
	v := pageView{Alerts: refusal(words, failed)}
	if q.Text != "" {
		v.add(block(words.T("exchange.question.text"), "", "prose", q.Text))
	}
	v.add(p.answers(sh)...)
	if len(q.Answers) == 0 {
		v.add(block(words.T("exchange.question.answers"), "", "write-list", writeList{Empty: web.Empty{Icon: "question", Title: words.T("exchange.question.no-answers"), Text: words.T("exchange.question.no-answers-text")}}))
	}
	open := q.State == Open || q.State == Answered
	if open && m.Right(rd.by) >= polder.RoleContributor {
		p.addAnswerForms(rd, &v, q, address("questions", m.Alias, d.ID), failed != nil)
	}
	v.add(aside(words.T("exchange.may"), "", "notes", mayDo(words, d.Level)))
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: q.Question, TLP: max(d.Level, highest(sh.refers)), Data: v, Status: statusOf(failed),
		Crumbs: []web.Link{{Text: words.T("exchange.questions"), Href: "/questions"}},
		Facts: []web.Pair{{Term: words.T("exchange.question.state"), Text: words.T("exchange.question.state." + string(q.State))}, {Term: words.T("exchange.marking"), TLP: d.Level},
			{Term: words.T("exchange.created-by"), Text: sh.now.By}, {Term: words.T("exchange.community"), Text: m.Name}, {Term: words.T("exchange.question.until"), Text: words.Date(q.Until)}}})
	return nil
}

func (p *Pages) addAnswerForms(rd *reader, v *pageView, q Question, at string, again bool) {
	words := rd.words
	note := writeForm{Action: at + "/note", Submit: words.T("exchange.question.answer"), Primary: true, Note: words.T("exchange.question.answer-note"),
		Fields: []web.Field{{Name: "text", Label: words.T("exchange.question.answer-text"), Rows: 5, Required: true, Max: maxBox}, rd.namedField(false)}}
	if again {
		note.Fields = append(note.Fields, rd.confirmField(), overrideField(words, ""))
	}
	opinion := web.Field{Name: "opinion", Label: words.T("exchange.question.opinion")}
	for _, value := range Opinions {
		opinion.Options = append(opinion.Options, web.Option{Value: value, Label: words.T("exchange.opinion." + value), Chosen: value == "neutral"})
	}
	v.add(block(words.T("exchange.question.answer"), "", "write-form", note),
		aside(words.T("exchange.question.opinion"), "", "write-form", writeForm{Action: at + "/opinion", Submit: words.T("exchange.question.judge"), Fields: []web.Field{opinion}}))
	if q.Mine {
		v.add(aside(words.T("exchange.question.close"), "", "write-form", writeForm{Action: at + "/close", Submit: words.T("exchange.question.close"), Note: words.T("exchange.question.close-note")}))
	}
}

// answered goes back to the question, which says what could not be done.
func (p *Pages) answered(w http.ResponseWriter, r *http.Request, res Result, err error) error {
	err = outcome(res, err)
	if mendable(err) {
		return p.showQuestion(w, r, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, address("questions", r.PathValue("community"), r.PathValue("id")), "exchange.question.done")
}

func (p *Pages) answerQuestion(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	about := About{ID: r.PathValue("id"), Community: r.PathValue("community"), Named: values.Get("named") == "yes", Confirmed: values.Get("confirm") == "yes", Override: values.Get("override")}
	res, err := p.MakeNote(r.Context(), web.ActorOf(r), Note{About: about, Text: values.Get("text")})
	return p.answered(w, r, res, err)
}

func (p *Pages) judgeQuestion(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	res, err := p.MakeOpinion(r.Context(), web.ActorOf(r), Opinion{About: About{ID: r.PathValue("id"), Community: r.PathValue("community")}, Value: values.Get("opinion")})
	return p.answered(w, r, res, err)
}

func (p *Pages) closeQuestion(w http.ResponseWriter, r *http.Request) error {
	res, err := p.CloseQuestion(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"))
	return p.answered(w, r, res, err)
}
