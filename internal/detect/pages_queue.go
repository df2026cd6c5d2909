package detect

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// queueView is the data of templates/alerts.html.
type queueView struct {
	Alerts []web.Alert
	Facets web.Facets
	Count  string
	Note   string
	Heads  []web.Head
	Rows   []queueRow
	Since  string
	Newer  string
	Empty  web.Empty
	Pager  web.Pager
}

// queueRow is the data of "alert-row", which is also what the stream sends.
type queueRow struct {
	Key, Href, Title, Kind, Icon, Where string
	Level, State                        mark
	TLP                                 stix.Marking
	Count                               int
	Last                                time.Time
}

func (p *Pages) row(words web.Words, g Shown) queueRow {
	return queueRow{Key: g.ID, Href: alertPath(g.ID), Title: titleOf(words, g), Kind: words.T("detect.kind." + string(g.Kind)), Icon: kindIcon(g.Kind), Where: whereOf(g.Group),
		Level: levelMark(words, g.Level), State: stateMark(words, g.State), TLP: g.TLP(), Count: g.Count, Last: g.Last}
}

// queue is the list of alerts.
func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return err
	}
	// What the list ends at is asked first: what comes in between is shown twice rather than never.
	since, err := newestGroup(r.Context(), p.o.DB.Read(), by.Org)
	if err != nil {
		return err
	}
	page, err := p.Alerts(r.Context(), by, f)
	if err != nil {
		return err
	}
	counts, err := p.Counts(r.Context(), by)
	if err != nil {
		return err
	}
	f.Sort = orDefault(f.Sort, Sorts[0])
	v := queueView{Facets: facetsOf(words, r.URL, f, counts), Newer: "/alerts", Note: words.T("detect.sort." + strings.TrimPrefix(f.Sort, "-") + map[bool]string{true: ".down", false: ".up"}[strings.HasPrefix(f.Sort, "-")])}
	total := 0
	for s, n := range counts.States {
		if s != StateSuppressed {
			total += n
		}
	}
	v.Count = words.T("detect.alerts.count", "n", total)
	narrowed := len(f.States)+len(f.Levels)+len(f.Kinds)+len(f.Hosts) > 0 || f.Object != ""
	if narrowed {
		v.Count = words.T("detect.alerts.chosen", "of", v.Count)
	}
	highest := stix.None
	for _, g := range page.Groups {
		v.Rows = append(v.Rows, p.row(words, g))
		highest = max(highest, g.TLP())
	}
	if !narrowed && f.Sort == Sorts[0] && f.Next == "" { // what is new belongs on top of this list alone
		v.Since = strconv.FormatInt(since, 10)
	}
	v.Heads = web.Heads(r.URL, f.Sort, web.Column{Label: words.T("detect.alert")}, web.Column{Key: "level", Label: words.T("detect.level"), Down: true}, web.Column{Label: words.T("detect.marking")},
		web.Column{Label: words.T("detect.where")}, web.Column{Key: "count", Label: words.T("detect.count"), Num: true, Down: true}, web.Column{Label: words.T("detect.state")}, web.Column{Key: "last", Label: words.T("detect.last"), Down: true})
	for i := range v.Heads { // a level or a number is sorted from the top alone
		if strings.HasSuffix(v.Heads[i].Href, "sort=level") || strings.HasSuffix(v.Heads[i].Href, "sort=count") {
			v.Heads[i].Href = ""
		}
	}
	if page.Next != "" {
		q := r.URL.Query()
		q.Set("next", page.Next)
		v.Pager.Older = "/alerts?" + q.Encode()
	}
	if f.Next != "" {
		v.Pager.Newer = web.With(r.URL, "next", "")
	}
	v.Empty = p.noAlerts(words, narrowed)
	p.site.Render(w, r, web.Page{Template: "detect/alerts", Title: words.T("detect.alerts"), Lede: p.lede(words, counts), TLP: highest, Live: v.Since != "", Data: v})
	return nil
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// lede says what waits before anything else.
func (p *Pages) lede(words web.Words, c Counts) string {
	switch {
	case c.Urgent > 0:
		return words.T("detect.alerts.urgent", "n", c.Urgent)
	case c.States[StateNew] > 0:
		return words.T("detect.alerts.new", "n", c.States[StateNew])
	}
	return words.T("detect.alerts.calm")
}

func (p *Pages) noAlerts(words web.Words, narrowed bool) web.Empty {
	if narrowed {
		return web.Empty{Icon: "search", Title: words.T("detect.none.found"), Text: words.T("detect.none.found-text"), Actions: []web.Action{{Label: words.T("detect.none.all"), Href: "/alerts"}}}
	}
	e := web.Empty{Icon: "radar", Title: words.T("detect.none"), Text: words.T("detect.none-text"), Actions: []web.Action{{Label: words.T("detect.detection"), Href: "/detection"}}}
	if p.more.Checker != nil {
		e.Actions = append([]web.Action{{Label: words.T("detect.check"), Href: "/check", Icon: "search", Primary: true}}, e.Actions...)
	}
	return e
}

func facetsOf(words web.Words, at *url.URL, f Filter, c Counts) web.Facets {
	out := web.Facets{At: at, Keep: []string{"sort", "object"}}
	states := web.FacetGroup{Name: "state", Legend: words.T("detect.state")}
	for _, s := range States {
		states.Options = append(states.Options, web.FacetOption{Value: string(s), Label: words.T("detect.state." + string(s)), Count: c.States[s], Chosen: slices.Contains(f.States, s)})
	}
	levels := web.FacetGroup{Name: "level", Legend: words.T("detect.level")}
	for _, l := range slices.Backward(Levels) {
		levels.Options = append(levels.Options, web.FacetOption{Value: string(l), Label: words.T("detect.level." + string(l)), Count: c.Levels[l], Chosen: slices.Contains(f.Levels, l)})
	}
	kinds := web.FacetGroup{Name: "kind", Legend: words.T("detect.kind")}
	for _, k := range Kinds {
		kinds.Options = append(kinds.Options, web.FacetOption{Value: string(k), Label: words.T("detect.kind." + string(k)), Count: c.Kinds[k], Chosen: slices.Contains(f.Kinds, k)})
	}
	hosts := web.FacetGroup{Name: "host", Legend: words.T("detect.host")}
	names := slices.Clone(f.Hosts)
	for h := range c.Hosts {
		names = append(names, h)
	}
	slices.Sort(names)
	for _, h := range slices.Compact(names) {
		hosts.Options = append(hosts.Options, web.FacetOption{Value: h, Label: h, Count: c.Hosts[h], Chosen: slices.Contains(f.Hosts, h)})
	}
	slices.SortStableFunc(hosts.Options, func(a, b web.FacetOption) int { return b.Count - a.Count })
	out.Groups = []web.FacetGroup{states, levels, kinds}
	if len(hosts.Options) > 0 {
		out.Groups = append(out.Groups, hosts)
	}
	return out
}

// feed is the stream behind the queue: an event "row" for each group that is new after the number the reader has. It
// resumes by Last-Event-ID or ?since=. It ends when the reader may read no alerts any more.
func (p *Pages) feed(w http.ResponseWriter, r *http.Request) error {
	text := orDefault(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since"))
	since, err := strconv.ParseInt(orDefault(text, "0"), 10, 64)
	if err != nil || since < 0 {
		return polder.Errorf(polder.Invalid, "since: %.40q is not a number that the stream gave; 0 is everything", text)
	}
	words, by := web.WordsOf(r), web.ActorOf(r)
	if err := may(by, polder.RoleReader); err != nil {
		return err
	}
	out, err := web.OpenStream(w, r)
	if err != nil {
		return nil // whoever asked has gone
	}
	for {
		changed := p.Changed()
		news, err := p.Since(r.Context(), by, since, 100)
		if err != nil {
			return nil // the head is out; whoever reads comes again
		}
		for _, g := range news {
			row, err := p.site.Fragment(words, "detect/alert-row", p.row(words, g))
			if err == nil {
				err = out.Send(web.ServerEvent{ID: strconv.FormatInt(g.Seq, 10), Name: "row", Data: row})
			}
			if err != nil {
				return nil
			}
			since = g.Seq
		}
		if len(news) > 0 {
			continue
		}
		if out.Wait(r.Context(), changed) != nil {
			return nil
		}
		if by, err = p.again(r, by); err != nil {
			return nil
		}
	}
}

// again is the actor of a stream as it is now: who lost its role or its log-in reads nothing more.
func (p *Pages) again(r *http.Request, by polder.Actor) (polder.Actor, error) {
	if p.o.Accounts == nil {
		return by, nil
	}
	now, err := p.o.Accounts.Refresh(r.Context(), by)
	if err != nil {
		return by, err
	}
	return now, may(now, polder.RoleReader)
}
