package match

import (
	"net/http"
	"strconv"

	"github.com/polder-exchange/polder/internal/web"
)

// API is the REST face of private matching.
type API struct{ *Service }

// NewAPI makes the REST face of a service.
func NewAPI(s *Service) *API { return &API{s} }

// maxEvaluateBody is the longest body of a batch: 1,024 elements in base64 and their commas.
const maxEvaluateBody = 64 << 10

// Routes are those of the REST API.
func (a *API) Routes() []web.Route {
	route := func(method, pattern, exit string, h web.Handler, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: "/api/v1/match/sets" + pattern, Need: web.Reader, Exit: "api.match" + exit, Handler: h.Serve, Doc: &doc}
	}
	evaluate := route("POST", "/{name}/evaluate", ".evaluate", a.evaluate, web.Doc{Summary: "Answer a batch of blinded elements, with a proof; it counts against the budget of your organisation", Body: matchAsked{}, Answer: Evaluated{}})
	evaluate.MaxBody = maxEvaluateBody
	filter := route("GET", "/{name}/filter", ".filter", a.filter, web.Doc{Summary: "The published filter of a set; it tells nothing without answers to blinded elements", Gives: "application/octet-stream"})
	return []web.Route{
		route("GET", "", "", a.list, web.Doc{Summary: "Sets that your organisation may ask privately", Answer: matchSets{}}),
		route("GET", "/{name}", ".set", a.describe, web.Doc{Summary: "A set in its present epoch: key, size class, filter, signed by the node", Answer: Descriptor{}}),
		route("GET", "/{name}/epochs", ".epochs", a.epochs, web.Doc{Summary: "The epochs of a set, the newest first, to compare what members were given", Answer: matchEpochs{}}),
		filter, evaluate,
	}
}

type matchSets struct {
	Sets   []matchSet    `json:"sets"`
	Silent []matchSilent `json:"silent,omitempty"` // homes of your communities that did not tell their sets
}

type matchSilent struct {
	Home   string `json:"home"`
	Reason string `json:"reason"`
}

type matchSet struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Community string `json:"community"` // alias
	Owner     string `json:"owner"`
	OwnerName string `json:"owner_name"`
	Type      Kind   `json:"type"`
	Epoch     uint64 `json:"epoch"` // 0: none yet
	Budget    int    `json:"budget"`
	Own       bool   `json:"own"`
	Home      string `json:"home,omitempty"` // the node that is asked; none where it is this one
}

func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	all, silent, err := a.Reachable(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	out := matchSets{Sets: []matchSet{}}
	for _, o := range all {
		out.Sets = append(out.Sets, matchSet{o.ID, o.Name, o.Alias, string(o.Org), o.Owner, o.Kind, o.Epoch, o.Budget, o.Own, o.Home})
	}
	for _, q := range silent {
		out.Silent = append(out.Silent, matchSilent{q.Home, q.reason()})
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) describe(w http.ResponseWriter, r *http.Request) error {
	d, err := a.DescribeAny(r.Context(), web.ActorOf(r), r.PathValue("name"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, d)
	return nil
}

type matchEpochs struct {
	Epochs []matchEpoch `json:"epochs"`
}

type matchEpoch struct {
	Epoch     uint64 `json:"epoch"`
	Key       []byte `json:"key"`
	KeyPrint  string `json:"key_fingerprint"`
	SizeClass int    `json:"size_class"`
	Filter    string `json:"filter_sha256"`
	From      string `json:"from"`
	Until     string `json:"until"`
	Ended     string `json:"ended,omitempty"` // earlier than until where another epoch began
}

func (a *API) epochs(w http.ResponseWriter, r *http.Request) error {
	all, err := a.EpochsAny(r.Context(), web.ActorOf(r), r.PathValue("name"))
	if err != nil {
		return err
	}
	out := matchEpochs{Epochs: []matchEpoch{}}
	for _, e := range all {
		one := matchEpoch{Epoch: e.N, Key: e.Public, KeyPrint: keyPrint(e), SizeClass: e.Class, Filter: e.SHA256, From: stamp(e.Made), Until: stamp(e.Until)}
		if !e.Ended.IsZero() {
			one.Ended = stamp(e.Ended)
		}
		out.Epochs = append(out.Epochs, one)
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *API) filter(w http.ResponseWriter, r *http.Request) error {
	b, sum, err := a.FilterAny(r.Context(), web.ActorOf(r), r.PathValue("name"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Header().Set("Etag", strconv.Quote(sum))
	_, err = w.Write(b)
	return err
}

// matchAsked is a batch that is asked.
type matchAsked struct {
	Epoch    uint64   `json:"epoch"`
	Elements [][]byte `json:"elements"` // 16, 64, 256 or 1,024 blinded elements of 32 bytes
}

func (a *API) evaluate(w http.ResponseWriter, r *http.Request) error {
	var in matchAsked
	if err := web.ReadJSON(r, &in); err != nil {
		return err
	}
	out, err := a.EvaluateAny(r.Context(), web.ActorOf(r), r.PathValue("name"), in.Epoch, in.Elements)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}
