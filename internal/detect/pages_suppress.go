package detect

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// untilChoices are how long a suppression may be chosen to last, in days.
var untilChoices = []int{1, 7, 30, 90, 365}

func (p *Pages) suppressPage(w http.ResponseWriter, r *http.Request) error {
	return p.showSuppress(w, r, url.Values{}, nil)
}

// showSuppress is the form by which alerts like one are kept out of the queue.
func (p *Pages) showSuppress(w http.ResponseWriter, r *http.Request, given url.Values, failed error) error {
	words, id := web.WordsOf(r), r.PathValue("id")
	sh, err := p.Alert(r.Context(), web.ActorOf(r), id)
	if err != nil {
		return err
	}
	if sh.Hidden {
		return errWithdrawn
	}
	scope := web.Field{Name: "scope", Label: words.T("detect.suppress.scope"), Help: words.T("detect.suppress.scope-help")}
	for i, o := range scopesOf(sh) {
		o.Label = words.T("detect.scope."+scopeOf(o.Value)) + ": " + o.Label
		o.Chosen = o.Value == given.Get("scope") || given.Get("scope") == "" && i == 0
		scope.Options = append(scope.Options, o)
	}
	until := web.Field{Name: "days", Label: words.T("detect.suppress.until"), Help: words.T("detect.suppress.until-help")}
	for _, d := range untilChoices {
		until.Options = append(until.Options, web.Option{Value: itoa(d), Label: words.T("span.days", "n", d), Chosen: itoa(d) == orDefault(given.Get("days"), "30")})
	}
	v := pageView{Alerts: notDone(words, failed)}
	v.add(panel(words.T("detect.suppress.form"), "", "form", form{Action: alertPath(id, "suppress"), Submit: words.T("detect.suppress.do"), Primary: true, Back: alertPath(id), Note: words.T("detect.suppress.note"),
		Fields: []web.Field{scope, until, {Name: "reason", Label: words.T("detect.reason"), Help: words.T("detect.suppress.reason-help"), Value: given.Get("reason"), Rows: 2, Max: 2000, Required: true}}}))
	p.site.Render(w, r, web.Page{Template: "detect/page", Title: words.T("detect.suppress"), Lede: words.T("detect.suppress.lede", "title", titleOf(words, sh.Shown)), TLP: sh.TLP(), Status: statusFor(failed),
		Crumbs: []web.Link{{Text: words.T("detect.alerts"), Href: "/alerts"}, {Text: titleOf(words, sh.Shown), Href: alertPath(id)}}, Data: v})
	return nil
}

// scopesOf are what a suppression of a group may look at: a scope and a value in one, "host:ws-041".
func scopesOf(sh Sheet) (out []web.Option) {
	seen := map[string]bool{}
	add := func(s Scope, value string) {
		if key := string(s) + ":" + value; value != "" && !seen[key] && len(out) < 40 {
			seen[key] = true
			out = append(out, web.Option{Value: key, Label: value})
		}
	}
	add(ScopeHost, sh.Host)
	add(ScopeAccount, sh.Account)
	for _, a := range sh.Alerts {
		for _, e := range a.Evidence {
			add(ScopeValue, e.Value)
		}
	}
	for _, a := range sh.Alerts {
		add(ScopeFile, a.File)
	}
	return out
}

func scopeOf(choice string) string {
	s, _, _ := strings.Cut(choice, ":")
	return s
}

func (p *Pages) suppress(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	by, id := web.ActorOf(r), r.PathValue("id")
	sh, err := p.Alert(r.Context(), by, id)
	if err != nil {
		return err
	}
	if sh.Hidden {
		return errWithdrawn
	}
	scope, value, _ := strings.Cut(values.Get("scope"), ":")
	u := Suppression{Rule: sh.Rule, Scope: Scope(scope), Value: value, Reason: values.Get("reason")}
	for _, d := range untilChoices {
		if itoa(d) == values.Get("days") {
			u.Until = p.o.Now().Add(time.Duration(d) * 24 * time.Hour)
		}
	}
	_, err = p.Suppress(r.Context(), by, u, id)
	if web.Mendable(err) {
		return p.showSuppress(w, r, values, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, "/suppressions", "detect.suppressed")
}

// suppressions is the list of them, those that count first.
func (p *Pages) suppressions(w http.ResponseWriter, r *http.Request) error {
	words := web.WordsOf(r)
	all, err := p.Suppressions(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	list := entries{Empty: web.Empty{Icon: "veil", Title: words.T("detect.suppressions.none"), Text: words.T("detect.suppressions.none-text")}}
	active, acts := 0, web.ActorOf(r).Role.OnObjects() >= polder.RoleContributor
	for _, u := range all {
		title := orDefault(u.Title, u.Rule)
		if u.Hidden {
			title = words.T("detect.hidden")
		}
		row := entry{Icon: "veil", Title: title, Href: "/alerts?state=suppressed", At: u.Made, Lines: []string{
			words.T("detect.scope."+string(u.Scope)) + ": " + orDefault(u.Value, "–"), words.T("detect.suppression.by", "who", u.By, "why", orDefault(u.Reason, "–")), words.T("detect.suppression.met", "n", u.Count)}}
		switch {
		case u.Active(p.o.Now()):
			active++
			row.Mark = mark{"warn", "clock", words.T("detect.suppression.until", "until", u.Until)}
			if acts {
				row.Buttons = []button{{pathOf("/suppressions", u.ID, "end"), words.T("detect.suppression.end"), nil}}
			}
		case !u.Ended.IsZero():
			row.Mark = mark{"", "cross", words.T("detect.suppression.ended", "who", u.EndedBy, "when", u.Ended)}
		default:
			row.Mark = mark{"", "cross", words.T("detect.suppression.over", "when", u.Until)}
		}
		list.Rows = append(list.Rows, row)
	}
	v := pageView{}
	v.add(panel(words.T("detect.suppressions"), words.T("detect.suppressions.active", "n", active), "entries", list))
	p.site.Render(w, r, web.Page{Template: "detect/page", Title: words.T("detect.suppressions"), Lede: words.T("detect.suppressions.lede"), Data: v})
	return nil
}

func (p *Pages) endSuppression(w http.ResponseWriter, r *http.Request) error {
	if err := p.EndSuppression(r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	return p.done(w, r, "/suppressions", "detect.suppression.done")
}
