package members

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/web"
)

const (
	auditPage  = 50  // entries of a page
	auditChunk = 500 // read at a time while looking for a community's
	auditReads = 20  // at most so many times for one page
)

// auditKinds are the kinds of action to choose from; one that ends in "." means all that begin so.
var auditKinds = []string{
	"session.", "passkey.", "person.", "org.", "token.", "community.", "agreement.", "invitation.", "request.", "share", "withdraw", "erase", "custody", "peer.", "keys.", "pseudonym.", "release.",
	"match.", "log.", "alert.", "report.", "desk.", "case.", "list.", "party.", "review.", "node.",
}

// auditView is what one page of the audit asks for.
type auditView struct {
	by      polder.Actor
	steward []polder.CommunityID
	places  []place
	action  string
	in      polder.CommunityID // only of this community; empty is all
	before  int64
}

func (p *Pages) auditPage(w http.ResponseWriter, r *http.Request) error {
	words := web.WordsOf(r)
	key, err := p.accounts.NodeKey(r.Context(), "members.audit")
	if err != nil {
		return err
	}
	q, err := p.auditView(r, key)
	if err != nil {
		return err
	}
	records, more, err := p.auditRecords(r.Context(), q)
	if err != nil {
		return err
	}
	t := table{Label: words.T("members.audit"), Heads: plainHeads(words.T("members.audit.when"), words.T("members.audit.what"), words.T("members.audit.who"), words.T("members.audit.about"), words.T("members.community")),
		Empty: web.Empty{Icon: "list", Title: words.T("members.audit.none"), Text: words.T("members.audit.none-text")}}
	known, err := p.known(r, q)
	if err != nil {
		return err
	}
	for _, rec := range records {
		line, err := known.row(r.Context(), words, rec)
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, line)
	}
	if t.Pager, err = auditPager(r, key, q, records, more); err != nil {
		return err
	}
	v := view{Main: []web.Block{block(words.T("members.audit.latest"), words.T("members.audit.zone", "zone", words.ZoneName()), "table", t)},
		Aside: []web.Block{block(words.T("members.audit.narrow"), "", "form", auditForm(words, q)),
			block(words.T("members.audit.reads"), "", "notes", auditNotes(words, q))}}
	return p.render(w, r, web.Page{Title: words.T("members.audit"), Lede: words.T("members.audit.lede"), Data: v}, answers{})
}

// auditView reads the address.
func (p *Pages) auditView(r *http.Request, key []byte) (auditView, error) {
	asked := r.URL.Query()
	q := auditView{by: web.ActorOf(r), action: asked.Get("action")}
	if q.action != "" && !slices.Contains(auditKinds, q.action) {
		return q, polder.Errorf(polder.Invalid, "%.40q is no kind of entry; choose one of the list", q.action)
	}
	var err error
	if q.before, err = openNumber(key, asked.Get("next")); err != nil {
		return q, err
	}
	if q.places, err = p.places(r.Context(), q.by); err != nil {
		return q, err
	}
	for _, c := range q.places {
		if c.member && c.membership.Right(q.by) >= polder.RoleSteward {
			q.steward = append(q.steward, c.ID)
		}
	}
	if alias := asked.Get("community"); alias != "" {
		i := slices.IndexFunc(q.places, func(c place) bool { return c.Alias == alias })
		if i < 0 {
			return q, polder.Errorf(polder.NotFound, "there is no such community, or your organisation does not belong to it")
		}
		q.in = q.places[i].ID
	}
	return q, nil
}

// auditRecords are the entries of a page, and whether there may be older ones.
func (p *Pages) auditRecords(ctx context.Context, q auditView) (page []audit.Record, more bool, err error) {
	f := audit.Filter{Viewer: q.by, Communities: q.steward, Action: q.action, Before: q.before, Limit: auditPage + 1}
	if q.in != "" {
		f.Limit = auditChunk
	}
	for range auditReads {
		found, err := p.o.Audit.List(ctx, f)
		if err != nil {
			return nil, false, err
		}
		for _, rec := range found {
			if q.in != "" && rec.Community != q.in {
				continue
			}
			if len(page) == auditPage {
				return page, true, nil
			}
			page = append(page, rec)
		}
		if len(found) < f.Limit {
			return page, false, nil
		}
		f.Before = found[len(found)-1].N
	}
	return page, len(page) > 0, nil
}

func auditPager(r *http.Request, key []byte, q auditView, records []audit.Record, more bool) (*web.Pager, error) {
	if !more && q.before == 0 {
		return nil, nil
	}
	pager := &web.Pager{}
	if q.before != 0 {
		pager.Newer = web.With(r.URL, "next", "")
	}
	if more {
		next, err := sealNumber(key, records[len(records)-1].N)
		if err != nil {
			return nil, err
		}
		pager.Older = web.With(r.URL, "next", next)
	}
	return pager, nil
}

func auditForm(words web.Words, q auditView) form {
	kinds := []web.Option{{Value: "", Label: words.T("members.audit.all")}}
	for _, k := range auditKinds {
		kinds = append(kinds, web.Option{Value: k, Label: words.T("members.audit.kind." + strings.TrimSuffix(k, ".")), Chosen: k == q.action})
	}
	f := form{Action: "/audit", Get: true, Beside: true, Submit: words.T("members.audit.show"), Fields: []web.Field{{Name: "action", Label: words.T("members.audit.what"), Options: kinds}}}
	if len(q.places) > 0 {
		in := []web.Option{{Value: "", Label: words.T("members.audit.everywhere")}}
		for _, c := range q.places {
			in = append(in, web.Option{Value: c.Alias, Label: c.Name, Chosen: c.ID == q.in})
		}
		f.Fields = append(f.Fields, web.Field{Name: "community", Label: words.T("members.community"), Options: in})
	}
	return f
}

// auditNotes say what this reader reads here, and what not.
func auditNotes(words web.Words, q auditView) []web.Mark {
	notes := []web.Mark{{Class: "yes", Text: words.T("members.audit.reads-own")}}
	if len(q.steward) > 0 {
		notes = append(notes, web.Mark{Class: "yes", Text: words.T("members.audit.reads-steward")}, web.Mark{Icon: "veil", Text: words.T("members.audit.reads-blind")})
	}
	if q.by.Role == polder.RoleAdmin {
		notes = []web.Mark{{Class: "yes", Text: words.T("members.audit.reads-admin")}, {Class: "no", Text: words.T("members.audit.reads-objects")}}
	}
	return append(notes, web.Mark{Icon: "chain", Text: words.T("members.audit.chain")})
}

// known are the names that the reader of the audit may read.
type known struct {
	p      *Pages
	by     polder.Actor
	orgs   map[polder.OrgID]string
	people map[polder.PersonID]string
	tokens map[polder.TokenID]string
	places map[polder.CommunityID]string
}

func (p *Pages) known(r *http.Request, q auditView) (known, error) {
	k := known{p: p, by: q.by, people: map[polder.PersonID]string{}, tokens: map[polder.TokenID]string{}, places: map[polder.CommunityID]string{}}
	var err error
	if k.orgs, err = p.names(r); err != nil {
		return k, err
	}
	org := q.by.Org
	if q.by.Role == polder.RoleAdmin {
		org = ""
	}
	people, err := p.accounts.People(r.Context(), q.by, org)
	if err != nil && polder.KindOf(err) != polder.NotFound { // a token for some communities reads no people
		return k, err
	}
	for _, q := range people {
		k.people[q.ID] = q.Name
	}
	tokens, err := p.accounts.Tokens(r.Context(), q.by, org)
	if err != nil && polder.KindOf(err) != polder.NotFound { // nor does it read tokens
		return k, err
	}
	for _, t := range tokens {
		k.tokens[t.ID] = t.Name
	}
	for _, c := range q.places {
		k.places[c.ID] = c.Name
	}
	return k, nil
}

// org is the name of an organisation that an entry which the reader may read is about: a member that has left, too.
func (k known) org(ctx context.Context, id polder.OrgID) (string, error) {
	if name, ok := k.orgs[id]; ok || id == "" {
		return name, nil
	}
	o, err := k.p.accounts.Org(ctx, id)
	if polder.KindOf(err) == polder.NotFound {
		return string(id), nil
	}
	k.orgs[id] = o.Name
	return o.Name, err
}

func (k known) row(ctx context.Context, words web.Words, rec audit.Record) (row, error) {
	who, err := k.who(ctx, words, rec)
	if err != nil {
		return nil, err
	}
	about, err := k.about(ctx, words, rec)
	if err != nil {
		return nil, err
	}
	return row{{At: rec.Time}, {Text: auditWords(words, rec.Action)}, who, about, {Text: k.place(ctx, rec.Community)}}, nil
}

// auditWords is an action as people say it: in its own words, or in those of what it is a kind of.
func auditWords(words web.Words, action string) string {
	for part := action; part != ""; part = part[:max(strings.LastIndexByte(part, '.'), 0)] {
		if key := "members.audit.action." + part; words.Has(key) {
			return words.T(key)
		}
	}
	return action
}

func (k known) place(ctx context.Context, id polder.CommunityID) string {
	if name, ok := k.places[id]; ok || id == "" {
		return name
	}
	if c, err := k.p.accounts.Community(ctx, string(id)); err == nil {
		return c.Name
	}
	return string(id)
}

// who is the actor of an entry as far as the reader may read it (rule X20).
func (k known) who(ctx context.Context, words web.Words, rec audit.Record) (cell, error) {
	org, err := k.org(ctx, rec.Org)
	switch {
	case err != nil:
		return cell{}, err
	case rec.Org == "" && rec.Blind && !slices.Contains(doneByNode, rec.Action):
		return cell{Text: words.T("members.audit.a-member")}, nil
	case rec.Org == "":
		return cell{Text: words.T(nobody(rec.Action))}, nil
	}
	sub := org
	if rec.Org == k.by.Org {
		sub = "" // it is the own one, as most are
	}
	switch {
	case rec.Person != "" && k.people[rec.Person] != "":
		return cell{Text: k.people[rec.Person], Sub: sub}, nil
	case rec.Token != "" && (rec.Org == k.by.Org || k.by.Role == polder.RoleAdmin):
		return cell{Text: words.T("members.audit.token", "id", cmp.Or(k.tokens[rec.Token], string(rec.Token))), Sub: sub}, nil
	}
	return cell{Text: org}, nil
}

// doneByNode is what a node does by itself: where no organisation is named, nobody asked for it.
var doneByNode = []string{"keys.begin", "keys.dispute", "peer.join", "peer.leave", "peer.detach", "peer.stop", "peer.take", "community.mirror", "erase.retention", "report.expire"}

// nobody is the key of who did what no organisation did: the node, somebody who could not log in, or the administrator
// at the machine.
func nobody(action string) string {
	switch {
	case strings.HasPrefix(action, "node.") && action != "node.init" && action != "node.restore", strings.HasPrefix(action, "log."), slices.Contains(doneByNode, action):
		return "members.audit.the-node"
	case strings.HasPrefix(action, "session."):
		return "members.audit.unknown"
	}
	return "members.audit.at-the-machine"
}

// about says what an entry is about: what its detail tells in words, then the id.
func (k known) about(ctx context.Context, words web.Words, rec audit.Record) (cell, error) {
	var said []string
	add := func(s string) {
		if s != "" {
			said = append(said, s)
		}
	}
	d := rec.Detail
	add(d["name"])
	add(d["alias"])
	if d["org"] != "" && d["org"] != string(rec.Org) {
		name, err := k.org(ctx, polder.OrgID(d["org"]))
		if err != nil {
			return cell{}, err
		}
		add(name)
	}
	if d["name"] == "" {
		add(k.tokens[polder.TokenID(rec.Object)])
	}
	if rec.Object != string(rec.Person) {
		add(k.people[polder.PersonID(rec.Object)])
	}
	if d["role"] != "" {
		add(words.T("members.role." + d["role"]))
	}
	if d["version"] != "" {
		add(words.T("members.agreement.version", "n", d["version"]))
	}
	add(d["widest"])
	add(d["unmarked"])
	if strings.HasPrefix(rec.Action, "session.") {
		add(d["from"])
	}
	c := cell{Text: strings.Join(said, ", "), Sub: d["why"]}
	if k.reads(rec) {
		c.Text, c.Href = cmp.Or(c.Text, brief(rec.Object)), "/objects/"+url.PathEscape(rec.Object)
		return c, nil
	}
	if strings.HasPrefix(rec.Action, "peer.") && d["name"] == "" && !strings.Contains(rec.Object, "--") {
		c.Code = rec.Object // of the link, as polder peer list names it
	}
	if strings.HasPrefix(rec.Action, "token.") || strings.Contains(rec.Object, "--") && d["name"] == "" {
		c.Code = rec.Object
	}
	return c, nil
}

// reads tells whether an entry is about an object that its reader may find under its address: one that was withdrawn is
// nowhere any more.
func (k known) reads(rec audit.Record) bool {
	there := rec.Action == "share" || rec.Action == "custody"
	return there && k.by.Role.OnObjects() > polder.RoleNone && rec.Community != "" && strings.Contains(rec.Object, "--")
}

// brief is an id of an object as people read it: its type, and where its number begins and ends.
func brief(id string) string {
	kind, number, _ := strings.Cut(id, "--")
	if len(number) < 12 {
		return id
	}
	return kind + "--" + number[:4] + "…" + number[len(number)-4:]
}
