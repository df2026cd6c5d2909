package exchange

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

func (p *Pages) proposalRoutes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h handler) web.Route {
		return web.Route{Method: method, Pattern: pattern, Need: need, Exit: "exchange." + exit, Handler: h.serve}
	}
	return []web.Route{
		route("GET", "/proposals", "proposals", web.Reader, p.proposalsPage),
		route("GET", "/proposals/{community}/{id}", "proposal", web.Reader, p.proposalPage),
		route("POST", "/proposals/{community}/{id}/accept", "proposal.accept", web.Contributor, p.acceptProposal),
		route("POST", "/proposals/{community}/{id}/decline", "proposal.decline", web.Contributor, p.declineProposal),
	}
}

func proposalTag(words web.Words, s ProposalState) tag {
	t := map[ProposalState]tag{ProposalOpen: {Class: "info", Icon: "question"}, ProposalAccepted: {Class: "ok", Icon: "check"}, ProposalDeclined: {Class: "bad", Icon: "cross"}, ProposalSuperseded: {Class: "warn", Icon: "clock"}, ProposalEnded: {Icon: "lock"}}[s]
	t.Text = words.T("exchange.proposal.state." + string(s))
	return t
}

// whose says what the reader has to do with a proposal.
func (q Proposal) whose(words web.Words) string {
	switch {
	case q.ForMe && q.Undecided():
		return words.T("exchange.proposal.for-you")
	case q.Mine:
		return words.T("exchange.proposal.yours")
	}
	return words.T("exchange.proposal.of-member")
}

func (p *Pages) proposalsPage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	words := rd.words
	all, err := p.Proposals(rd.ctx, rd.by, "")
	if err != nil {
		return err
	}
	waiting := writeList{Empty: web.Empty{Icon: "check", Title: words.T("exchange.proposals.none"), Text: words.T("exchange.proposals.none-text")}}
	others := writeList{Empty: web.Empty{Icon: "pen", Title: words.T("exchange.proposals.no-others"), Text: words.T("exchange.proposals.no-others-text"), Actions: []web.Action{{Label: words.T("exchange.objects"), Href: "/objects", Icon: "layers"}}}}
	highest := stix.None
	for _, q := range all {
		m, _ := rd.place(string(q.Delivery.Community))
		row := writeRow{Title: words.T("exchange.proposal.of", "what", muzzled(q.Title), "properties", strings.Join(slices.Sorted(maps.Keys(q.Patch)), ", ")), Href: address("proposals", m.Alias, q.Delivery.ID),
			Sub: m.Name + " · " + q.whose(words), TLP: q.Delivery.Level, At: q.Delivery.Seq.Time(), State: proposalTag(words, q.State)}
		highest = max(highest, q.Delivery.Level)
		if q.ForMe && q.Undecided() {
			waiting.Rows = append(waiting.Rows, row)
		} else {
			others.Rows = append(others.Rows, row)
		}
	}
	v := pageView{}
	v.add(block(words.T("exchange.proposals.waiting"), "", "write-list", waiting), block(words.T("exchange.proposals.others"), "", "write-list", others))
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.proposals"), Lede: words.T("exchange.proposals.lede"), TLP: highest, Data: v})
	return nil
}

func (p *Pages) proposalPage(w http.ResponseWriter, r *http.Request) error {
	return p.showProposal(w, r, nil, "")
}

func (p *Pages) showProposal(w http.ResponseWriter, r *http.Request, failed error, reason string) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	q, err := p.Proposal(rd.ctx, rd.by, r.PathValue("community"), r.PathValue("id"))
	if err != nil {
		return err
	}
	words := rd.words
	m, _ := rd.place(string(q.Delivery.Community))
	v := pageView{Alerts: refusal(words, failed)}
	if q.State == ProposalSuperseded {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("exchange.proposal.superseded"), Text: words.T("exchange.proposal.superseded-text")})
	}
	if len(q.Changes) > 0 {
		v.add(block(words.T("exchange.proposal.changes"), words.T("exchange.proposal.changes-note"), "proposal-changes", q.Changes))
	}
	v.add(block(words.T("exchange.act.why"), "", "prose", q.Reason))
	if q.Answer != "" {
		v.add(block(words.T("exchange.proposal.answer"), "", "prose", q.Answer))
	}
	at := address("proposals", m.Alias, q.Delivery.ID)
	if q.ForMe && q.Undecided() && m.Right(rd.by) >= polder.RoleContributor {
		if q.State == ProposalOpen {
			accept := writeForm{Action: at + "/accept", Submit: words.T("exchange.proposal.accept"), Primary: true, Note: words.T("exchange.proposal.accept-note")}
			if failed != nil {
				accept.Fields = append(accept.Fields, rd.confirmField())
			}
			v.add(aside(words.T("exchange.proposal.accept"), "", "write-form", accept))
		}
		v.add(aside(words.T("exchange.proposal.decline"), "", "write-form", writeForm{Action: at + "/decline", Submit: words.T("exchange.proposal.decline"), Fields: []web.Field{
			{Name: "reason", Label: words.T("exchange.act.why"), Help: words.T("exchange.proposal.decline-help"), Rows: 3, Max: maxProposalReason, Required: true, Value: reason}}}))
	}
	v.add(aside(words.T("exchange.may"), "", "notes", mayDo(words, q.Delivery.Level)))
	state := proposalTag(words, q.State)
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.proposal.title", "what", muzzled(q.Title)), Lede: q.whose(words), TLP: max(q.Delivery.Level, q.Target.Level), Data: v, Status: statusOf(failed),
		Crumbs: []web.Link{{Text: words.T("exchange.proposals"), Href: "/proposals"}},
		Facts: []web.Pair{{Term: words.T("exchange.question.state"), Text: state.Text}, {Term: words.T("exchange.marking"), TLP: q.Delivery.Level}, {Term: words.T("exchange.object"), Text: muzzled(q.Title), Href: query(link(q.Target.ID), "community", m.Alias)},
			{Term: words.T("exchange.community"), Text: m.Name}, {Term: words.T("exchange.shared"), Text: words.When(q.Delivery.Seq.Time())}}})
	return nil
}

func (p *Pages) acceptProposal(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	res, err := p.AcceptProposal(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"), values.Get("confirm") == "yes")
	return p.decided(w, r, res, err, "")
}

func (p *Pages) declineProposal(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	res, err := p.DeclineProposal(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"), values.Get("reason"))
	return p.decided(w, r, res, err, values.Get("reason"))
}

func (p *Pages) decided(w http.ResponseWriter, r *http.Request, res Result, err error, reason string) error {
	err = outcome(res, err)
	if mendable(err) {
		return p.showProposal(w, r, err, reason)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, address("proposals", r.PathValue("community"), r.PathValue("id")), "exchange.proposal.decided")
}

// proposes: who may answer an object of another may propose a change to it.
func proposes(sh *sheet) bool {
	return answersTo(sh) && sh.now.Version != "" && !sh.now.Revoked && sh.now.Custodian != sh.rd.by.Org
}

// nameless are the types of which the standard knows no name.
var nameless = []string{"note", "opinion", "sighting", "relationship", "observed-data", "language-content", questionType}

// proposalFields are the properties that a person changes in a form, as they are now.
func proposalFields(_ *Pages, sh *sheet) ([]web.Field, error) {
	words, o := sh.rd.words, sh.now.o
	var fields []web.Field
	add := func(name string, rows, max int, short bool) {
		fields = append(fields, web.Field{Name: name, Label: words.T("exchange.proposal.field." + strings.ReplaceAll(name, "_", "-")), Value: proposalField(o, name), Rows: rows, Max: max, Short: short})
	}
	if !slices.Contains(nameless, o.Type) {
		add("name", 0, 500, false)
	}
	add("description", 4, maxBox, false)
	if o.Type == "indicator" {
		add("pattern", 2, maxBox, false)
		add("valid_until", 0, 40, true)
	}
	add("labels", 0, 1000, false)
	add("confidence", 0, 3, true)
	fields = append(fields, web.Field{Name: "revoked", Label: words.T("exchange.proposal.field.revoked"), Options: []web.Option{{Value: "", Label: words.T("exchange.proposal.keep"), Chosen: true}, {Value: "true", Label: words.T("exchange.proposal.revoke")}}},
		web.Field{Name: "reason", Label: words.T("exchange.act.why"), Help: words.T("exchange.proposal.why-help"), Rows: 3, Max: maxProposalReason, Required: true}, namedField(sh))
	return fields, nil
}

// proposalField is a property as a form shows it.
func proposalField(o stix.Object, name string) string {
	switch name {
	case "labels":
		return strings.Join(texts(o, name), ", ")
	case "confidence":
		return string(o.Property(name))
	}
	return text(o, name)
}

func (p *Pages) doPropose(sh *sheet, f url.Values) (Result, error) {
	patch := map[string]json.RawMessage{}
	for _, name := range Proposable {
		given, asked := f[name]
		if !asked {
			continue
		}
		value := strings.TrimSpace(strings.ReplaceAll(given[0], "\r\n", "\n"))
		switch was := strings.TrimSpace(proposalField(sh.now.o, name)); {
		case value == was, name == "revoked" && value == "":
		case value == "":
			patch[name] = json.RawMessage("null")
		default:
			raw, err := proposalValue(name, value)
			if err != nil {
				return Result{}, polder.Errorf(polder.Invalid, "%s: %w", name, err)
			}
			patch[name] = raw
		}
	}
	return p.MakeProposal(sh.rd.ctx, sh.rd.by, Propose{About: about(sh, f), Patch: patch, Reason: f.Get("reason")})
}

// proposed are the proposals about the object of a sheet, each with a way to its page.
func (p *Pages) proposed(sh *sheet) (all []web.Mark) {
	for _, s := range sh.refers {
		w, ok := proposalOf(s.o)
		if ok && w.Target == sh.now.ID && s.Community == sh.at.Community.ID {
			all = append(all, web.Mark{Icon: "pen", Text: strings.Join(slices.Sorted(maps.Keys(w.Patch)), ", ") + " · " + sh.rd.words.When(s.Seq.Time()), Href: address("proposals", sh.at.Alias, s.ID)})
		}
	}
	return all
}
