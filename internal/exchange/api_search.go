package exchange

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
)

// The REST routes of search.
func (s *Service) searchRoutes() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/api/v1/search", Need: web.Reader, Exit: "api.search", Handler: s.apiSearch, Doc: &web.Doc{Summary: "Find what is shared about an indicator, a name, a word or an id", Query: map[string]string{"q": "what to find", "limit": "1 to 1000; 100 without it", "community": "alias; all of yours without it", "type": "types, with commas between"}, Answer: eventPage{}}},
		{Method: "GET", Pattern: "/api/v1/values", Need: web.Reader, Exit: "api.value", Handler: s.apiValue, Doc: &web.Doc{Summary: "Everything known here of a value", Query: map[string]string{"value": "an indicator, defanged or not"}, Answer: map[string]any{}}},
	}
}

func (s *Service) apiSearch(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	q := SearchQuery{Text: v.Get("q"), Community: v.Get("community")}
	if t := v.Get("type"); t != "" {
		q.Types = strings.Split(t, ",")
	}
	if t := v.Get("limit"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 || n > MaxFound {
			web.Problem(w, r, polder.Errorf(polder.Invalid, "limit: %q is not a number from 1 to %d", t, MaxFound))
			return
		}
		q.Limit = n
	}
	found, err := s.Search(r.Context(), web.ActorOf(r), q)
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	names, err := s.aliases(r.Context())
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, map[string]any{"objects": events(found.Deliveries, names), "more": found.More})
}

// events are deliveries as the API gives them; never nil, so that an empty answer is an empty list.
func events(list []journal.Delivery, names map[polder.CommunityID]string) []any {
	out := make([]any, 0, len(list))
	for _, d := range list {
		out = append(out, eventOf(d, names[d.Community]))
	}
	return out
}

// apiValue is everything known here of a value.
func (s *Service) apiValue(w http.ResponseWriter, r *http.Request) {
	known, err := s.Value(r.Context(), web.ActorOf(r), r.URL.Query().Get("value"))
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	names, err := s.aliases(r.Context())
	if err != nil {
		web.Problem(w, r, err)
		return
	}
	type indicatorNow struct {
		Event any   `json:"event"`
		Worth Worth `json:"worth"`
	}
	indicators := []indicatorNow{}
	for _, i := range known.Indicators {
		indicators = append(indicators, indicatorNow{eventOf(i.Delivery, names[i.Delivery.Community]), i.Worth})
	}
	out := map[string]any{
		"kind": known.Kind, "value": known.Value, "indicators": indicators, "objects": events(known.Objects, names),
		"sightings": events(known.Sightings, names), "remarks": events(known.Remarks, names), "more": known.More,
	}
	if known.First != 0 {
		out["first_shared"], out["last_shared"] = known.First.String(), known.Last.String()
	}
	web.WriteJSON(w, http.StatusOK, out)
}
