package exchange

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// releaseAPI are the routes of what an organisation set about what leaves it.
func (s *Service) releaseAPI() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/api/v1/release", Need: web.Steward, Exit: "api.release", Handler: s.apiRelease, Doc: &web.Doc{Summary: "What your organisation set about what leaves it", Answer: releaseDocument{}}},
		{Method: "PUT", Pattern: "/api/v1/release", Need: web.Steward, Exit: "api.release.set", Handler: s.apiSetRelease, MaxBody: maxReleaseBody, Doc: &web.Doc{Summary: "Change what your organisation set about what leaves it", Body: releaseDocument{}, Answer: releaseDocument{}}},
		{Method: "POST", Pattern: "/api/v1/release/preview", Need: web.Contributor, Exit: "api.release.preview", Handler: s.apiReleasePreview, MaxBody: maxForm, Timeout: shareTimeout, Doc: &web.Doc{Summary: "What objects would come to if they left; nothing is stored", Query: map[string]string{"community": "alias or id; without it nobody reads, and what is held is not asked", "tlp": "level of the share", "to": "identity id of a recipient; repeatable", "derive": "level; what is marked stricter is taken out", "named": "1 names the contributor in what is made", "override": "why it leaves although a value in it would stop it"}, Media: "application/stix+json", Answer: releasePreview{}}},
	}
}

// maxReleaseBody is the longest profile.
const maxReleaseBody = 4 << 20

// releaseDocument is a profile with its number.
type releaseDocument struct {
	Version int64           `json:"version"` // of the profile that was read; another in force is a conflict
	Profile release.Profile `json:"profile"`
}

func (s *Service) apiRelease(w http.ResponseWriter, r *http.Request) {
	p, version, err := s.Release(r.Context(), web.ActorOf(r))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, releaseDocument{version, p})
}

func (s *Service) apiSetRelease(w http.ResponseWriter, r *http.Request) {
	var body releaseDocument
	err := web.ReadJSON(r, &body)
	if err == nil {
		body.Version, err = s.SetRelease(r.Context(), web.ActorOf(r), body.Profile, body.Version)
	}
	if err == nil {
		err = body.Profile.Check() // fills in what was left out
	}
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, body)
}

// releasePreview is what objects would come to.
type releasePreview struct {
	Objects  []releasedObject `json:"objects"`
	Refused  []Refusal        `json:"refused"`
	Warnings []Warning        `json:"warnings"` // held ones wait for a confirmation, stops for a reason
	Readers  []string         `json:"readers"`  // names of who would be able to see any of it
}

// releasedObject is an object as it would leave.
type releasedObject struct {
	Index       int              `json:"index"` // in the request
	ID          string           `json:"id"`
	TLP         string           `json:"tlp"`
	DerivedFrom string           `json:"derived_from,omitempty"`
	Changes     []release.Change `json:"changes"`
	Readers     []polder.OrgID   `json:"readers"`
	Object      json.RawMessage  `json:"object"`
}

func (s *Service) apiReleasePreview(w http.ResponseWriter, r *http.Request) {
	req, err := shareRequest(r)
	if err == nil {
		req.Community, req.Preview, req.Confirmed = r.URL.Query().Get("community"), true, false
	}
	var body []byte
	if err == nil {
		body, err = io.ReadAll(r.Body)
	}
	var out releasePreview
	if err == nil {
		out, err = s.releasePreview(r.Context(), web.ActorOf(r), req, body)
	}
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, out)
}

// releasePreview previews objects in a community, or, without one, says what the rules alone make of them.
func (s *Service) releasePreview(ctx context.Context, a polder.Actor, req Request, body []byte) (out releasePreview, err error) {
	out = releasePreview{Objects: []releasedObject{}, Refused: []Refusal{}, Warnings: []Warning{}, Readers: []string{}}
	read, err := s.Read(ctx, a, Source{Community: req.Community, ContentType: "application/stix+json", Body: body})
	if err != nil {
		return out, err
	}
	if req.Community == "" {
		rules, err := s.ReleaseRules(ctx, a.Org)
		if err != nil {
			return out, err
		}
		for i, in := range read.Objects {
			out.add(i, in, rules)
		}
		return out, nil
	}
	req.Objects, req.LeftOut = read.Objects, read.LeftOut
	res, err := s.Share(ctx, a, req)
	if err != nil {
		return out, err
	}
	for _, it := range res.Items {
		out.Objects = append(out.Objects, releasedObject{it.Index, it.ID, it.TLP, it.DerivedFrom, append([]release.Change{}, it.Changes...), append([]polder.OrgID{}, it.Readers...), it.Raw})
	}
	out.Refused = append(out.Refused, res.Refused...)
	out.Warnings = append(out.Warnings, res.Warnings...)
	out.Readers = append(out.Readers, res.Readers...)
	return out, nil
}

// add puts one object through the rules alone.
func (out *releasePreview) add(i int, in Incoming, rules *release.Rules) {
	err := in.Err
	var o stix.Object
	if err == nil {
		o, err = checked(in.Raw)
	}
	if err != nil {
		out.Refused = append(out.Refused, Refusal{ID: peekID(in.Raw), Error: err.Error(), Index: i, Line: in.Where.Line})
		return
	}
	left, changes, stops, doubts := rules.Examine(o)
	level, _ := left.Level() // a checked object's does not contradict itself
	for _, st := range stops {
		out.Warnings = append(out.Warnings, Warning{ID: o.ID, Value: st.Value, Reason: st.Why, Stop: true, Held: true, Rule: st.Rule, Path: st.Path})
	}
	for _, d := range doubts {
		out.Warnings = append(out.Warnings, Warning{ID: o.ID, Value: d.Value, Reason: d.Why, Rule: d.Rule, Path: d.Path})
	}
	for _, b := range rules.Breaches(left, level) {
		label := b.Label
		if label == "" {
			label = "stricter than " + rules.Profile().Highest.Label()
		}
		out.Refused = append(out.Refused, Refusal{ID: o.ID, Error: b.Path + ": holds what your organisation lets nobody send (" + label + ")", Index: i, Line: in.Where.Line})
	}
	out.Objects = append(out.Objects, releasedObject{i, left.ID, level.String(), "", append([]release.Change{}, changes...), []polder.OrgID{}, left.Raw()})
}
