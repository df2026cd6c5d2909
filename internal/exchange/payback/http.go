package payback

import (
	"net/http"

	"github.com/polder-exchange/polder/internal/web"
)

// API is the REST face of payback.
type API struct{ *Service }

// NewAPI makes the REST face of a service.
func NewAPI(s *Service) *API { return &API{s} }

// Routes are those of the REST API.
func (a *API) Routes() []web.Route {
	route := func(pattern, exit string, h web.Handler, doc web.Doc) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: "/api/v1/" + pattern, Need: web.Reader, Exit: "api.payback" + exit, Handler: h.Serve, Timeout: countTime, Doc: &doc}
	}
	community := map[string]string{"community": "alias; all of yours without it"}
	return []web.Route{
		route("payback", "", a.account, web.Doc{Summary: "What the knowledge of your organisation did", Query: community, Answer: Account{}}),
		route("payback/rules", ".rules", a.rulesOf, web.Doc{Summary: "The rules of the quality score", Answer: Rules{}}),
		route("payback/quality/{contributor}", ".quality", a.quality, web.Doc{Summary: "The quality of what a contributor shares, as you see it", Query: community, Answer: Contributor{}}),
		route("communities/{community}/contributors", ".contributors", a.contributors, web.Doc{Summary: "The contributors of a community whom you tell apart, with their quality", Answer: contributorList{}}),
		route("communities/{community}/health", ".health", a.health, web.Doc{Summary: "How a community is: who gives, who takes, how fast it is", Answer: Health{}}),
	}
}

// contributorList is a list of contributors.
type contributorList struct {
	Contributors []Contributor `json:"contributors"`
}

func (a *API) account(w http.ResponseWriter, r *http.Request) error {
	out, err := a.Account(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"))
	if err == nil {
		web.WriteJSON(w, http.StatusOK, out)
	}
	return err
}

func (a *API) rulesOf(w http.ResponseWriter, _ *http.Request) error {
	web.WriteJSON(w, http.StatusOK, a.Rules())
	return nil
}

func (a *API) quality(w http.ResponseWriter, r *http.Request) error {
	out, err := a.Quality(r.Context(), web.ActorOf(r), r.URL.Query().Get("community"), r.PathValue("contributor"))
	if err == nil {
		web.WriteJSON(w, http.StatusOK, out)
	}
	return err
}

func (a *API) contributors(w http.ResponseWriter, r *http.Request) error {
	out, err := a.Contributors(r.Context(), web.ActorOf(r), r.PathValue("community"))
	if err == nil {
		web.WriteJSON(w, http.StatusOK, contributorList{out})
	}
	return err
}

func (a *API) health(w http.ResponseWriter, r *http.Request) error {
	out, err := a.Health(r.Context(), web.ActorOf(r), r.PathValue("community"))
	if err == nil {
		web.WriteJSON(w, http.StatusOK, out)
	}
	return err
}
