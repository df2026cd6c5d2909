package exchange

import (
	"context"
	"net/http"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

func (p *Pages) notifyRoutes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h handler) web.Route {
		return web.Route{Method: method, Pattern: pattern, Need: need, Exit: "exchange." + exit, Handler: h.serve}
	}
	return []web.Route{
		route("GET", "/account/notifications", "notifications", web.LoggedIn, p.rulesPage),
		route("POST", "/account/notifications", "notifications", web.LoggedIn, p.addRule),
		route("POST", "/account/notifications/{id}/delete", "notification", web.LoggedIn, p.onRule("exchange.rule.deleted", (*Notifier).DeleteRule)),
		route("POST", "/account/notifications/{id}/on", "notification", web.LoggedIn, p.onRule("exchange.rule.switched", switchTo(true))),
		route("POST", "/account/notifications/{id}/off", "notification", web.LoggedIn, p.onRule("exchange.rule.switched", switchTo(false))),
		route("POST", "/account/notifications/{id}/test", "notification", web.LoggedIn, p.onRule("exchange.rule.tested", (*Notifier).TestRule)),
		route("GET", "/off/{token}", "notification.off", web.Public, p.offPage),
		route("POST", "/off/{token}", "notification.off", web.Public, p.off),
		route("GET", "/notified/{seq}", "notified", web.Reader, p.notified),
	}
}

// errNoNotices is what a node without mail and webhooks says.
var errNoNotices = polder.Errorf(polder.NotFound, "this node sends no notifications")

var rhythms = []string{"now", "hourly", "daily"}

func (p *Pages) rulesPage(w http.ResponseWriter, r *http.Request) error {
	return p.showRules(w, r, Rule{Kind: RuleKeyword, Channel: notify.ByMail}, Rule{}, nil)
}

// showRules is the page of a person's rules; added is one that was just made, whose secret is shown once.
func (p *Pages) showRules(w http.ResponseWriter, r *http.Request, next, added Rule, failed error) error {
	if p.notifier == nil {
		return errNoNotices
	}
	words := web.WordsOf(r)
	rules, err := p.notifier.Rules(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	list := writeList{Empty: web.Empty{Icon: "bell", Title: words.T("exchange.rules.none"), Text: words.T("exchange.rules.none-text")}}
	for _, u := range rules {
		list.Rows = append(list.Rows, ruleRow(words, u))
	}
	v := pageView{Alerts: refusal(words, failed)}
	if added.Channel == notify.ByWebhook {
		v.add(block(words.T("exchange.rule.secret"), "", "facts", []web.Pair{{Term: words.T("exchange.rule.secret-text"), Text: string(added.Secret), Code: true}}))
	}
	v.add(block(words.T("exchange.rules"), "", "write-list", list), aside(words.T("exchange.rule.add"), "", "write-form", p.ruleForm(words, next)))
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.rules"), Lede: words.T("exchange.rules.lede"), Data: v, Status: statusOf(failed)})
	return nil
}

func ruleRow(words web.Words, u Rule) writeRow {
	at := address("account", "notifications", u.ID)
	title := words.T("exchange.rule.kind." + string(u.Kind))
	if u.Value != "" {
		title += ": " + u.Value
	}
	row := writeRow{Title: title, Href: "/account/notifications", Sub: words.T("exchange.rule.channel."+string(u.Channel)) + " · " + words.T("exchange.rule.digest."+rhythms[u.Digest]), At: u.Created,
		State: tag{Class: "ok", Icon: "check", Text: words.T("exchange.rule.on")}, Buttons: []writeButton{{at + "/test", words.T("exchange.rule.test")}, {at + "/off", words.T("exchange.rule.turn-off")}}}
	if !u.Enabled {
		row.State = tag{Icon: "cross", Text: words.T("exchange.rule.off")}
		row.Buttons = []writeButton{{at + "/on", words.T("exchange.rule.turn-on")}}
	}
	row.Buttons = append(row.Buttons, writeButton{at + "/delete", words.T("exchange.rule.delete")})
	return row
}

func (p *Pages) ruleForm(words web.Words, next Rule) writeForm {
	kind := web.Field{Name: "kind", Label: words.T("exchange.rule.kind")}
	for _, k := range RuleKinds {
		kind.Options = append(kind.Options, web.Option{Value: string(k), Label: words.T("exchange.rule.kind." + string(k)), Chosen: k == next.Kind})
	}
	channel := web.Field{Name: "channel", Label: words.T("exchange.rule.channel")}
	for _, c := range []notify.Channel{notify.ByMail, notify.ByWebhook} {
		channel.Options = append(channel.Options, web.Option{Value: string(c), Label: words.T("exchange.rule.channel." + string(c)), Chosen: c == next.Channel, Closed: p.notifier.o.Senders[c] == nil})
	}
	digest := web.Field{Name: "digest", Label: words.T("exchange.rule.digest")}
	for i, d := range rhythms {
		digest.Options = append(digest.Options, web.Option{Value: d, Label: words.T("exchange.rule.digest." + d), Chosen: notify.Rhythm(i) == next.Digest})
	}
	return writeForm{Action: "/account/notifications", Submit: words.T("exchange.rule.add"), Primary: true, Note: words.T("exchange.rule.note"), Fields: []web.Field{kind,
		{Name: "value", Label: words.T("exchange.rule.value"), Help: words.T("exchange.rule.value-help"), Value: next.Value, Max: 200},
		channel, {Name: "target", Label: words.T("exchange.rule.target"), Help: words.T("exchange.rule.target-help"), Value: next.Target, Max: 1000}, digest}}
}

func (p *Pages) addRule(w http.ResponseWriter, r *http.Request) error {
	if p.notifier == nil {
		return errNoNotices
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	next := Rule{Kind: RuleKind(values.Get("kind")), Value: values.Get("value"), Channel: notify.Channel(values.Get("channel")), Target: values.Get("target")}
	for i, d := range rhythms {
		if d == values.Get("digest") {
			next.Digest = notify.Rhythm(i)
		}
	}
	added, err := p.notifier.AddRule(r.Context(), web.ActorOf(r), next)
	switch {
	case mendable(err):
		return p.showRules(w, r, next, Rule{}, err)
	case err != nil:
		return err
	case added.Channel == notify.ByWebhook:
		return p.showRules(w, r, Rule{Kind: RuleKeyword, Channel: notify.ByMail}, added, nil)
	}
	return p.done(w, r, "/account/notifications", "exchange.rule.added")
}

// onRule does something with a rule of the person that asks, and says so.
func (p *Pages) onRule(said string, do func(*Notifier, context.Context, polder.Actor, string) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if p.notifier == nil {
			return errNoNotices
		}
		err := do(p.notifier, r.Context(), web.ActorOf(r), r.PathValue("id"))
		if mendable(err) {
			return p.showRules(w, r, Rule{Kind: RuleKeyword, Channel: notify.ByMail}, Rule{}, err)
		}
		if err != nil {
			return err
		}
		return p.done(w, r, "/account/notifications", said)
	}
}

func switchTo(on bool) func(*Notifier, context.Context, polder.Actor, string) error {
	return func(n *Notifier, ctx context.Context, a polder.Actor, id string) error {
		return n.SwitchRule(ctx, a, id, on)
	}
}

// offPage asks before it turns anything off: programs that read mail follow links by themselves.
func (p *Pages) offPage(w http.ResponseWriter, r *http.Request) error {
	rule, err := p.ruleOf(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	v := pageView{}
	if rule.Enabled {
		v.add(block(words.T("exchange.off"), "", "write-form", writeForm{Action: address("off", r.PathValue("token")), Submit: words.T("exchange.off.do"), Primary: true}))
	} else {
		v.Alerts = []web.Alert{{Title: words.T("exchange.off.done"), Text: words.T("exchange.off.done-text")}}
	}
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.off"), Lede: words.T("exchange.off.lede"), Solo: true, Data: v})
	return nil
}

func (p *Pages) ruleOf(r *http.Request) (Rule, error) {
	if p.notifier == nil {
		return Rule{}, errNoNotices
	}
	return p.notifier.ruleOfToken(r.Context(), r.PathValue("token"))
}

// off is the one click (RFC 8058): a mail program sends it without a log-in.
func (p *Pages) off(w http.ResponseWriter, r *http.Request) error {
	if p.notifier == nil {
		return errNoNotices
	}
	if err := p.notifier.Off(r.Context(), r.PathValue("token")); err != nil {
		return err
	}
	return p.offPage(w, r)
}

// notified leads from a message to what it told of.
func (p *Pages) notified(w http.ResponseWriter, r *http.Request) error {
	seq, err := strconv.ParseInt(r.PathValue("seq"), 10, 64)
	if err != nil || seq <= 0 {
		return polder.Errorf(polder.NotFound, "there is nothing at this address")
	}
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	d, err := p.Notified(rd.ctx, rd.by, polder.Seq(seq))
	if err != nil {
		return err
	}
	m, _ := rd.place(string(d.Community))
	to := query(link(d.ID), "community", m.Alias)
	if _, ok := readAdvisory(d); ok {
		to = advisoryAt(m, d.ID)
	} else if d.Type() == questionType {
		to = address("questions", m.Alias, d.ID)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
