package keys

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// API is the REST face of keys.
type API struct{ *Service }

// NewAPI makes the REST face of a service.
func NewAPI(s *Service) *API { return &API{s} }

// Routes are those of the REST API.
func (a *API) Routes() []web.Route {
	return []web.Route{{
		Method: "GET", Pattern: "/api/v1/keys", Need: web.Reader, Exit: "api.keys", Handler: web.Handler(a.list).Serve,
		Doc: &web.Doc{Summary: "The keys of those whom your organisation meets, with the signed statements by which they changed", Answer: keysList{}},
	}}
}

type keysList struct {
	Keys []keysOwner `json:"keys"`
}

type keysOwner struct {
	Owner       string            `json:"owner"`
	Name        string            `json:"name,omitempty"`
	Node        bool              `json:"node,omitempty"`
	Key         string            `json:"key"`
	Fingerprint string            `json:"fingerprint"`
	Recovery    string            `json:"recovery,omitempty"`
	Statements  []json.RawMessage `json:"statements"`
}

func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Met(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	out := keysList{Keys: []keysOwner{}}
	for _, e := range all {
		out.Keys = append(out.Keys, keysOwner{e.Owner, e.Name, e.Node, e.Key, e.Fingerprint, e.Recovery, e.Statements})
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// Met are the owners of keys whom an actor's organisation meets: itself, this node, the members of its communities, those
// who signed there and left, and the nodes of all of them.
func (s *Service) Met(ctx context.Context, by polder.Actor) ([]Entry, error) {
	all, err := s.Entries(ctx, true)
	if err != nil || by.Role == polder.RoleAdmin {
		return all, err
	}
	ms, err := s.o.Accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	met, err := s.metIn(ctx, by, ms)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, e := range all {
		if met[polder.OrgID(e.Owner)] {
			out = append(out, e)
		}
	}
	return out, nil
}

func (s *Service) metIn(ctx context.Context, by polder.Actor, ms []polder.Membership) (map[polder.OrgID]bool, error) {
	node, err := s.NodeID(ctx)
	if err != nil {
		return nil, err
	}
	met := map[polder.OrgID]bool{node: true, by.Org: true}
	for _, m := range ms {
		if m.Right(by) < polder.RoleReader {
			continue
		}
		members, err := s.o.Accounts.Members(ctx, m.Community.ID)
		if err != nil {
			return nil, err
		}
		signers, err := signersIn(s.read(ctx), m.Community.ID)
		if err != nil {
			return nil, err
		}
		for _, o := range members {
			signers = append(signers, o.Org)
		}
		for _, id := range append(signers, m.Home) {
			met[id] = true
			o, err := s.o.Accounts.Org(ctx, id)
			if err == nil {
				met[o.Home] = true
			} else if polder.KindOf(err) != polder.NotFound {
				return nil, err
			}
		}
	}
	delete(met, "")
	return met, nil
}

// Event is a change of keys, for people.
type Event struct {
	Owner polder.OrgID
	Name  string
	Act   seal.KeyAct
	Made  time.Time // by its maker's clock
	Seen  time.Time // when it came here
	Key   seal.KeyID
	By    seal.KeyID
	ByRec bool // the recovery key signed it
	N     int
	Gone  []seal.KeyID
}

// maxEvents is how many changes are shown.
const maxEvents = 200

// Events are the changes of the keys of some owners, the newest first.
func (s *Service) Events(ctx context.Context, of []Entry) (out []Event, err error) {
	for _, e := range of {
		o, err := s.known(ctx, polder.OrgID(e.Owner))
		if err != nil || o == nil {
			return nil, err
		}
		before := seal.Chain{}
		for i, st := range o.chain.Statements() {
			rec, has := before.Recovery()
			ev := Event{Owner: polder.OrgID(e.Owner), Name: e.Name, Act: st.Act, Made: st.Time(), Seen: time.UnixMicro(o.marks[i].seen).UTC(), By: st.By, ByRec: has && rec.ID() == st.By, N: st.N, Gone: st.Revoked}
			if k, ok := st.NewKey(); ok {
				ev.Key = k.ID()
			}
			out = append(out, ev)
			if before, err = before.Add(st); err != nil {
				return nil, err
			}
		}
	}
	return newest(out), nil
}
