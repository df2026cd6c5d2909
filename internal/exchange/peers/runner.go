package peers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/bits"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
)

// runner keeps one link going that this node dials.
type runner struct {
	s       *Service
	id      string
	end     context.CancelFunc
	changed chan struct{}                   // holds one token when a person changed the link
	told    map[polder.CommunityID][32]byte // what the home last said of a community; of one cycle after the other
	worked  bool                            // the last cycle took all that there was, so what broke off is the wire

	mu     sync.Mutex
	shape  string
	cancel context.CancelCauseFunc // of the cycle that runs
}

// reshape has a running cycle begin again when the link is not what it was.
func (r *runner) reshape(shape string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if shape == r.shape {
		return
	}
	r.shape = shape
	if r.cancel != nil {
		r.cancel(errMoved)
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// run connects, and connects again when it broke off: at once when the link was changed, else after a while that grows.
func (r *runner) run(ctx context.Context) {
	for try := 0; ctx.Err() == nil; {
		l, err := readLink(r.s.read(ctx), r.id)
		if err == nil && !l.Ended.IsZero() {
			return
		}
		wait := r.s.o.Pace.Last
		if err == nil && open(l) == nil {
			began := r.s.o.Steady()
			r.worked = false
			err = r.cycle(ctx, l)
			if r.worked && !errors.Is(err, errAnew) || r.s.o.Steady()-began > 2*r.s.o.Pace.Beat {
				try = 0 // it went well
			}
			wait = r.judge(ctx, l, err, try)
			try++
		}
		if wait == 0 {
			continue
		}
		if !r.rest(ctx, wait) {
			try = 0
		}
	}
}

// rest waits; it answers false when a person changed the link meanwhile.
func (r *runner) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.changed:
		return false
	case <-ctx.Done():
		return true
	}
}

// judge says what an error of a cycle means, and how long to wait before the next; 0 is not at all.
func (r *runner) judge(ctx context.Context, l Link, err error, try int) time.Duration {
	if ctx.Err() != nil || errors.Is(err, errMoved) || errors.Is(err, errAnew) && try == 0 {
		return 0
	}
	wait := backoff(r.s.o.Pace, try)
	if errors.Is(err, errAnew) {
		return wait // a home that changes its mind all the time is not asked all the time
	}
	if no, ok := errors.AsType[*refusal](err); ok && no.after > 0 {
		wait = max(wait, min(no.after, r.s.o.Pace.Last))
	}
	if bad, ok := errors.AsType[breach](err); ok {
		r.s.stop(ctx, l.ID, bad.Error())
		return r.s.o.Pace.Last
	}
	if _, ok := errors.AsType[*gone](err); ok {
		r.s.stop(ctx, l.ID, "the home does not know the link any more: it was removed there")
		return r.s.o.Pace.Last
	}
	if errors.Is(err, errThere) {
		r.s.failed(l.ID, stateThere, err.Error())
		return min(wait, r.s.o.Pace.Beat)
	}
	text := "the connection broke off"
	if err != nil {
		text = err.Error()
	}
	r.s.failed(l.ID, stateUnreached, text)
	r.s.o.Log.DebugContext(ctx, "a link does not work", "link", l.ID, "try", try, "err", err)
	return wait
}

// backoff doubles with each try, and is spread so that many peers do not come back at once.
func backoff(p Pace, try int) time.Duration {
	d := min(p.First<<min(try, 20), p.Last)
	var b [8]byte
	_, _ = rand.Read(b[:]) // it does not fail
	spread, _ := bits.Mul64(binary.BigEndian.Uint64(b[:]), uint64(d)/2+1)
	return d/2 + time.Duration(spread)
}

var (
	errAnew  = errors.New("begin again under another generation")
	errThere = errors.New("the home lets nothing flow over this link")
)

// gone is the home's word that there is no such link.
type gone struct{ error }

func (g *gone) Unwrap() error { return g.error }

// cycle is one connection: session, what parts say, members, and then what flows, down and up, until something breaks.
func (r *runner) cycle(ctx context.Context, l Link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.mu.Lock()
	if r.shape != shapeOf(l) { // it was changed while it was read
		r.shape = shapeOf(l)
	}
	r.cancel = cancel
	r.mu.Unlock()
	if l.State == "" {
		r.s.failed(l.ID, stateConnecting, "")
	}
	c, err := r.s.dial(ctx, l)
	if err != nil {
		if no, ok := errors.AsType[*refusal](err); ok && polder.KindOf(no) == polder.NotFound {
			return &gone{err}
		}
		return err
	}
	c.heard = func() { r.s.heard(l.ID) }
	defer r.s.connected(l.ID, c)()
	y := &cycle{r: r, s: r.s, conn: c, link: l, cancel: cancel, sync: make(chan struct{}, 1), woken: make(chan struct{}, 1), stored: make(chan struct{}, 1), cursor: l.Cursor}
	return y.run(ctx)
}

// cycle is what a connection of a link goes on with.
type cycle struct {
	r      *runner
	s      *Service
	conn   *conn
	link   Link
	cancel context.CancelCauseFunc
	sync   chan struct{} // holds one token when the home says that something changed
	woken  chan struct{} // holds one token when the pusher should try again
	stored chan struct{} // holds one token when the home should hear how far this node has come
	began  polder.Seq    // see [peerState]; another one is another generation
	tried  time.Duration // of the pusher: when the home was asked again about what it could not judge

	mu      sync.Mutex
	cursor  polder.Seq // what is stored
	top     polder.Seq // of the home
	pushing string     // what is wrong with pushing; "" when nothing is
	marked  time.Duration
	noted   polder.Seq // the cursor as it was last written
}

func (y *cycle) run(ctx context.Context) error {
	st, err := y.state(ctx)
	if err != nil {
		return err
	}
	y.began = st.Began
	if err := y.begin(ctx, st); err != nil {
		return err
	}
	if err := y.syncAll(ctx, st); err != nil {
		return err
	}
	y.s.report(y.link.ID, func(s *status) { s.state, s.detail = stateCatching, "" })
	var all sync.WaitGroup
	for _, work := range []func(context.Context) error{y.pull, y.push, y.beat, y.acknowledge} {
		all.Go(func() { y.cancel(work(ctx)) })
	}
	all.Wait()
	return context.Cause(ctx)
}

// state asks the home how the link stands, and says how far this node has come.
func (y *cycle) state(ctx context.Context) (peerState, error) {
	var st peerState
	query := url.Values{"cursor": {strconv.FormatInt(int64(y.at()), 10)}}
	if err := y.conn.Call(ctx, http.MethodGet, "state", query, nil, &st); err != nil {
		return st, err
	}
	switch {
	case !generationForm(st.Generation):
		return st, breached("the home names no generation")
	case st.Paused != "":
		return st, errThere
	case len(st.Communities) > maxCommunities:
		return st, breached("the home names %d communities; at most %d", len(st.Communities), maxCommunities)
	}
	y.mu.Lock()
	y.top = max(y.top, min(st.Top, polder.Seq(1)<<53))
	y.mu.Unlock()
	return st, nil
}

const maxCommunities = 1000

func (y *cycle) at() polder.Seq {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.cursor
}

// begin takes up the home's generation. Under another one everything is read and pushed again; where the home was
// restored, what it may have lost is offered to it.
func (y *cycle) begin(ctx context.Context, st peerState) error {
	l := &y.link
	if st.Generation == l.Generation && st.Confirmed == l.Trusted {
		return nil
	}
	offered := l.Offered
	if l.Generation != "" && lineageOf(l.Generation) != lineageOf(st.Generation) {
		var err error
		if offered, err = markBefore(y.s.read(ctx), l.ID, st.Began); err != nil {
			return err
		}
	}
	err := y.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if st.Generation == l.Generation {
			_, err := tx.Exec(`UPDATE peers_link SET trusted = ? WHERE id = ?`, st.Confirmed, l.ID)
			return err
		}
		if _, err := tx.Exec(`UPDATE peers_link SET generation = ?, cursor = 0, pushed = 0, trusted = ?, offered = ? WHERE id = ? AND ended = 0`, st.Generation, st.Confirmed, offered, l.ID); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM peers_mark WHERE link = ? AND ?`, l.ID, lineageOf(l.Generation) != lineageOf(st.Generation))
		return err
	})
	if err != nil {
		return err
	}
	l.Trusted = st.Confirmed
	if st.Generation != l.Generation {
		l.Generation, l.Cursor, l.Pushed, l.Offered = st.Generation, 0, 0, offered
		y.mu.Lock()
		y.cursor, y.noted = 0, 0
		y.mu.Unlock()
	}
	return nil
}

func lineageOf(generation string) string {
	for i, c := range generation {
		if c == '.' {
			return generation[:i]
		}
	}
	return generation
}

// syncAll has the parts speak, and takes over what the home says of communities and members.
func (y *cycle) syncAll(ctx context.Context, st peerState) error {
	for _, p := range y.s.o.Parts {
		if err := p.Sync(ctx, y.link.PeerLink, y.conn); err != nil {
			if ctx.Err() != nil || polder.KindOf(err) == polder.Unauthorised {
				return err
			}
			y.s.o.Log.WarnContext(ctx, "a part did not come to an end with a peer", "link", y.link.ID, "err", err)
		}
	}
	if err := y.members(ctx, st); err != nil {
		return err
	}
	verdicts, err := y.s.o.Exchange.Retake(ctx, y.origin())
	if err != nil || len(verdicts) == 0 {
		return err
	}
	return y.s.o.DB.Write(ctx, func(tx *db.Tx) error { return release(tx, y.link.ID, verdicts, false) })
}

// members takes over communities and rosters. A community that the home does not name any more is detached.
func (y *cycle) members(ctx context.Context, st peerState) error {
	home := accounts.Home{ID: y.link.Peer, Name: y.link.Name}
	for _, c := range y.link.Communities {
		if !slices.Contains(st.Communities, c) {
			continue
		}
		var got peerRoster
		err := y.conn.Call(ctx, http.MethodGet, "roster", url.Values{"community": {string(c)}}, nil, &got)
		if polder.KindOf(err) == polder.NotFound && !errors.As(err, new(breach)) {
			if err := y.s.detach(ctx, y.link, c); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if got.Community.ID != c {
			return breached("the home describes another community than was asked for")
		}
		role := polder.RoleNone
		for _, e := range got.Roster {
			if e.ID == y.link.Org {
				if role, err = polder.ParseRole(e.Role); err != nil {
					return breached("the home gives the role %.40q, which is none", e.Role)
				}
			}
		}
		if role == polder.RoleNone {
			return breached("the home lists the members of %s without the organisation of this link", c)
		}
		if err := y.community(ctx, home, got, role); err != nil {
			return err
		}
	}
	return nil
}

// community writes down a community and its members as its home says, where that is new since this process began.
func (y *cycle) community(ctx context.Context, home accounts.Home, got peerRoster, role polder.Role) error {
	text, err := json.Marshal(got)
	if err != nil {
		return err
	}
	mark := sha256.Sum256(text)
	if y.r.told[got.Community.ID] == mark {
		return nil
	}
	err = y.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		com, err := y.s.o.Accounts.MirrorCommunity(tx, accounts.Local(), got.Community, home, y.link.Org, role, 0)
		if err != nil {
			return err
		}
		_, err = y.s.o.Accounts.SetRoster(tx, accounts.Local(), com.ID, y.link.Org, got.Roster)
		return err
	})
	if err == nil {
		y.r.told[got.Community.ID] = mark
	}
	return err
}

// beat tells the home that this node lives, and hears how the link stands; now and then, and when the home says so, the
// parts speak again.
func (y *cycle) beat(ctx context.Context) error {
	tick := time.NewTicker(y.s.o.Pace.Beat)
	defer tick.Stop()
	synced, said := y.s.o.Steady(), y.s.says(y.link)
	for {
		told, bell := false, y.s.bells()
		if says := y.s.says(y.link); says != said {
			said = says
			nudge(y.sync)
		}
		select {
		case <-bell:
			continue // look whether it rang for this
		case <-tick.C:
		case <-y.sync:
			told = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		st, err := y.state(ctx)
		if err != nil {
			return err
		}
		if st.Generation != y.link.Generation || st.Confirmed != y.link.Trusted {
			return errAnew
		}
		y.lag(ctx, st)
		if now := y.s.o.Steady(); told || now-synced >= y.s.o.Pace.Sync {
			if err := y.syncAll(ctx, st); err != nil {
				return err
			}
			synced = y.s.o.Steady()
		}
		if told {
			nudge(y.woken)
		}
	}
}

// lag notes how far this node is behind, down and up together.
func (y *cycle) lag(ctx context.Context, st peerState) {
	n, late := y.unpushed(ctx)
	y.mu.Lock()
	wrong := y.pushing
	y.mu.Unlock()
	y.s.report(y.link.ID, func(s *status) {
		s.behind = max(0, min(st.Behind, behindMost)) + n
		s.lag = max(time.Duration(max(0, min(st.Lag, int64(1)<<50)))*time.Microsecond, late)
		if s.state == stateLive {
			s.detail = wrong
		}
	})
}
