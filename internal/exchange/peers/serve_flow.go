package peers

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
)

// errGeneration makes a peer ask anew how the link stands.
var errGeneration = polder.Errorf(polder.Conflict, "the link has begun another generation; ask how it stands and begin again")

// reader is what a peer reads with: who acts, what it sees, and from where it goes on.
type reader struct {
	stand      stand
	link       Link
	sight      polder.Sight
	generation string
	after      polder.Seq
}

// reading checks what a peer asks of deliveries.
func (s *Service) reading(ctx context.Context, k known) (reader, error) {
	if err := open(k.link); err != nil {
		return reader{}, err
	}
	after, err := strconv.ParseInt(k.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		return reader{}, polder.Errorf(polder.Invalid, "after: is not a number that this node gave; 0 is everything")
	}
	r := reader{link: k.link, after: polder.Seq(after)}
	if r.generation, err = s.generation(ctx, k.link); err != nil {
		return reader{}, err
	}
	if r.generation != k.URL.Query().Get("generation") {
		return reader{}, errGeneration
	}
	_, r.sight, err = s.acting(ctx, k.link)
	return r, err
}

// handed is what of some deliveries leaves over a link: what concerns its organisation, and nothing above green until
// its fingerprint was compared.
func (s *Service) handed(ctx context.Context, l Link, batch []journal.Delivery) ([]exchange.Handed, error) {
	out := make([]exchange.Handed, 0, len(batch))
	for _, d := range batch {
		if d.OwnLevel > most(l.Confirmed) && !fail.Bug("peer-unconfirmed") {
			continue
		}
		h, ok, err := s.o.Exchange.HandDown(ctx, d, l.Org)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if s.o.Ledger != nil {
			h.Nonce = s.o.Ledger.Nonce(d)
		}
		out = append(out, h)
	}
	return out, nil
}

// frames cuts what leaves into frames that end at next.
func frames(generation string, next, top polder.Seq, more bool, batch []exchange.Handed, bytes int) (out []frame) {
	for len(batch) > 0 {
		sizes := make([]int, len(batch))
		for i, h := range batch {
			sizes[i] = len(h.Raw)
		}
		n := split(sizes, bytes)
		out = append(out, frame{generation, batch[n-1].Seq, top, true, batch[:n]})
		batch = batch[n:]
	}
	if len(out) == 0 {
		return []frame{{generation, next, top, more, nil}}
	}
	last := &out[len(out)-1]
	last.Next, last.More = next, more
	return out
}

func (s *Service) serveDeliveries(w http.ResponseWriter, k known) error {
	r, err := s.reading(k.Context(), k)
	if err != nil {
		return err
	}
	top := s.o.Journal.Top()
	page, err := s.o.Journal.Page(k.Context(), r.sight, journal.Query{After: r.after, Limit: pageRows, All: true, Withdrawals: true})
	if err != nil {
		return err
	}
	next := max(top, r.after)
	if n := len(page.Deliveries); n > 0 && (page.More || page.Deliveries[n-1].Seq > next) {
		next = page.Deliveries[n-1].Seq
	}
	all, next, more, err := s.o.Journal.WithWidenings(k.Context(), r.sight, page.Deliveries, r.after, next, pageRows)
	if err != nil {
		return err
	}
	batch, err := s.handed(k.Context(), r.link, all)
	if err != nil {
		return err
	}
	text, err := frames(r.generation, next, top, page.More || more, batch, pageBytes)[0].encode()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(text)
	return err
}

// serveStream hands out what a link's organisation may see until the peer goes, is silent for too long, or may not any
// more.
func (s *Service) serveStream(w http.ResponseWriter, k known) error {
	ctx, cancel := context.WithCancelCause(k.Context())
	defer cancel(nil)
	r, err := s.reading(ctx, k)
	if err != nil {
		return err
	}
	defer s.streaming(r.link.ID, cancel)()
	out, err := web.OpenStream(w, k.Request)
	if err != nil {
		return nil // the peer has gone
	}
	told, _, _ := s.queue(r.link.ID)
	tell := teller{told: told}
	for {
		bell := s.bells()
		if ctx.Err() != nil {
			return nil
		}
		if s.silent(r.link.ID) {
			s.failed(r.link.ID, stateWaiting, "nothing was heard of the peer for "+s.o.Pace.Silent.String()+", though its connection looked open")
			return nil
		}
		now, wait := tell.now(s, r.link.ID)
		if now && out.Send(web.ServerEvent{Name: "sync", Data: []byte("{}")}) != nil {
			return nil
		}
		if !fail.Bug("peer-unrevoked") && s.again(ctx, k, &r) != nil {
			return nil // it is told why when it connects again
		}
		batch, next, err := s.o.Journal.Follow(ctx, r.sight, r.after, frameRows, bell, min(wait, s.o.Pace.Beat))
		if err != nil {
			return nil
		}
		if rung(bell) && !fail.Bug("peer-unrevoked") {
			continue // look again before anything leaves
		}
		if batch, next, _, err = s.o.Journal.WithWidenings(ctx, r.sight, batch, r.after, next, frameRows); err != nil {
			return nil
		}
		if err := s.send(ctx, out, &r, batch, next); err != nil {
			return nil
		}
	}
}

// teller has the peers of this node sync one after another when something changed, so that they do not all ask at once.
type teller struct {
	told uint64        // what the peer of this stream was told of
	due  time.Duration // when it is told what came since; 0 while nothing has
}

// tellGap lies between two peers that are told, and tellMost between the first and the last.
const (
	tellGap  = 20 * time.Millisecond
	tellMost = time.Second
)

// now says whether the peer is told now, and otherwise how long to wait at most.
func (t *teller) now(s *Service, link string) (now bool, wait time.Duration) {
	changes, before, all := s.queue(link)
	switch at := s.o.Steady(); {
	case changes == t.told:
		return false, s.o.Pace.Beat
	case t.due == 0 && before > 0:
		t.due = at + time.Duration(before)*min(tellGap, tellMost/time.Duration(all))
		return false, t.due - at
	case at < t.due:
		return false, max(time.Millisecond, t.due-at)
	}
	t.told, t.due = changes, 0
	return true, s.o.Pace.Beat
}

// queue is how often the peer of a link had to be told that something changed, and how many of all links that this node
// serves are told before it.
func (s *Service) queue(link string) (changes uint64, before, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		if l.Serves {
			all++
			if l.ID < link {
				before++
			}
		}
	}
	return s.statusOf(link).syncs, before, all
}

func rung(bell <-chan struct{}) bool {
	select {
	case <-bell:
		return true
	default:
		return false
	}
}

// stand is what all that [Service.again] reads goes by: where neither of these numbers moved, it stands as it was read.
type stand struct{ links, rights int64 }

func (s *Service) stand(ctx context.Context) (at stand, err error) {
	if at.links, err = readVersion(s.read(ctx)); err != nil {
		return at, err
	}
	at.rights, err = s.o.Accounts.Epoch(ctx)
	return at, err
}

// again looks whether a stream may go on.
func (s *Service) again(ctx context.Context, k known, r *reader) error {
	at, err := s.stand(ctx)
	if err != nil {
		return err
	}
	if at == r.stand {
		return s.inForce(ctx, k.link, k.key)
	}
	l, err := s.alive(ctx, k.link.ID)
	if err != nil {
		return err
	}
	if err := s.inForce(ctx, l, k.key); err != nil {
		return err
	}
	k.link = l
	after := r.after
	if *r, err = s.reading(ctx, k); err != nil {
		return err
	}
	r.after, r.stand = after, at
	return nil
}

// send writes frames to a stream, each within a deadline of its own. An empty one is a sign of life.
func (s *Service) send(ctx context.Context, out *web.EventStream, r *reader, batch []journal.Delivery, next polder.Seq) error {
	hand, err := s.handed(ctx, r.link, batch)
	if err != nil {
		return err
	}
	for _, f := range frames(r.generation, next, s.o.Journal.Top(), false, hand, frameBytes) {
		f.More = false
		text, err := f.encode()
		if err != nil {
			return err
		}
		if err := out.Send(web.ServerEvent{Name: "frame", Data: text}); err != nil {
			return err
		}
	}
	r.after = next
	return nil
}

// servePush takes what the organisation of a link shared at its own node.
func (s *Service) servePush(w http.ResponseWriter, k known) error {
	ctx := k.Context()
	if err := open(k.link); err != nil {
		return err
	}
	lineage := k.URL.Query().Get("lineage")
	if !generationForm(lineage) {
		return polder.Errorf(polder.Invalid, "lineage: name the lineage of your log")
	}
	f, err := s.received(ctx, k)
	if err != nil {
		return err
	}
	a, _, err := s.acting(ctx, k.link)
	if err != nil {
		return err
	}
	p := &pushed{s: s, link: k.link, actor: a, lineage: lineage, generation: f.Generation, again: k.URL.Query().Get("again") == "1"}
	err = p.take(ctx, f.Batch)
	s.refusals(ctx, k.link, f.Batch, p.verdicts)
	if err == nil && p.again {
		err = s.o.DB.Write(ctx, func(tx *db.Tx) error { return release(tx, k.link.ID, p.verdicts, false) })
	}
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, peerVerdicts{p.verdicts})
	return nil
}

// received is the frame that a peer posted, within its limits.
func (s *Service) received(ctx context.Context, k known) (frame, error) {
	f, err := decodeFrame(k.body, pushRows)
	if err != nil {
		return frame{}, err
	}
	generation, err := s.generation(ctx, k.link)
	if err != nil {
		return frame{}, err
	}
	if f.Generation != generation {
		return frame{}, errGeneration
	}
	if err := f.rising(0); err != nil {
		return frame{}, err
	}
	return f, s.meter(k.link).admit(len(f.Batch), len(k.body))
}

// pushed is what a peer pushes at once.
type pushed struct {
	s          *Service
	link       Link
	actor      polder.Actor
	lineage    string
	generation string
	again      bool // it was handed up before, and could not be judged; held by the rules of a share alone, which change nothing twice
	verdicts   []exchange.Verdict
}

// take stores the deliveries in their order, those of one community after another in one transaction, together with how
// far the peer's log was taken.
func (p *pushed) take(ctx context.Context, batch []exchange.Handed) error {
	taken, err := readTaken(p.s.read(ctx), p.link.ID, p.lineage)
	if err != nil {
		return err
	}
	again := 0
	for again < len(batch) && batch[again].Seq <= taken && !p.again && !fail.Bug("peer-doubles") {
		again++
	}
	if err := p.known(ctx, batch[:again]); err != nil {
		return err
	}
	batch = batch[again:]
	for len(batch) > 0 {
		n := 1
		for n < len(batch) && batch[n].Community == batch[0].Community {
			n++
		}
		if err := p.run(ctx, batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// known answers for deliveries that were taken before, whose answer was lost: with who is custodian, since the peer heeds
// that.
func (p *pushed) known(ctx context.Context, batch []exchange.Handed) error {
	ids := map[polder.CommunityID][]string{}
	for _, h := range batch {
		if slices.Contains(p.link.Communities, h.Community) {
			ids[h.Community] = append(ids[h.Community], h.ID)
		}
	}
	holds := map[polder.CommunityID]map[string]bool{}
	for c, some := range ids {
		got, err := p.s.o.Exchange.Custodian(ctx, p.link.Org, c, some)
		if err != nil {
			return err
		}
		holds[c] = got
	}
	for _, h := range batch {
		p.verdicts = append(p.verdicts, exchange.Verdict{Seq: h.Seq, ID: h.ID, State: "duplicate", Custodian: holds[h.Community][h.ID]})
	}
	return nil
}

// run stores deliveries of one community. Until the peer's fingerprint was compared what is above green is refused here
// too; it comes again when it was.
func (p *pushed) run(ctx context.Context, batch []exchange.Handed) error {
	fits := make([]exchange.Handed, 0, len(batch))
	for _, h := range batch {
		if h.Level <= most(p.link.Confirmed) || fail.Bug("peer-unconfirmed") {
			fits = append(fits, h)
			continue
		}
		p.verdicts = append(p.verdicts, exchange.Verdict{Seq: h.Seq, ID: h.ID, State: "refused", Reason: "is above TLP:GREEN, and nobody here has compared the peer's fingerprint"})
	}
	note := p.note(batch[len(batch)-1].Seq)
	if len(fits) == 0 {
		return p.s.o.DB.Write(ctx, note)
	}
	got, err := p.s.o.Exchange.Accept(ctx, p.actor, batch[0].Community, fits, note)
	p.verdicts = append(p.verdicts, got...)
	return err
}

// note writes down in the transaction that stores how far the peer's log was taken. It fails when the link has ended,
// was paused or began another generation meanwhile.
func (p *pushed) note(n polder.Seq) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		l, err := readLink(tx, p.link.ID)
		if err != nil {
			return err
		}
		if l.Epoch != p.link.Epoch || !l.Ended.IsZero() {
			return errGeneration
		}
		if err := open(l); err != nil {
			return err
		}
		if p.again {
			return nil
		}
		have, err := readTaken(tx, p.link.ID, p.lineage)
		if err != nil {
			return err
		}
		if have >= n {
			return errGeneration // another request of the peer was faster
		}
		return writeTaken(tx, p.link.ID, p.lineage, n)
	}
}

// refusals keeps what was refused of a peer, and stops its link when nothing but that comes. What waits for a key does not
// count against it.
func (s *Service) refusals(ctx context.Context, l Link, batch []exchange.Handed, verdicts []exchange.Verdict) {
	bad, first := 0, ""
	m := s.meter(l)
	for _, v := range verdicts {
		if refuses(v) {
			bad++
			if first == "" {
				first = v.Reason
			}
		}
		m.row(v.State == "refused")
	}
	if bad == 0 {
		return
	}
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error { return keepRefused(tx, l.ID, batch, verdicts, false, s.o.Now()) })
	if err != nil {
		s.o.Log.ErrorContext(ctx, "what a peer sent was refused and could not be kept", "link", l.ID, "err", err)
	}
	s.o.Log.WarnContext(ctx, "a peer sent what was refused", "link", l.ID, "peer", l.Peer, "n", bad)
	if m.inARow() >= refusalsInARow {
		s.stop(ctx, l.ID, "too much of what it sent in a row was refused; the last: "+first)
	}
}

// streaming makes this the one stream of a link: one that is open already has lost its reader.
func (s *Service) streaming(link string, cancel context.CancelCauseFunc) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.statusOf(link)
	if st.cancel != nil {
		st.cancel(errMoved)
	}
	st.turn++
	turn := st.turn
	st.cancel, st.state, st.detail, st.dirty, st.last = cancel, stateLive, "", true, s.o.Steady()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if st := s.statusOf(link); st.turn == turn {
			st.cancel, st.state, st.dirty = nil, stateWaiting, true
		}
	}
}

// silent tells whether nothing was heard of the peer of a link for too long, though its connection looks open.
func (s *Service) silent(link string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.o.Steady()-s.statusOf(link).last > s.o.Pace.Silent && !fail.Bug("peer-half-open")
}

// heard notes a sign of life.
func (s *Service) heard(link string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.statusOf(link)
	st.last, st.contact = s.o.Steady(), s.o.Now()
}

// tooOften is a refusal with the time after which to come back.
func tooOften(what string, wait time.Duration) error {
	return polder.Errorf(polder.Limited, "%s: %w", what, &accounts.TooOften{After: wait})
}
