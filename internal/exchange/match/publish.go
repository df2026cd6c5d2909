package match

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

func itoa(n int) string { return strconv.Itoa(n) }

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// NewSet is what a set is made from. Zero Budget and Days are the defaults.
type NewSet struct {
	Org       polder.OrgID
	Community string // alias or id
	Name      string
	Kind      Kind
	Source    string
	Budget    int
	Days      int
}

// Published is what publishing made.
type Published struct {
	Set
	Present Epoch // zero for indicators: it begins when the node looks at them next
	Values  int   // different ones
}

// Publish makes a set from normalised values, or begins its next epoch with them. Only who manages the node's folder
// may. Of a set of TLP:RED indicators the epoch begins as soon as the node serves; values is not looked at then.
func (s *Service) Publish(ctx context.Context, by polder.Actor, n NewSet, values iter.Seq2[string, error], progress func(done int)) (Published, error) {
	if by.Role != polder.RoleAdmin {
		return Published{}, polder.Errorf(polder.Forbidden, "sets are published by who manages the node, for an organisation")
	}
	release, err := s.alone(ctx)
	if err != nil {
		return Published{}, err
	}
	defer release()
	set, err := s.claim(ctx, n)
	if err != nil {
		return Published{}, err
	}
	if n.Source == FromRed {
		return Published{Set: set}, s.o.DB.Write(ctx, func(tx *db.Tx) error {
			if err := writeSet(tx, set); err != nil {
				return err
			}
			return s.notePublished(tx, by, set, "")
		})
	}
	made, err := s.make(ctx, set, values, progress)
	if err != nil {
		return Published{}, err
	}
	if err := s.begin(ctx, by, set, made); err != nil {
		return Published{}, err
	}
	set.Epoch = made.epoch.N
	return Published{Set: set, Present: made.epoch, Values: made.values}, nil
}

// alone waits until no other process makes or removes a set: two that made the same epoch would mix their filters.
func (s *Service) alone(ctx context.Context) (release func(), err error) {
	return db.Hold(ctx, s.o.DB.Path()+".match")
}

// claim is the set of a name, as it is or as it will be.
func (s *Service) claim(ctx context.Context, n NewSet) (Set, error) {
	if err := checkName(n.Name); err != nil {
		return Set{}, err
	}
	if Budget(n.Kind) == 0 {
		return Set{}, polder.Errorf(polder.Invalid, "type: %.40q is no type of value that sets are made of", string(n.Kind))
	}
	if n.Source == FromRed && n.Kind == Party {
		return Set{}, polder.Errorf(polder.Invalid, "type: indicators name no parties; publish those from a file")
	}
	if n.Budget < 0 || n.Budget > 10_000_000 || n.Budget > 0 && n.Budget < seal.MatchSizes[len(seal.MatchSizes)-1] {
		return Set{}, polder.Errorf(polder.Invalid, "budget: %d; from 16 to 10,000,000 elements a day", n.Budget)
	}
	if n.Days < 0 || n.Days > 366 {
		return Set{}, polder.Errorf(polder.Invalid, "days: %d; an epoch lasts from 1 to 366 days", n.Days)
	}
	c, err := s.o.Accounts.Community(ctx, n.Community)
	if err != nil {
		return Set{}, err
	}
	ms, err := s.o.Accounts.Memberships(ctx, n.Org)
	if err != nil {
		return Set{}, err
	}
	if !slices.ContainsFunc(ms, func(m polder.Membership) bool { return m.Community.ID == c.ID && m.Accepted }) {
		return Set{}, polder.Errorf(polder.Forbidden, "%s is not a member of %s, or its agreement is not accepted yet", n.Org, c.Alias)
	}
	all, err := readSets(s.reader(ctx))
	if err != nil {
		return Set{}, err
	}
	set := Set{Org: n.Org, Community: c.ID, Name: n.Name, Kind: n.Kind, Source: n.Source, Budget: Budget(n.Kind), Days: DefaultDays, Made: s.o.Now()}
	if set.ID, err = s.newSetID(); err != nil {
		return Set{}, err
	}
	for _, have := range all {
		if have.Org == n.Org && have.Community == c.ID && have.Name == n.Name {
			set = have
		}
	}
	if set.Kind != n.Kind || set.Source != n.Source {
		return Set{}, polder.Errorf(polder.Conflict, "name: the set %s is made of %s from %s; choose another name", set.Name, set.Kind, map[string]string{FromFile: "a file", FromRed: "indicators"}[set.Source])
	}
	if n.Budget > 0 {
		set.Budget = n.Budget
	}
	if n.Days > 0 {
		set.Days = n.Days
	}
	return set, nil
}

// made is an epoch that is not in force yet.
type made struct {
	epoch   Epoch
	secret  []byte
	content []byte
	filter  []byte
	values  int
}

// make draws a key and computes the filter of values, on all cores.
func (s *Service) make(ctx context.Context, set Set, values iter.Seq2[string, error], progress func(int)) (made, error) {
	node, _, err := s.o.Signer.Node(ctx)
	if err != nil {
		return made{}, err
	}
	past, err := readEpochs(s.reader(ctx), set.ID)
	if err != nil {
		return made{}, err
	}
	m := made{epoch: Epoch{Set: set.ID, N: 1, Node: node, Made: s.o.Now()}}
	if len(past) > 0 {
		m.epoch.N = past[0].N + 1
	}
	m.epoch.Until = m.epoch.Made.Add(time.Duration(set.Days) * 24 * time.Hour)
	key, err := seal.NewMatchKey(s.o.Rand, m.epoch.Context())
	if err != nil {
		return made{}, err
	}
	if m.epoch.Public, err = key.Public(); err != nil {
		return made{}, err
	}
	if m.secret, err = key.Bytes(); err != nil {
		return made{}, err
	}
	tags, err := tagsOf(ctx, key, values, progress)
	if err != nil {
		return made{}, err
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	m.values, m.content = len(tags), contentOf(m.secret, nil)
	filter, err := seal.NewTagSet(s.o.Rand, tags)
	if err != nil {
		return made{}, polder.Errorf(polder.TooLarge, "%w", err)
	}
	m.filter, m.epoch.Class = filter.Bytes(), filter.Class()
	m.epoch.SHA256 = hashOf(m.filter)
	return m, nil
}

// contentOf is a hash of values that only the key's holder can compare.
func contentOf(secret []byte, values []string) []byte {
	h := hmac.New(sha256.New, secret)
	for _, v := range values {
		h.Write([]byte(strconv.Itoa(len(v)) + ":" + v))
	}
	return h.Sum(nil)
}

// tagChunk is how many values go to a processor at a time.
const tagChunk = 256

// tagsOf computes the tags of values. It ends at the first value that cannot be read.
func tagsOf(ctx context.Context, key *seal.MatchKey, values iter.Seq2[string, error], progress func(int)) (tags []uint64, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	chunks, done := make(chan []string), make(chan []uint64)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for chunk := range chunks {
				out := make([]uint64, len(chunk))
				for i, v := range chunk {
					o, err := key.Output(v)
					if err != nil {
						stop(err)
						return
					}
					out[i] = seal.Tag(o)
				}
				select {
				case done <- out:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		feedTags(ctx, chunks, values, stop)
		close(chunks)
		all.Wait()
		close(done)
	}()
	for out := range done {
		if tags = append(tags, out...); progress != nil {
			progress(len(tags))
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return tags, nil
}

func feedTags(ctx context.Context, chunks chan<- []string, values iter.Seq2[string, error], stop context.CancelCauseFunc) {
	n, chunk := 0, make([]string, 0, tagChunk)
	send := func() bool {
		select {
		case chunks <- chunk:
			chunk = make([]string, 0, tagChunk)
			return true
		case <-ctx.Done():
			return false
		}
	}
	for v, err := range values {
		if n++; err == nil && n > seal.MaxTags {
			err = polder.Errorf(polder.TooLarge, "a set has at most %d values", seal.MaxTags)
		}
		if err != nil {
			stop(err)
			return
		}
		if chunk = append(chunk, v); len(chunk) == tagChunk && !send() {
			return
		}
	}
	if len(chunk) > 0 {
		send()
	}
}

// begin puts an epoch into force, and ends the one before.
func (s *Service) begin(ctx context.Context, by polder.Actor, set Set, m made) error {
	if err := s.writeFilter(ctx, set.ID, m.epoch.N, m.filter); err != nil {
		return err
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := writeSet(tx, set); err != nil {
			return err
		}
		e := m.epoch
		_, err := tx.Exec(`INSERT INTO match_epoch (set_id, epoch, node, secret, public, class, sha256, content, made, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.Set, int64(e.N), string(e.Node), m.secret, e.Public, e.Class, e.SHA256, m.content, e.Made.UnixMicro(), e.Until.UnixMicro())
		if db.Unique(err) {
			return polder.Errorf(polder.Conflict, "somebody else published the set %s at the same moment; look, and publish it again", set.Name)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE match_set SET epoch = ? WHERE id = ?`, int64(e.N), set.ID); err != nil {
			return err
		}
		if err := endEpochs(tx, set.ID, e.N, e.Made); err != nil {
			return err
		}
		return s.notePublished(tx, by, set, strconv.FormatUint(e.N, 10))
	})
}

func (s *Service) notePublished(tx *db.Tx, by polder.Actor, set Set, epoch string) error {
	e := audit.EntryOf(by)
	e.Org, e.Action, e.Community, e.Object, e.Narrow = set.Org, "match.publish", set.Community, set.ID, true
	e.Detail = map[string]string{"name": set.Name, "type": string(set.Kind)}
	if epoch != "" {
		e.Detail["epoch"] = epoch
	}
	return s.o.Audit.Append(tx, e)
}

// Remove ends a set: its key and filter are erased, and nobody can ask it any more.
func (s *Service) Remove(ctx context.Context, by polder.Actor, org polder.OrgID, community, name string) (Set, error) {
	if by.Role != polder.RoleAdmin {
		return Set{}, polder.Errorf(polder.Forbidden, "sets are removed by who manages the node, for an organisation")
	}
	c, err := s.o.Accounts.Community(ctx, community)
	if err != nil {
		return Set{}, err
	}
	release, err := s.alone(ctx)
	if err != nil {
		return Set{}, err
	}
	defer release()
	var gone Set
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		all, err := readSets(tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(o Set) bool { return o.Org == org && o.Community == c.ID && (o.Name == name || o.ID == name) })
		if i < 0 {
			return polder.Errorf(polder.NotFound, "%s has no set %.60q in %s; see polder match-set list", org, name, c.Alias)
		}
		gone = all[i]
		if _, err := tx.Exec(`UPDATE match_set SET removed = ?, epoch = 0 WHERE id = ?`, s.o.Now().UnixMicro(), gone.ID); err != nil {
			return err
		}
		if err := endEpochs(tx, gone.ID, 0, s.o.Now()); err != nil {
			return err
		}
		e := audit.EntryOf(by)
		e.Org, e.Action, e.Community, e.Object, e.Narrow = gone.Org, "match.remove", gone.Community, gone.ID, true
		e.Detail = map[string]string{"name": gone.Name}
		return s.o.Audit.Append(tx, e)
	})
	return gone, err
}

// All are all sets of the node with their present epochs, for who manages it.
func (s *Service) All(ctx context.Context, by polder.Actor) (sets []Set, present []Epoch, err error) {
	if by.Role != polder.RoleAdmin {
		return nil, nil, polder.Errorf(polder.Forbidden, "the list of all sets is for who manages the node")
	}
	sets, err = readSets(s.reader(ctx))
	for _, set := range sets {
		e, _, _, readErr := readEpoch(s.reader(ctx), set)
		if readErr != nil && polder.KindOf(readErr) != polder.Unavailable {
			err = errors.Join(err, readErr)
		}
		present = append(present, e)
	}
	return sets, present, err
}

// Run keeps the sets of indicators as their indicators are, and the running time, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	for {
		changed := s.o.Reds.Changed()
		if err := s.Refresh(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("sets of indicators could not be renewed", "reason", err)
		}
		minute := time.NewTimer(time.Minute)
		select {
		case <-changed:
		case <-minute.C:
		case <-ctx.Done():
		}
		minute.Stop()
		pause := time.NewTimer(s.o.Pause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

// Refresh begins a new epoch for every set of indicators that are not what they were, or whose epoch is over, and stores
// the running time.
func (s *Service) Refresh(ctx context.Context) error {
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error { _, err := s.ran.now(tx); return err })
	if err != nil {
		return err
	}
	release, err := s.alone(ctx)
	if err != nil {
		return err
	}
	defer release()
	all, err := readSets(s.reader(ctx))
	for _, set := range all {
		if set.Source == FromRed {
			err = errors.Join(err, s.refresh(ctx, set))
		}
	}
	return err
}

func (s *Service) refresh(ctx context.Context, set Set) error {
	var values []string
	err := s.o.Reds.Red(ctx, set.Org, set.Community, set.Kind, func(v string) error {
		n, err := Normalise(set.Kind, v)
		if err == nil {
			values = append(values, n)
		}
		if len(values) > seal.MaxTags {
			return polder.Errorf(polder.TooLarge, "the set %s would have more than %d values", set.Name, seal.MaxTags)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(values)
	values = slices.Compact(values)
	if set.Epoch > 0 {
		e, secret, content, err := readEpoch(s.reader(ctx), set)
		if err != nil {
			return err
		}
		if bytes.Equal(content, contentOf(secret, values)) && s.o.Now().Before(e.Until) {
			return nil
		}
	}
	m, err := s.make(ctx, set, func(yield func(string, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}, nil)
	if err != nil {
		return err
	}
	m.content = contentOf(m.secret, values)
	return s.begin(ctx, polder.Actor{}, set, m)
}
