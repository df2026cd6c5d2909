package exchange

import (
	"encoding/json"
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// proposalAPI are the routes by which changes are proposed and decided.
func (s *Service) proposalAPI() []web.Route {
	at := "/api/v1/communities/{community}/proposals/{id}"
	return []web.Route{
		{Method: "POST", Pattern: "/api/v1/communities/{community}/objects/{id}/proposals", Need: web.Contributor, Exit: "api.proposal", Handler: web.Handler(s.apiPropose).Serve, Doc: &web.Doc{Summary: "Propose a change to an object of another; its custodian decides", Body: proposeBody{}, Answer: madeAnswer{}}},
		{Method: "GET", Pattern: "/api/v1/proposals", Need: web.Reader, Exit: "api.proposals", Handler: web.Handler(s.apiProposals).Serve, Doc: &web.Doc{Summary: "The proposals that you may see, newest first", Query: map[string]string{"community": "alias; all of yours without it", "state": "open, accepted, declined, superseded or ended; all without it"}, Answer: proposalList{}}},
		{Method: "POST", Pattern: at + "/accept", Need: web.Contributor, Exit: "api.proposal.accept", Handler: web.Handler(s.apiAcceptProposal).Serve, Doc: &web.Doc{Summary: "Accept a proposal about an object of yours: its next version is made and shared", Body: acceptProposalBody{}, Answer: madeAnswer{}}},
		{Method: "POST", Pattern: at + "/decline", Need: web.Contributor, Exit: "api.proposal.decline", Handler: web.Handler(s.apiDeclineProposal).Serve, Doc: &web.Doc{Summary: "Decline a proposal about an object of yours, with a reason", Body: declineProposalBody{}, Answer: madeAnswer{}}},
	}
}

// proposeBody is a proposal as it is sent.
type proposeBody struct {
	aboutBody
	Patch  map[string]json.RawMessage `json:"patch"` // JSON merge patch: name, description, labels, confidence, valid_until, revoked, indicator_types, kill_chain_phases, external_references, pattern
	Reason string                     `json:"reason"`
}

// acceptProposalBody accepts a proposal.
type acceptProposalBody struct {
	Confirm bool `json:"confirm"` // go on although a warning asks to look twice
}

// declineProposalBody declines a proposal.
type declineProposalBody struct {
	Reason string `json:"reason"`
}

// proposalItem is a proposal in a list.
type proposalItem struct {
	ID        string                     `json:"id"`
	Community string                     `json:"community"`
	TLP       string                     `json:"tlp"`
	DateAdded string                     `json:"date_added"`
	Target    string                     `json:"target"`
	Title     string                     `json:"title"`
	Version   string                     `json:"version"`
	State     ProposalState              `json:"state"`
	ForMe     bool                       `json:"for_me"`
	Mine      bool                       `json:"mine"`
	Reason    string                     `json:"reason"`
	Answer    string                     `json:"answer,omitempty"`
	Patch     map[string]json.RawMessage `json:"patch"`
	Changes   []PropertyChange           `json:"changes"`
}

// proposalList is a list of proposals.
type proposalList struct {
	Proposals []proposalItem `json:"proposals"`
}

func (s *Service) apiPropose(w http.ResponseWriter, r *http.Request) error {
	var body proposeBody
	about, err := readAbout(r, &body, &body.aboutBody)
	if err != nil {
		return err
	}
	res, err := s.MakeProposal(r.Context(), web.ActorOf(r), Propose{About: about, Patch: body.Patch, Reason: body.Reason})
	answerMade(w, r, res, err)
	return nil
}

func (s *Service) apiProposals(w http.ResponseWriter, r *http.Request) error {
	all, err := s.Proposals(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"))
	if err != nil {
		return err
	}
	names, err := s.aliases(r.Context())
	if err != nil {
		return err
	}
	out := []proposalItem{}
	for _, p := range all {
		if state := r.URL.Query().Get("state"); state != "" && state != string(p.State) {
			continue
		}
		if p.Changes == nil {
			p.Changes = []PropertyChange{}
		}
		out = append(out, proposalItem{p.Delivery.ID, names[p.Delivery.Community], p.Delivery.Level.String(), p.Delivery.Seq.String(), p.Target.ID, p.Title, p.Version, p.State, p.ForMe, p.Mine, p.Reason, p.Answer, p.Patch, p.Changes})
	}
	web.WriteJSON(w, http.StatusOK, proposalList{out})
	return nil
}

func (s *Service) apiAcceptProposal(w http.ResponseWriter, r *http.Request) error {
	var body acceptProposalBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	res, err := s.AcceptProposal(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"), body.Confirm)
	answerMade(w, r, res, err)
	return nil
}

func (s *Service) apiDeclineProposal(w http.ResponseWriter, r *http.Request) error {
	var body declineProposalBody
	if err := web.ReadJSON(r, &body); err != nil {
		return err
	}
	res, err := s.DeclineProposal(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"), body.Reason)
	answerMade(w, r, res, err)
	return nil
}

// decayAPI are the routes that say what indicators are worth now, and by which rules.
func (s *Service) decayAPI() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/api/v1/objects/{id}/worth", Need: web.Reader, Exit: "api.worth", Handler: web.Handler(s.apiWorth).Serve, Doc: &web.Doc{Summary: "What an indicator is worth now, 0 to 100, and why", Query: map[string]string{"community": "alias; the newest of yours without it"}, Answer: worthAnswer{}}},
		{Method: "GET", Pattern: "/api/v1/decay", Need: web.Reader, Exit: "api.decay", Handler: web.Handler(s.apiDecay).Serve, Doc: &web.Doc{Summary: "The rules by which indicators lose worth", Answer: Decay{}}},
	}
}

// worthAnswer is what an indicator is worth now.
type worthAnswer struct {
	ID      string   `json:"id"`
	Worth   int      `json:"worth"`
	Rule    string   `json:"rule"`
	Renewed string   `json:"renewed"`
	Because []string `json:"because"`
}

func (s *Service) apiWorth(w http.ResponseWriter, r *http.Request) error {
	f, err := s.WorthNow(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"), r.PathValue("id"))
	if err != nil {
		return err
	}
	out := worthAnswer{ID: f.Delivery.ID, Worth: f.Worth, Rule: f.Rule.Name, Renewed: polder.SeqAt(f.Renewed).String()}
	for _, b := range f.Because {
		out.Because = append(out.Because, b.Text)
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (s *Service) apiDecay(w http.ResponseWriter, _ *http.Request) error {
	web.WriteJSON(w, http.StatusOK, s.Decay())
	return nil
}
