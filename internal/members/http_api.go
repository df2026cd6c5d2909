package members

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// apiSelf is who asks, as the API says it.
type apiSelf struct {
	Org         apiOrg          `json:"org"`
	Person      *apiPerson      `json:"person,omitempty"`
	Token       polder.TokenID  `json:"token,omitempty"`
	Role        string          `json:"role"`
	Communities []apiMembership `json:"communities"`
}

type apiOrg struct {
	ID      polder.OrgID `json:"id"`
	Name    string       `json:"name"`
	Country string       `json:"country,omitempty"`
	Sector  string       `json:"sector,omitempty"`
	Widest  string       `json:"widest_tlp,omitempty"`
}

type apiPerson struct {
	ID   polder.PersonID `json:"id"`
	Name string          `json:"name"`
}

type apiMembership struct {
	ID       polder.CommunityID `json:"id"`
	Alias    string             `json:"alias"`
	Name     string             `json:"name"`
	Role     string             `json:"role"`     // of the organisation
	Right    string             `json:"right"`    // what whoever asks may do with objects
	Accepted bool               `json:"accepted"` // the agreement
}

type apiMember struct {
	apiOrg
	Role     string    `json:"role"`
	Since    time.Time `json:"since"`
	Accepted bool      `json:"accepted"`
}

func writeJSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // the client is gone
	return nil
}

func orgOf(o polder.Org) apiOrg {
	return apiOrg{ID: o.ID, Name: o.Name, Country: o.Country, Sector: o.Sector}
}

// apiMe says who asks and what that allows.
func (p *Pages) apiMe(w http.ResponseWriter, r *http.Request) error {
	by := web.ActorOf(r)
	org, err := p.accounts.Org(r.Context(), by.Org)
	if err != nil {
		return err
	}
	memberships, err := p.accounts.MembershipsOf(r.Context(), by)
	if err != nil {
		return err
	}
	me := apiSelf{Org: orgOf(org), Token: by.Token, Role: by.Role.String(), Communities: []apiMembership{}}
	me.Org.Widest = org.Widest.String()
	if by.Person != "" {
		me.Person = &apiPerson{by.Person, by.Name}
	}
	for _, m := range memberships {
		me.Communities = append(me.Communities, apiMembership{m.ID, m.Alias, m.Name, m.Role.String(), effective(by, m), m.Accepted})
	}
	return writeJSON(w, me)
}

// apiMemberList is a community's list of members.
type apiMemberList struct {
	Community string      `json:"community"`
	Members   []apiMember `json:"members"`
}

// apiMembers lists a community's members for its members and administrators.
func (p *Pages) apiMembers(w http.ResponseWriter, r *http.Request) error {
	c, err := p.place(r)
	if err != nil {
		return err
	}
	members, err := p.accounts.MemberList(r.Context(), web.ActorOf(r), c.ID)
	if err != nil {
		return err
	}
	list := []apiMember{}
	for _, m := range members {
		list = append(list, apiMember{orgOf(m.Organisation), m.Role.String(), m.Since, m.Accepted})
	}
	return writeJSON(w, apiMemberList{c.Alias, list})
}
