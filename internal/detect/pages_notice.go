package detect

import (
	"context"
	"net/http"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

var errNoNotifier = polder.Errorf(polder.NotFound, "this node tells nobody of alerts")

var rhythms = []string{"now", "hourly", "daily"}

var channels = []notify.Channel{notify.ByMail, notify.ByWebhook, notify.BySyslog}

func (p *Pages) notices(w http.ResponseWriter, r *http.Request) error {
	return p.showNotices(w, r, Notice{Level: High, Channel: notify.ByMail}, Notice{}, nil)
}

// showNotices is the page of a person's notices; added is one that was just made, whose secret is shown once.
func (p *Pages) showNotices(w http.ResponseWriter, r *http.Request, next, added Notice, failed error) error {
	if p.more.Notifier == nil {
		return errNoNotifier
	}
	words := web.WordsOf(r)
	all, err := p.more.Notifier.Notices(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	list := entries{Empty: web.Empty{Icon: "bell", Title: words.T("detect.notices.none"), Text: words.T("detect.notices.none-text")}}
	for _, n := range all {
		list.Rows = append(list.Rows, noticeEntry(words, n))
	}
	v := pageView{Alerts: notDone(words, failed)}
	if added.Channel == notify.ByWebhook {
		v.add(panel(words.T("detect.notice.secret"), "", "facts", []web.Pair{{Term: words.T("detect.notice.secret-text"), Text: string(added.Secret), Code: true}}))
	}
	v.add(panel(words.T("detect.notices"), "", "entries", list))
	v.beside(panel(words.T("detect.notice.add"), "", "form", p.noticeForm(words, next)))
	p.site.Render(w, r, web.Page{Template: "detect/page", Title: words.T("detect.notices"), Lede: words.T("detect.notices.lede"), Status: statusFor(failed), Data: v})
	return nil
}

func noticeEntry(words web.Words, n Notice) entry {
	e := entry{Icon: "bell", Title: words.T("detect.notice.from", "level", words.T("detect.level."+string(n.Level))), At: n.Made, Mark: mark{"ok", "check", words.T("detect.notice.on")},
		Lines:   []string{words.T("detect.notice.channel."+string(n.Channel)) + " · " + words.T("detect.notice.digest."+rhythms[n.Digest])},
		Buttons: []button{{pathOf("/account/alerts", n.ID, "off"), words.T("detect.notice.turn-off"), nil}}}
	if !n.Enabled {
		e.Mark = mark{"", "cross", words.T("detect.notice.off")}
		e.Buttons = []button{{pathOf("/account/alerts", n.ID, "on"), words.T("detect.notice.turn-on"), nil}}
	}
	e.Buttons = append(e.Buttons, button{pathOf("/account/alerts", n.ID, "delete"), words.T("detect.notice.delete"), nil})
	return e
}

func (p *Pages) noticeForm(words web.Words, next Notice) form {
	level := web.Field{Name: "level", Label: words.T("detect.notice.level")}
	for _, l := range slices.Backward(Levels) {
		level.Options = append(level.Options, web.Option{Value: string(l), Label: words.T("detect.notice.from", "level", words.T("detect.level."+string(l))), Chosen: l == next.Level})
	}
	channel := web.Field{Name: "channel", Label: words.T("detect.notice.channel")}
	for _, c := range channels {
		channel.Options = append(channel.Options, web.Option{Value: string(c), Label: words.T("detect.notice.channel." + string(c)), Chosen: c == next.Channel, Closed: p.more.Notifier.o.Senders[c] == nil})
	}
	digest := web.Field{Name: "digest", Label: words.T("detect.notice.digest")}
	for i, d := range rhythms {
		digest.Options = append(digest.Options, web.Option{Value: d, Label: words.T("detect.notice.digest." + d), Chosen: notify.Rhythm(i) == next.Digest})
	}
	return form{Action: "/account/alerts", Submit: words.T("detect.notice.add"), Primary: true, Note: words.T("detect.notice.note"), Fields: []web.Field{level, channel,
		{Name: "target", Label: words.T("detect.notice.target"), Help: words.T("detect.notice.target-help"), Value: next.Target, Max: 1000}, digest}}
}

func (p *Pages) addNotice(w http.ResponseWriter, r *http.Request) error {
	if p.more.Notifier == nil {
		return errNoNotifier
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	next := Notice{Level: Level(values.Get("level")), Channel: notify.Channel(values.Get("channel")), Target: values.Get("target"), Digest: notify.Rhythm(max(0, slices.Index(rhythms, values.Get("digest"))))}
	added, err := p.more.Notifier.AddNotice(r.Context(), web.ActorOf(r), next)
	switch {
	case web.Mendable(err):
		return p.showNotices(w, r, next, Notice{}, err)
	case err != nil:
		return err
	case added.Channel == notify.ByWebhook:
		return p.showNotices(w, r, Notice{Level: High, Channel: notify.ByMail}, added, nil)
	}
	return p.done(w, r, "/account/alerts", "detect.notice.added")
}

// onNotice does something with a notice of the person that asks, and says so.
func (p *Pages) onNotice(said string, do func(*Notifier, context.Context, polder.Actor, string) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if p.more.Notifier == nil {
			return errNoNotifier
		}
		if err := do(p.more.Notifier, r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
			return err
		}
		return p.done(w, r, "/account/alerts", said)
	}
}

func noticeTo(on bool) func(*Notifier, context.Context, polder.Actor, string) error {
	return func(n *Notifier, ctx context.Context, a polder.Actor, id string) error {
		return n.SwitchNotice(ctx, a, id, on)
	}
}

// offPage asks before it turns anything off: programs that read mail follow links by themselves.
func (p *Pages) offPage(w http.ResponseWriter, r *http.Request) error {
	if p.more.Notifier == nil {
		return errNoNotifier
	}
	n, err := p.more.Notifier.noticeOfToken(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	v := pageView{}
	if n.Enabled {
		v.add(panel(words.T("detect.off"), "", "form", form{Action: "/alert-off/" + r.PathValue("token"), Submit: words.T("detect.off.do"), Primary: true}))
	} else {
		v.Alerts = []web.Alert{{Title: words.T("detect.off.done"), Text: words.T("detect.off.done-text")}}
	}
	p.site.Render(w, r, web.Page{Template: "detect/page", Title: words.T("detect.off"), Lede: words.T("detect.off.lede"), Solo: true, Data: v})
	return nil
}

// off is the one click (RFC 8058): a mail program sends it without a log-in.
func (p *Pages) off(w http.ResponseWriter, r *http.Request) error {
	if p.more.Notifier == nil {
		return errNoNotifier
	}
	if err := p.more.Notifier.Off(r.Context(), r.PathValue("token")); err != nil {
		return err
	}
	return p.offPage(w, r)
}
