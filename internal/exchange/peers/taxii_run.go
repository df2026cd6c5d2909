package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

// taxiiExchange is what TAXII servers need of the exchange.
type taxiiExchange interface {
	Share(ctx context.Context, a polder.Actor, r exchange.Request) (exchange.Result, error)
	HandDown(ctx context.Context, d journal.Delivery, org polder.OrgID) (exchange.Handed, bool, error)
	SightIn(ctx context.Context, a polder.Actor, community string) (polder.Sight, error)
}

// TAXIIPace bounds what passes between this node and TAXII servers, and how often it is looked for.
type TAXIIPace struct {
	Every   time.Duration // between visits
	Last    time.Duration // most between visits to one that fails
	Visit   time.Duration // of one visit
	Objects int           // taken at one visit; the next goes on
	Limits  taxii.Limits  // of the client
	Sleep   func(context.Context, time.Duration) error
}

// DefaultTAXIIPace visits every minute.
var DefaultTAXIIPace = TAXIIPace{Every: time.Minute, Last: time.Hour, Visit: 20 * time.Minute, Objects: 200_000, Limits: taxii.Limits{PageBytes: 16 << 20, Pages: 10_000}}

// taxiiBatch is how many objects are shared, and noted as shared, at once.
const taxiiBatch = 500

// RunTAXII exchanges with the TAXII servers until ctx ends: a server that fails is visited less often, and keeps no other
// waiting. Zero fields of the pace take the values of [DefaultTAXIIPace].
func (s *Service) RunTAXII(ctx context.Context, pace TAXIIPace) {
	if pace.Every == 0 {
		pace = DefaultTAXIIPace
	}
	var all sync.WaitGroup
	defer all.Wait()
	var mu sync.Mutex
	busy, failed, due := map[string]bool{}, map[string]int{}, map[string]time.Time{}
	tick := time.NewTicker(min(pace.Every, 5*time.Second))
	defer tick.Stop()
	for {
		servers, err := readTAXII(s.read(ctx), "")
		if err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "TAXII servers could not be read", "err", err)
		}
		now := s.o.Now()
		for _, t := range servers {
			mu.Lock()
			wait := busy[t.ID] || t.Paused || now.Before(due[t.ID]) && due[t.ID].Sub(now) <= pace.Last
			busy[t.ID] = busy[t.ID] || !wait
			mu.Unlock()
			if wait {
				continue
			}
			all.Go(func() {
				err := s.VisitTAXII(ctx, t.ID, pace)
				mu.Lock()
				defer mu.Unlock()
				busy[t.ID], due[t.ID] = false, s.o.Now().Add(pace.Every)
				if failed[t.ID]++; err == nil {
					failed[t.ID] = 0
				} else {
					due[t.ID] = s.o.Now().Add(min(pace.Last, pace.Every<<min(failed[t.ID], 10)))
				}
			})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// VisitTAXII exchanges with one server once: first what it has, then what it gets. How far it came is stored as it goes,
// so a visit that was cut off loses and doubles nothing. The error says why it ended early, and is kept to be shown.
func (s *Service) VisitTAXII(ctx context.Context, id string, pace TAXIIPace) error {
	ctx, cancel := context.WithTimeout(ctx, pace.Visit)
	defer cancel()
	v, err := s.taxiiVisit(ctx, id, pace)
	if err != nil {
		return s.visited(ctx, id, err)
	}
	if v == nil {
		return nil
	}
	if v.t.Pulls {
		err = v.pull(ctx)
	}
	if err == nil && v.t.Pushes {
		err = v.push(ctx)
	}
	return s.visited(ctx, id, err)
}

// visited notes how a visit went.
func (s *Service) visited(ctx context.Context, id string, err error) error {
	text := ""
	if err != nil {
		text = clip(err.Error(), 500)
	}
	note := s.o.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE peers_taxii SET detail = ?1, contact = iif(?1 = '', ?2, contact) WHERE id = ?3`, text, micros(s.o.Now()), id)
		return err
	})
	if err == nil {
		err = note
	}
	return err
}

// taxiiVisit is one visit under way.
type taxiiVisit struct {
	s        *Service
	exchange taxiiExchange
	t        TAXIIServer
	pace     TAXIIPace
	actor    polder.Actor
	remote   *taxii.Remote
}

// taxiiVisit makes ready; nil when there is nothing to do any more.
func (s *Service) taxiiVisit(ctx context.Context, id string, pace TAXIIPace) (*taxiiVisit, error) {
	found, err := readTAXII(s.read(ctx), id)
	if err != nil || len(found) == 0 || found[0].Paused {
		return nil, err
	}
	ex, ok := s.o.Exchange.(taxiiExchange)
	if !ok {
		return nil, polder.Errorf(polder.Unavailable, "this process does not share")
	}
	v := &taxiiVisit{s: s, exchange: ex, t: found[0], pace: pace}
	if v.actor, err = s.o.Accounts.ActorOfToken(ctx, v.t.token); err != nil {
		return nil, polder.Errorf(polder.Forbidden, "the organisation may not share there any more: %w", err)
	}
	client := &taxii.Client{URL: v.t.URL, User: v.t.user, Password: v.t.secret, UserAgent: "polder", HTTP: s.o.Client, Limits: pace.Limits, Sleep: pace.Sleep}
	if v.t.user == "" {
		client.Token, client.Password = v.t.secret, ""
	}
	v.remote, err = client.Find(ctx, v.t.Collection)
	return v, err
}

// pull shares what the server has and was not taken yet, batch by batch, each with the cursor behind it.
func (v *taxiiVisit) pull(ctx context.Context) error {
	p := v.remote.Objects(v.t.cursor, taxii.Filter{Versions: []string{"all"}})
	var batch []json.RawMessage
	size, taken := 0, 0
	for raw, err := range p.All(ctx) {
		if err != nil {
			return fmt.Errorf("pull: %w", storedFirst(err, v.take(ctx, batch, p.Cursor())))
		}
		batch, size, taken = append(batch, raw), size+len(raw), taken+1
		if len(batch) < taxiiBatch && size < pushBytes && taken < v.pace.Objects {
			continue
		}
		if err := v.take(ctx, batch, p.Cursor()); err != nil {
			return err
		}
		if batch, size = nil, 0; taken >= v.pace.Objects {
			return nil
		}
	}
	return v.take(ctx, batch, p.Cursor())
}

// storedFirst is why a pull ended, or why what came could not be stored.
func storedFirst(first, second error) error {
	if second != nil {
		return second
	}
	return first
}

// take shares one batch as the organisation. What the server was given by this node, or brought before, is left out.
func (v *taxiiVisit) take(ctx context.Context, batch []json.RawMessage, cursor taxii.Cursor) error {
	var marked, bare []exchange.Incoming
	var failures []TAXIIFailure
	var digests [][32]byte
	for _, raw := range batch {
		o, err := stix.Parse(raw)
		if err != nil {
			failures = append(failures, TAXIIFailure{ID: idIn(raw), Reason: "from the server: " + err.Error()})
			continue
		}
		digest, err := o.Digest()
		if err != nil {
			failures = append(failures, TAXIIFailure{ID: o.ID, Reason: "from the server: " + err.Error()})
			continue
		}
		known, err := v.knows(ctx, digest)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		digests = append(digests, digest)
		level, err := o.Level()
		if err == nil && level == stix.None && !o.IsMarkingFree() {
			bare = append(bare, exchange.Incoming{Raw: raw})
		} else {
			marked = append(marked, exchange.Incoming{Raw: raw})
		}
	}
	for _, some := range []struct {
		objects []exchange.Incoming
		level   stix.Marking
	}{{marked, stix.None}, {bare, v.t.Unmarked}} {
		if len(some.objects) == 0 {
			continue
		}
		got, err := v.exchange.Share(ctx, v.actor, exchange.Request{Community: string(v.t.Community), Objects: some.objects, Level: some.level, Bytes: true, Partial: true, Confirmed: true})
		if err != nil {
			return err
		}
		for _, r := range got.Refused {
			failures = append(failures, TAXIIFailure{ID: r.ID, Reason: "from the server: " + r.Error})
		}
	}
	text, err := json.Marshal(cursor)
	if err != nil {
		return err
	}
	return v.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := v.note(tx, digests, true, failures); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE peers_taxii SET cursor = ? WHERE id = ?`, string(text), v.t.ID)
		return err
	})
}

// idIn is the id that bytes claim, for a message.
func idIn(raw []byte) string {
	var o struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(raw, &o) // what has no id is told without
	return clip(o.ID, maxName)
}

// knows tells whether an object came from the server before, or was given to it.
func (v *taxiiVisit) knows(ctx context.Context, digest [32]byte) (yes bool, err error) {
	err = v.s.read(ctx).QueryRow(`SELECT EXISTS (SELECT 1 FROM peers_taxii_object WHERE server = ? AND digest = ?)`, v.t.ID, digest[:]).Scan(&yes)
	return yes, err
}

// note writes down what passed between the two, and what did not.
func (v *taxiiVisit) note(tx *db.Tx, digests [][32]byte, came bool, failures []TAXIIFailure) error {
	for _, d := range digests {
		if _, err := tx.Exec(`INSERT INTO peers_taxii_object (server, digest, came) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, v.t.ID, d[:], came); err != nil {
			return err
		}
	}
	return writeTAXIIFailures(tx, v.t.ID, failures, v.s.o.Now())
}

// push gives the server what the organisation may pass on, in the order of the log, each page with the number behind it.
func (v *taxiiVisit) push(ctx context.Context) error {
	for {
		sight, err := v.exchange.SightIn(ctx, v.actor, string(v.t.Community))
		if err != nil {
			return err
		}
		page, err := v.s.o.Journal.Page(ctx, sight, journal.Query{After: v.t.pushed, Limit: taxiiBatch, All: true})
		if err != nil || len(page.Deliveries) == 0 {
			return err
		}
		if err := v.give(ctx, page.Deliveries); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
	}
}

func (v *taxiiVisit) give(ctx context.Context, all []journal.Delivery) error {
	var out []json.RawMessage
	var digests [][32]byte
	var failures []TAXIIFailure
	for _, d := range all {
		known, err := v.knows(ctx, d.Digest)
		if err != nil {
			return err
		}
		if known || !v.mayPass(d) || slices.Contains(digests, d.Digest) {
			continue
		}
		h, ok, err := v.exchange.HandDown(ctx, d, v.t.Org)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if why := unfit(h); why != "" {
			failures = append(failures, TAXIIFailure{ID: d.ID, Reason: why})
			continue
		}
		out, digests = append(out, h.Raw), append(digests, d.Digest)
	}
	refused, err := v.post(ctx, out)
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	last := all[len(all)-1].Seq
	err = v.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := v.note(tx, digests, false, append(failures, refused...)); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE peers_taxii SET pushed = ? WHERE id = ?`, int64(last), v.t.ID)
		return err
	})
	v.t.pushed = last
	return err
}

// mayPass: CLEAR and GREEN go on; AMBER only the organisation's own, when that was asked for.
func (v *taxiiVisit) mayPass(d journal.Delivery) bool {
	if d.Level == stix.Clear || d.Level == stix.Green {
		return true
	}
	return v.t.Amber && d.Level == stix.Amber && d.Sharer == v.t.Org && d.Nominal.Equal(polder.Everyone())
}

// unfit says why an object does not go to a server that reads its bytes alone, or "".
func unfit(h exchange.Handed) string {
	o, err := stix.Parse(h.Raw)
	if err != nil {
		return "to the server: " + err.Error()
	}
	mark, err := o.Level()
	switch {
	case err != nil:
		return "to the server: " + err.Error()
	case mark == stix.None && !o.IsMarkingFree() && h.Level != stix.Clear:
		return "to the server: it carries no TLP marking in its bytes, so its level would be lost"
	case mark != stix.None && mark.Wider(h.Level):
		return "to the server: it is shared here as " + h.Level.Label() + ", and its bytes say " + mark.Label()
	}
	return ""
}

// post sends objects and reads their status.
func (v *taxiiVisit) post(ctx context.Context, objects []json.RawMessage) (refused []TAXIIFailure, err error) {
	if len(objects) == 0 {
		return nil, nil
	}
	asked := 0
	var seq iter.Seq[json.RawMessage] = slices.Values(objects)
	for status, err := range v.remote.Push(ctx, seq) {
		if err != nil {
			return nil, err
		}
		for _, f := range status.Failures {
			if asked++; asked <= taxiiBatch && v.held(ctx, f, objects) || len(refused) >= taxiiFailures {
				continue
			}
			refused = append(refused, TAXIIFailure{ID: f.ID, Reason: "the server did not take it: " + f.Message})
		}
	}
	return refused, nil
}

// held tells whether a server holds what it names as a failure just as it was sent. A batch whose answer was lost is sent
// again, and there are servers to which a version that they have is a failure.
func (v *taxiiVisit) held(ctx context.Context, f taxii.StatusDetail, sent []json.RawMessage) bool {
	raw, err := v.remote.Get(ctx, f.ID, f.Version)
	if err != nil {
		return false
	}
	there, err := stix.Parse(raw)
	if err != nil || there.ID != f.ID {
		return false
	}
	digest, err := there.Digest()
	return err == nil && slices.ContainsFunc(sent, func(raw json.RawMessage) bool {
		if idIn(raw) != f.ID {
			return false
		}
		o, err := stix.Parse(raw)
		if err != nil {
			return false
		}
		ours, err := o.Digest()
		return err == nil && ours == digest
	})
}
