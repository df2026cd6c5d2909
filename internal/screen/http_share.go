package screen

import (
	"cmp"
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

func (a *API) shareRoutes() []web.Route {
	return []web.Route{
		apiRoute("POST", "/lists/{name}/share", ".list", web.Contributor, a.shareList, web.Doc{Summary: "Share a list of your organisation with a community: each listing as an object of its own", Body: shareAsked{}, Answer: Published{}}),
	}
}

// shareAsked is the body that shares a list.
type shareAsked struct {
	Community string `json:"community"` // alias or id
	TLP       string `json:"tlp"`       // the level of the listings; amber without it
	Named     bool   `json:"named"`     // name the organisation; else it is a member's list
	Confirm   bool   `json:"confirm"`   // go on although a warning asks to look twice
	Preview   bool   `json:"preview"`   // share nothing
}

func (in shareAsked) share(list string) (Share, error) {
	level, err := stix.ParseMarking(cmp.Or(in.TLP, "amber"))
	if err != nil {
		return Share{}, polder.Errorf(polder.Invalid, "tlp: %w", err)
	}
	return Share{List: list, Community: in.Community, Level: level, Named: in.Named, Confirmed: in.Confirm, Preview: in.Preview}, nil
}

func (a *API) shareList(w http.ResponseWriter, r *http.Request) error {
	var in shareAsked
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	s, err := in.share(r.PathValue("name"))
	if err != nil {
		return err
	}
	out, err := a.keeper.Publish(r.Context(), web.ActorOf(r), s)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}
