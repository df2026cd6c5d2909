package screen

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// Communities says where an organisation may share its lists. node plugs the exchange in.
type Communities interface {
	// Shares are the communities in which by may share now, by name.
	Shares(ctx context.Context, by polder.Actor) ([]Community, error)
	// Levels are those that by's organisation may use, the widest first.
	Levels(ctx context.Context, by polder.Actor) ([]stix.Marking, error)
}

// Community is a place to share in.
type Community struct{ Alias, Name string }

// mostShownWarnings bounds what a preview tells of warnings and of what is refused.
const mostShownWarnings = 20

// sharedObject is the page of the object that a listing of a list of members is; "" for all other listings.
func sharedObject(list, id string) string {
	if !strings.Contains(list, "/") || !strings.HasPrefix(id, listingType+"--") {
		return ""
	}
	return pagePath("/objects", id)
}

// shareBlock is the form by which an organisation's own list is shared, for those who may; ok is false for others.
func (p *Pages) shareBlock(r *http.Request, words web.Words, l KeptList, typed Share) (b web.Block, ok bool, err error) {
	by := web.ActorOf(r)
	if p.more.Communities == nil || l.Owner != OwnedByOrg || !contributes(by) {
		return b, false, nil
	}
	places, err := p.more.Communities.Shares(r.Context(), by)
	if err != nil {
		return b, false, err
	}
	if len(places) == 0 {
		return pageBlock(words.T("screen.share"), "", "marks-body", []web.Mark{{Icon: "people", Text: words.T("screen.share.nowhere")}}), true, nil
	}
	levels, err := p.more.Communities.Levels(r.Context(), by)
	if err != nil {
		return b, false, err
	}
	in := web.Field{Name: "community", Label: words.T("screen.share.in")}
	for _, c := range places {
		in.Options = append(in.Options, web.Option{Value: c.Alias, Label: c.Name, Chosen: c.Alias == typed.Community})
	}
	level := web.Field{Name: "tlp", Label: words.T("screen.share.level"), Help: words.T("screen.share.level-help"), Class: "across"}
	for m := stix.Clear; m < stix.Red; m++ { // what is red goes to those whom one names, and a list is asked by all
		level.Options = append(level.Options, web.Option{Value: m.String(), TLP: m, Help: words.T("screen.share.level." + m.String()), Closed: !slices.Contains(levels, m)})
	}
	floor := cmp.Or(typed.Level, stix.Amber)
	if chosen := slices.IndexFunc(level.Options, func(o web.Option) bool { return o.TLP >= floor && !o.Closed }); chosen >= 0 {
		level.Options[chosen].Chosen = true
	}
	named := web.Field{Name: "named", Label: words.T("screen.share.name"), Class: "across", Options: []web.Option{
		{Value: "no", Label: words.T("screen.share.unnamed"), Help: words.T("screen.share.unnamed-help"), Chosen: !typed.Named},
		{Value: "yes", Label: words.T("screen.share.named", "org", web.IdentityIn(r.Context()).OrgName), Chosen: typed.Named}}}
	return pageBlock(words.T("screen.share"), "", "form", pageForm{Action: pagePath("/screen/lists", l.Name, "share"), Submit: words.T("screen.share.look"), Note: words.T("screen.share.look-note"), Fields: []web.Field{in, level, named}}), true, nil
}

// shareOf is what the form asks for.
func shareOf(r *http.Request) (s Share, seen string, err error) {
	values, err := web.Form(r)
	if err != nil {
		return s, "", err
	}
	asked := shareAsked{Community: values.Get("community"), TLP: values.Get("tlp"), Named: values.Get("named") == "yes", Confirm: values.Get("confirm") == "yes"}
	s, err = asked.share(r.PathValue("name"))
	return s, values.Get("seen"), err
}

// shareList shows what sharing a list would do, and does it when that is what was seen.
func (p *Pages) shareList(w http.ResponseWriter, r *http.Request) error {
	s, seen, err := shareOf(r)
	if err != nil {
		return err
	}
	l, err := keptList(r, p.more.Lists, s.List)
	if err != nil {
		return err
	}
	try := s
	try.Preview = true
	out, err := p.more.Lists.Publish(r.Context(), web.ActorOf(r), try)
	if web.Mendable(err) || err != nil && polder.KindOf(err) == polder.Forbidden {
		return p.showList(w, r, s, err)
	}
	if err != nil {
		return err
	}
	now := out.sight(l)
	if seen != now || out.Held && !s.Confirmed {
		return p.sharePreview(w, r, l, s, out, seen != "" && seen != now)
	}
	done, err := p.more.Lists.Publish(r.Context(), web.ActorOf(r), s)
	if web.Mendable(err) {
		return p.showList(w, r, s, err)
	}
	if err != nil {
		return err
	}
	if len(done.Refused) > 0 || done.Held {
		return p.sharePreview(w, r, l, s, done, true)
	}
	return p.done(w, r, pagePath("/screen/lists", l.Name), "screen.share.done", "n", done.New+done.Changed, "gone", done.Withdrawn)
}

// sight is what a person saw of a preview: sharing does that, or shows anew what it would do.
func (o Published) sight(l KeptList) string {
	return fmt.Sprintf("%d %d %d %s %s", o.New, o.Changed, o.Withdrawn, o.Sight, l.SHA256)
}

// sharePreview says how many listings would reach how many organisations, and what is to be known before.
func (p *Pages) sharePreview(w http.ResponseWriter, r *http.Request, l KeptList, s Share, out Published, moved bool) error {
	words := web.WordsOf(r)
	places, err := p.more.Communities.Shares(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	in := s.Community
	if i := slices.IndexFunc(places, func(c Community) bool { return c.Alias == s.Community }); i >= 0 {
		in = places[i].Name
	}
	v := pageView{Leaves: true, Tabs: p.tabs(words, "/screen/lists")}
	if moved && len(out.Refused) == 0 {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("screen.share.moved"), Text: words.T("screen.share.moved-text")})
	}
	if n := len(out.Refused); n > 0 {
		v.Alerts = append(v.Alerts, web.Alert{Class: "bad", Title: words.T("screen.share.refused", "n", n), Text: strings.Join(out.Refused[:min(n, mostShownWarnings)], "; ")})
	}
	number := func(key string, n int) web.Pair { return web.Pair{Term: words.T(key), Text: words.Number(int64(n))} }
	v.add(pageBlock(words.T("screen.share.does"), in, "facts", []web.Pair{number("screen.share.new", out.New), number("screen.share.changed", out.Changed), number("screen.share.same", out.Same), number("screen.share.gone", out.Withdrawn)}))
	if len(out.Warnings) > 0 {
		marks := []web.Mark{}
		for _, text := range out.Warnings[:min(len(out.Warnings), mostShownWarnings)] {
			marks = append(marks, web.Mark{Class: "mind", Text: web.Sentence(text)})
		}
		if more := len(out.Warnings) - len(marks); more > 0 {
			marks = append(marks, web.Mark{Class: "mind", Text: words.T("screen.and-more", "n", more)})
		}
		v.add(pageBlock(words.T("screen.share.warnings"), "", "marks-body", marks))
	}
	who := words.T("screen.share.unnamed")
	if s.Named {
		who = words.T("screen.share.named", "org", web.IdentityIn(r.Context()).OrgName)
	}
	v.beside(pageBlock(words.T("screen.share.how"), "", "facts", []web.Pair{{Term: words.T("screen.share.in"), Text: in}, {Term: words.T("screen.share.readers"), Text: words.T("screen.share.organisations", "n", out.Readers)},
		{Term: words.T("screen.share.level"), TLP: s.Level}, {Term: words.T("screen.share.name"), Text: who}, {Term: words.T("screen.list.date"), Text: listDate(words, l.Meta)}}))
	back := pagePath("/screen/lists", l.Name)
	if form, ok := shareForm(words, l, s, out); ok {
		form.Back = back
		v.add(pageBlock(words.T("screen.share.now"), "", "form", form))
	} else {
		v.Actions = append(v.Actions, web.Action{Label: words.T("screen.list.open"), Href: back, Icon: "list"})
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: words.T("screen.share.question", "list", listTitle(l.Meta), "in", in), Lede: shareLede(words, out), TLP: s.Level, Data: v,
		Crumbs: p.crumbs(words, web.Link{Text: words.T("screen.lists"), Href: "/screen/lists"}, web.Link{Text: listTitle(l.Meta), Href: back})})
	return nil
}

// shareForm is the button that shares; ok is false where there is nothing to share.
func shareForm(words web.Words, l KeptList, s Share, out Published) (f pageForm, ok bool) {
	n := out.New + out.Changed
	if len(out.Refused) > 0 || n+out.Withdrawn == 0 {
		return f, false
	}
	f = pageForm{Action: pagePath("/screen/lists", l.Name, "share"), Primary: true, Note: words.T("screen.share.note"), Hidden: []web.Hidden{{Name: "community", Value: s.Community}, {Name: "tlp", Value: s.Level.String()}, {Name: "seen", Value: out.sight(l)}}}
	if s.Named {
		f.Hidden = append(f.Hidden, web.Hidden{Name: "named", Value: "yes"})
	}
	if out.Held {
		f.Fields = append(f.Fields, web.Field{Name: "confirm", Label: words.T("screen.share.confirm"), Class: "across", Many: true, Options: []web.Option{{Value: "yes", Label: words.T("screen.share.confirm-yes")}}})
	}
	listings, gone := words.T("screen.share.listings", "n", n), words.T("screen.share.listings", "n", out.Withdrawn)
	switch {
	case n == 0:
		f.Submit = words.T("screen.share.withdraw", "gone", gone)
	case out.Withdrawn > 0:
		f.Submit = words.T("screen.share.do-both", "listings", listings, "readers", words.T("screen.share.organisations", "n", out.Readers), "gone", gone)
	default:
		f.Submit = words.T("screen.share.do", "listings", listings, "readers", words.T("screen.share.organisations", "n", out.Readers))
	}
	return f, true
}

// shareLede is the preview in a line.
func shareLede(words web.Words, out Published) string {
	switch {
	case len(out.Refused) > 0:
		return words.T("screen.share.lede.refused")
	case out.New+out.Changed+out.Withdrawn == 0:
		return words.T("screen.share.lede.nothing")
	}
	return words.T("screen.share.lede")
}
