package exchange

import (
	"net/http"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// The routes of advisories and of how long a community keeps things.
func (s *Service) advisoryAPI() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/api/v1/advisories", Need: web.Reader, Exit: "api.advisories", Handler: s.apiAdvisories, Doc: &web.Doc{Summary: "The advisories that you may see, newest first", Answer: advisoryList{}}},
		{Method: "GET", Pattern: "/api/v1/communities/{community}/advisories/{id}", Need: web.Reader, Exit: "api.advisory", Handler: s.apiAdvisory, Doc: &web.Doc{Summary: "One advisory", Answer: advisoryAnswer{}}},
		{Method: "POST", Pattern: "/api/v1/communities/{community}/advisories", Need: web.Contributor, Exit: "api.advise", Handler: s.apiAdvise, Doc: &web.Doc{Summary: "Publish an advisory", Body: advisoryBody{}, Answer: madeAnswer{}}},
		{Method: "GET", Pattern: "/api/v1/communities/{community}/retention", Need: web.Reader, Exit: "api.retention", Handler: s.apiRetention, Doc: &web.Doc{Summary: "How many days a community keeps what is shared in it; 0 is without end", Answer: retentionBody{}}},
		{Method: "PUT", Pattern: "/api/v1/communities/{community}/retention", Need: web.Steward, Exit: "api.retention.set", Handler: s.apiSetRetention, Doc: &web.Doc{Summary: "Set how many days a community keeps what is shared in it", Body: retentionBody{}, Answer: retentionBody{}}},
	}
}

type advisoryAnswer struct {
	ID          string       `json:"id"`
	Community   string       `json:"community"`
	TLP         string       `json:"tlp"`
	Published   time.Time    `json:"published"`
	Revoked     bool         `json:"revoked"`
	Mine        bool         `json:"mine"`
	Title       string       `json:"title"`
	Body        string       `json:"body"`
	ForWhom     string       `json:"for_whom,omitempty"`
	WhatToDo    string       `json:"what_to_do,omitempty"`
	ObjectRefs  []string     `json:"object_refs"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

type advisoryList struct {
	Advisories []advisoryAnswer `json:"advisories"`
}

type advisoryBody struct {
	AdvisoryText
	TLP        string         `json:"tlp"`
	To         []polder.OrgID `json:"to,omitempty"`
	Named      bool           `json:"named,omitempty"`
	ObjectRefs []string       `json:"object_refs,omitempty"`
	Confirm    bool           `json:"confirm,omitempty"`
}

type retentionBody struct {
	Days int `json:"days"`
}

func answerOf(v Advisory, names map[polder.CommunityID]string) advisoryAnswer {
	d := v.Delivery
	return advisoryAnswer{d.ID, names[d.Community], d.Level.String(), v.Published, v.Revoked, v.Mine, v.Title, v.Body, v.ForWhom, v.WhatToDo, v.About, v.Attachments}
}

func (s *Service) apiAdvisories(w http.ResponseWriter, r *http.Request) {
	all, err := s.Advisories(r.Context(), web.ActorOf(r), 200)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	names, err := s.aliases(r.Context())
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	list := advisoryList{Advisories: []advisoryAnswer{}}
	for _, v := range all {
		list.Advisories = append(list.Advisories, answerOf(v, names))
	}
	web.WriteJSON(w, http.StatusOK, list)
}

func (s *Service) apiAdvisory(w http.ResponseWriter, r *http.Request) {
	v, err := s.Advisory(r.Context(), web.ActorOf(r), r.PathValue("community"), r.PathValue("id"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	names, err := s.aliases(r.Context())
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, answerOf(v, names))
}

// apiAdvise makes a draft, publishes it, and throws it away where that failed.
func (s *Service) apiAdvise(w http.ResponseWriter, r *http.Request) {
	var body advisoryBody
	if err := web.ReadJSON(r, &body); err != nil {
		web.Problem(w, r, err)
		return
	}
	ctx, a := r.Context(), web.ActorOf(r)
	d, err := s.SaveDraft(ctx, a, Draft{AdvisoryText: body.AdvisoryText, Community: r.PathValue("community"), TLP: body.TLP, To: body.To, Named: body.Named, About: body.ObjectRefs})
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	res, err := s.PublishDraft(ctx, a, d.ID, body.Confirm)
	if outcome(res, err) != nil {
		if drop := s.DeleteDraft(ctx, a, d.ID); drop != nil {
			s.log.WarnContext(ctx, "a draft stays behind", "error", drop)
		}
	}
	answerMade(w, r, res, err)
}

func (s *Service) apiRetention(w http.ResponseWriter, r *http.Request) {
	days, err := s.Retention(r.Context(), web.ActorOf(r), r.PathValue("community"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, retentionBody{days})
}

func (s *Service) apiSetRetention(w http.ResponseWriter, r *http.Request) {
	var body retentionBody
	if err := web.ReadJSON(r, &body); err != nil {
		web.Problem(w, r, err)
		return
	}
	if err := s.SetRetention(r.Context(), web.ActorOf(r), r.PathValue("community"), body.Days); err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, body)
}
