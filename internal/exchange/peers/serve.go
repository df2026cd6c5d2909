package peers

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
)

// Routes are what this node answers to peers. Who asks is known by a session and a signature, or by an invitation; no
// cookie and no token counts here.
func (s *Service) Routes() []web.Route {
	route := func(method, path, exit string, body int64, h web.Handler, doc web.Doc) web.Route {
		return web.Route{Method: method, Pattern: root + path, Need: web.Public, Unseen: true, Exit: "peers." + exit, Handler: h.Serve, MaxBody: body, Timeout: time.Minute, Doc: &doc}
	}
	stream := route("GET", "stream", "stream", 0, s.linked(s.serveStream), web.Doc{Summary: "Peers: what the organisation of a link may see, live", Gives: "text/event-stream",
		Query: map[string]string{"after": "the number of the last delivery that is held", "generation": "of the link"}})
	stream.Stream = true
	routes := []web.Route{
		route("POST", "hello", "hello", 4<<10, s.serveHello, web.Doc{Summary: "Peers: have this node prove who it is", Body: peerHello{}, Answer: peerHelloAnswer{}}),
		route("POST", "session", "session", 256<<10, s.serveSession, web.Doc{Summary: "Peers: open a session of a link", Body: peerSigned{}, Answer: peerSessionAnswer{}}),
		route("POST", "look", "look", 256<<10, s.serveLook, web.Doc{Summary: "Peers: what an invitation is for", Body: peerSigned{}, Answer: peerLookAnswer{}}),
		route("POST", "join", "join", 256<<10, s.serveJoin, web.Doc{Summary: "Peers: make a link with an invitation", Body: peerSigned{}, Answer: peerJoinAnswer{}}),
		route("GET", "state", "state", 0, s.linked(s.serveState), web.Doc{Summary: "Peers: how a link stands at its home", Query: map[string]string{"cursor": "the number up to which the peer has stored"}, Answer: peerState{}}),
		route("GET", "roster", "roster", 0, s.linked(s.serveRoster), web.Doc{Summary: "Peers: a community of the link and who belongs to it", Query: map[string]string{"community": "its id"}, Answer: peerRoster{}}),
		route("GET", "deliveries", "deliveries", 0, s.linked(s.serveDeliveries), web.Doc{Summary: "Peers: a page of what the organisation of a link may see", Gives: "application/json",
			Query: map[string]string{"after": "the number of the last delivery that is held", "generation": "of the link"}}),
		stream,
		route("POST", "push", "push", maxFrame, s.linked(s.servePush), web.Doc{Summary: "Peers: what the organisation of a link shared at its own node", Query: map[string]string{"lineage": "of the peer's log"}, Media: "application/json", Answer: peerVerdicts{}}),
		route("POST", "return", "return", maxFrame, s.linked(s.serveReturn), web.Doc{Summary: "Peers: what this node may have lost by being restored", Media: "application/json", Answer: peerVerdicts{}}),
		route("POST", "leave", "leave", 0, s.linked(s.serveLeave), web.Doc{Summary: "Peers: end the link"}),
	}
	for _, p := range s.o.Parts {
		for _, r := range p.PeerRoutes() {
			routes = append(routes, route(r.Method, r.Path, "part", r.MaxBody, s.linked(s.servePart(r)), web.Doc{Summary: "Peers: " + r.Summary, Gives: "application/json"}))
		}
	}
	return routes
}

// known is a request of a link: its signature was checked.
type known struct {
	*http.Request
	link Link
	body []byte
	key  ed25519.PublicKey // by which it was signed
}

type linkHandler func(w http.ResponseWriter, k known) error

// linked finds the link that a request comes from. What costs least is looked at first; a number counts as used once its
// signature is right.
func (s *Service) linked(h linkHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		one, err := s.sessions.of(r.Header.Get(headerSession))
		if err != nil {
			if limited := s.knock(r); limited != nil {
				return limited
			}
			return err
		}
		if wait, ok := s.asks.Take(one.link); !ok {
			return tooMany("requests", wait)
		}
		if r.Header.Get("Content-Encoding") != "" {
			return polder.Errorf(polder.Invalid, "the body is packed; send it as it is")
		}
		count, err := strconv.ParseUint(r.Header.Get(headerCount), 10, 64)
		if err != nil || !s.sessions.fresh(one, count) && !fail.Bug("peer-replay") {
			return errReplay
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		signature, err := base64.RawStdEncoding.DecodeString(r.Header.Get(headerSignature))
		target := r.URL.Path[min(len(root), len(r.URL.Path)):]
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		if err != nil || !ed25519.Verify(one.key, requestText(one.id, count, r.Method, target, body), signature) {
			return polder.Errorf(polder.Unauthorised, "the signature of the request is wrong")
		}
		if err := s.sessions.use(one, count); err != nil && !fail.Bug("peer-replay") {
			return err
		}
		l, err := s.alive(r.Context(), one.link)
		if err != nil {
			return err
		}
		if err := s.inForce(r.Context(), l, one.key); err != nil {
			return err
		}
		s.heard(l.ID)
		return h(w, known{r, l, body, one.key})
	}
}

// inForce refuses a session that was opened with a key which the peer has replaced or revoked since: whoever stole that
// key goes no further with what it opened before.
func (s *Service) inForce(ctx context.Context, l Link, key ed25519.PublicKey) error {
	if !bytes.Equal(s.keyOf(ctx, l.PeerLink), key) {
		return errSession
	}
	return nil
}

// knock counts a request of somebody who is not known yet.
func (s *Service) knock(r *http.Request) error {
	from := web.From(r)
	if wait, ok := s.knocks.Take(from.String()); !ok {
		return tooMany("requests of one address", wait)
	}
	return nil
}

func tooMany(what string, wait time.Duration) error {
	return polder.Errorf(polder.Limited, "too many %s: %w", what, &accounts.TooOften{After: wait})
}

var errEnded = polder.Errorf(polder.NotFound, "this node knows no such link, any more")

// alive is a link that this node serves and that stands, paused or not.
func (s *Service) alive(ctx context.Context, id string) (Link, error) {
	l, err := readLink(s.read(ctx), id)
	if errors.Is(err, polder.ErrNotFound) || err == nil && (!l.Serves || !l.Ended.IsZero()) {
		return Link{}, errEnded
	}
	return l, err
}

// open refuses what flows while a link stands still.
func open(l Link) error {
	switch {
	case l.Stopped != "":
		return polder.Errorf(polder.Unavailable, "the link stands still here until an administrator resumes it")
	case l.Paused:
		return polder.Errorf(polder.Unavailable, "the link is paused here")
	}
	return nil
}

// readBody reads JSON of a node that may be newer: members that are not known are passed over.
func readBody(r *http.Request, to any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return readText(raw, to)
}

func readText(raw []byte, to any) error {
	if err := jsonv2.Unmarshal(raw, to); err != nil {
		return polder.Errorf(polder.Invalid, "body: is no JSON of the form that was agreed")
	}
	return nil
}

func (s *Service) serveHello(w http.ResponseWriter, r *http.Request) error {
	if err := s.knock(r); err != nil {
		return err
	}
	var q peerHello
	if err := readBody(r, &q); err != nil {
		return err
	}
	if !nodeForm.MatchString(string(q.Node)) || len(q.Nonce) != nonceSize {
		return polder.Errorf(polder.Invalid, "body: give the id of your node, and a nonce of %d bytes", nonceSize)
	}
	own, _, err := s.o.Keys.Node(r.Context())
	if err != nil {
		return err
	}
	host, err := s.o.Accounts.Host(r.Context())
	if err != nil {
		return err
	}
	out := peerHelloAnswer{Node: own, Name: host.Name}
	if out.Challenge, err = s.sessions.challenge(q.Node, q.Nonce); err != nil {
		return err
	}
	if out.Chain, err = s.o.Keys.Chain(r.Context(), own); err != nil && !errors.Is(err, polder.ErrNotFound) {
		return err
	}
	if out.Signature, err = s.o.Keys.SignNode(r.Context(), signed(forHello, text64(q.Nonce), text64(out.Challenge), string(q.Node), string(own))); err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// challenged reads a request of a node without a session, under a challenge of ours that the caller spends.
func (s *Service) challenged(r *http.Request, request any) (q peerSigned, err error) {
	if err := s.knock(r); err != nil {
		return q, err
	}
	if err := readBody(r, &q); err != nil {
		return q, err
	}
	if err := s.sessions.ours(q.Challenge, q.Node, q.Nonce); err != nil {
		return q, err
	}
	return q, readText(q.Request, request)
}

// invited is challenged for who has no link yet: the challenge is spent with it.
func (s *Service) invited(r *http.Request, in *peerJoin) (q peerSigned, err error) {
	if q, err = s.challenged(r, in); err == nil {
		err = s.sessions.spend(q.Challenge, q.Node, q.Nonce, false)
	}
	return q, err
}

func (s *Service) serveLook(w http.ResponseWriter, r *http.Request) error {
	var in peerJoin
	q, err := s.invited(r, &in)
	if err != nil {
		return err
	}
	out, err := s.look(r.Context(), q, in)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (s *Service) serveJoin(w http.ResponseWriter, r *http.Request) error {
	var in peerJoin
	q, err := s.invited(r, &in)
	if err != nil {
		return err
	}
	out, err := s.join(r.Context(), q, in)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (s *Service) serveSession(w http.ResponseWriter, r *http.Request) error {
	var in peerSession
	q, err := s.challenged(r, &in)
	if err != nil {
		return err
	}
	l, err := s.alive(r.Context(), in.Link)
	if err != nil || l.Peer != q.Node {
		return errEnded
	}
	key, err := s.proved(r.Context(), q, in, l)
	if err != nil {
		return err
	}
	if err := s.sessions.spend(q.Challenge, q.Node, q.Nonce, true); err != nil {
		return err
	}
	id, err := s.sessions.open(l.ID, key)
	if err != nil {
		return err
	}
	s.heard(l.ID)
	web.WriteJSON(w, http.StatusOK, peerSessionAnswer{id})
	return nil
}

// proved is the key by which the peer of a link signed: the one in force, or one to which its statements lead.
func (s *Service) proved(ctx context.Context, q peerSigned, in peerSession, l Link) (ed25519.PublicKey, error) {
	key := s.keyOf(ctx, l.PeerLink)
	wrong := s.stranger(ctx, q, forSession, key)
	if wrong == nil {
		return key, nil
	}
	if len(in.Chain) == 0 || len(in.Chain) > maxChain || s.o.Keys.Learn(ctx, l.Peer, in.Chain) != nil {
		return nil, wrong
	}
	key = s.keyOf(ctx, l.PeerLink)
	return key, s.stranger(ctx, q, forSession, key)
}

// peerState is how a link stands at its home.
type peerState struct {
	Generation  string               `json:"generation"`
	Began       polder.Seq           `json:"began"` // what the home gave higher numbers before it was restored, its log lacks; 0 when it never was
	Top         polder.Seq           `json:"top"`
	Communities []polder.CommunityID `json:"communities"`
	Confirmed   bool                 `json:"confirmed"`
	Paused      string               `json:"paused,omitempty"` // why nothing flows; "" when it does
	Behind      int                  `json:"behind"`           // deliveries that wait behind the cursor; at most behindMost
	Lag         int64                `json:"lag"`              // microseconds that the oldest has waited
}

const behindMost = 1000

func (s *Service) serveState(w http.ResponseWriter, k known) error {
	ctx := k.Context()
	out := peerState{Communities: k.link.Communities, Confirmed: k.link.Confirmed, Top: s.o.Journal.Top()}
	var err error
	if out.Generation, err = s.generation(ctx, k.link); err != nil {
		return err
	}
	if out.Began, err = s.o.Journal.Began(ctx); err != nil {
		return err
	}
	if err := open(k.link); err != nil {
		out.Paused = err.Error()
		web.WriteJSON(w, http.StatusOK, out)
		return nil
	}
	cursor, _ := strconv.ParseInt(k.URL.Query().Get("cursor"), 10, 64) // none is 0
	_, sight, err := s.acting(ctx, k.link)
	if err != nil {
		return err
	}
	var lag time.Duration
	if out.Behind, lag, err = s.waiting(ctx, sight, polder.Seq(cursor)); err != nil {
		return err
	}
	out.Lag = lag.Microseconds()
	s.report(k.link.ID, func(st *status) {
		st.behind, st.lag, st.epoch = out.Behind, lag, k.link.Epoch
		st.holds(polder.Seq(min(cursor, int64(out.Top))), s.o.Now())
	})
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// waiting is how many deliveries lie behind a cursor, at most behindMost, and how old the first of them is.
func (s *Service) waiting(ctx context.Context, sight polder.Sight, after polder.Seq) (int, time.Duration, error) {
	if after >= s.o.Journal.Top() {
		return 0, 0, nil
	}
	page, err := s.o.Journal.Page(ctx, sight, journal.Query{After: after, Limit: behindMost, All: true, Withdrawals: true, NoBodies: true})
	if err != nil || len(page.Deliveries) == 0 {
		return 0, 0, err
	}
	return len(page.Deliveries), max(0, s.o.Now().Sub(page.Deliveries[0].Seq.Time())), nil
}

// acting is who acts over a link that this node serves, and what it sees now.
func (s *Service) acting(ctx context.Context, l Link) (polder.Actor, polder.Sight, error) {
	a, err := s.o.Accounts.ActorOfToken(ctx, l.Token)
	if err != nil {
		if k := polder.KindOf(err); k == polder.Unauthorised || k == polder.NotFound {
			err = errEnded
		}
		return a, polder.Sight{}, err
	}
	sight, err := s.o.Exchange.Sight(ctx, a)
	return a, sight, err
}

// generation names what a cursor of the link counts in.
func (s *Service) generation(ctx context.Context, l Link) (string, error) {
	lineage, _, err := journal.Describe(ctx, s.o.DB.Read())
	return fmt.Sprintf("%s.%d", lineage, l.Epoch), err
}

// peerRoster is a community and who belongs to it.
type peerRoster struct {
	Community accounts.CommunityShape `json:"community"`
	Roster    []accounts.RosterEntry  `json:"roster"`
}

func (s *Service) serveRoster(w http.ResponseWriter, k known) error {
	id := polder.CommunityID(k.URL.Query().Get("community"))
	_, sight, err := s.acting(k.Context(), k.link)
	if err != nil {
		return err
	}
	if !slices.Contains(k.link.Communities, id) || !slices.Contains(sight.Communities, id) {
		return polder.Errorf(polder.NotFound, "no community %.40q of this link", id)
	}
	var out peerRoster
	if out.Community, err = s.o.Accounts.Shape(k.Context(), id); err != nil {
		return err
	}
	if out.Roster, err = s.o.Accounts.Roster(k.Context(), id); err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// peerVerdicts are what became of what was sent, in its order.
type peerVerdicts struct {
	Verdicts []exchange.Verdict `json:"verdicts"`
}

// servePart answers for one of the parts.
func (s *Service) servePart(r exchange.PeerRoute) linkHandler {
	return func(w http.ResponseWriter, k known) error {
		if err := open(k.link); err != nil {
			return err
		}
		out, err := r.Handle(k.Context(), k.link.PeerLink, k.URL.Query(), k.body)
		if err != nil {
			return err
		}
		web.WriteJSON(w, http.StatusOK, out)
		return nil
	}
}

// serveLeave ends the link on the peer's word.
func (s *Service) serveLeave(w http.ResponseWriter, k known) error {
	if err := s.endServed(k.Context(), polder.Actor{}, k.link, "peer.leave"); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endServed ends a link that this node serves: its token dies in the transaction, so its streams end with the next look.
func (s *Service) endServed(ctx context.Context, by polder.Actor, l Link, action string) error {
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := s.o.Accounts.RevokeLinkToken(tx, accounts.Local(), l.Token); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE peers_link SET ended = ?, state = '', detail = '' WHERE id = ? AND ended = 0`, micros(s.o.Now()), l.ID); err != nil {
			return err
		}
		if err := s.note(tx, by, action, l.ID, map[string]string{"peer": string(l.Peer), "org": string(l.Org)}); err != nil {
			return err
		}
		return moved(tx)
	})
	if err != nil {
		return err
	}
	s.sessions.end(l.ID)
	s.lookNow()
	for _, c := range l.Communities {
		if err := s.o.Accounts.Leave(ctx, accounts.Local(), c, l.Org); err != nil && !errors.Is(err, polder.ErrNotFound) {
			return err
		}
	}
	return nil
}
