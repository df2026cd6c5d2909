package peers

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// reachedKept is how many acknowledgements are kept of a link. There is at most one for each [Pace.Ack].
const reachedKept = 20_000

// acknowledged is what the peer of a link said it holds, and when.
type acknowledged struct {
	upto polder.Seq
	at   time.Time
}

// holds notes what the peer said it holds; [Service.flush] writes it down.
func (st *status) holds(upto polder.Seq, at time.Time) {
	if upto > st.acked && len(st.reached) < reachedWaiting {
		st.reached, st.dirty = append(st.reached, acknowledged{upto, at}), true
	}
	st.acked = upto
}

// reachedWaiting is how many acknowledgements of a link wait to be written down; more in the time between two looks is a
// peer that chatters.
const reachedWaiting = 16

// writeReached notes when the peer of a link said that it holds everything up to a number. What it says again after
// another generation has begun is not news.
func writeReached(tx *db.Tx, link string, upto polder.Seq, at time.Time) error {
	if upto == 0 {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO peers_reached (link, upto, at) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM peers_reached WHERE link = ?1 AND upto >= ?2)`, link, upto, micros(at))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM peers_reached WHERE link = ?1 AND upto <= (SELECT upto FROM peers_reached WHERE link = ?1 ORDER BY upto DESC LIMIT 1 OFFSET ?2)`, link, reachedKept)
	return err
}

// readReached is when the peer of a link first said that it holds everything up to seq; ok is false while it has not. It
// is NotFound when that was so long ago that it is not kept any more.
func readReached(q db.Querier, link string, seq polder.Seq) (at time.Time, ok bool, err error) {
	var n int64
	var earlier int
	err = q.QueryRow(`SELECT at, (SELECT count(*) FROM (SELECT 1 FROM peers_reached WHERE link = ?1 AND upto < ?2 LIMIT 1))
		FROM peers_reached WHERE link = ?1 AND upto >= ?2 ORDER BY upto LIMIT 1`, link, seq).Scan(&n, &earlier)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil || earlier > 0 {
		return timeOf(n), err == nil, err
	}
	var all int
	if err = q.QueryRow(`SELECT count(*) FROM peers_reached WHERE link = ?`, link).Scan(&all); err == nil && all >= reachedKept {
		err = polder.Errorf(polder.NotFound, "when %d reached the peer is not kept any more", int64(seq))
	}
	return timeOf(n), err == nil, err
}

// ReachedAll is the time at which the last node that belonged to a community when seq was given said that it holds
// everything up to seq; ok is false while one has not. A community without such nodes was reached when seq was given. The
// time is right to [Pace.Ack]; it is NotFound when it is not kept any more, and of a community that lives elsewhere.
func (s *Service) ReachedAll(ctx context.Context, c polder.CommunityID, seq polder.Seq) (at time.Time, ok bool, err error) {
	home, err := s.o.Accounts.HomeOfCommunity(ctx, c)
	if err != nil {
		return at, false, err
	}
	if home != "" {
		return at, false, polder.Errorf(polder.NotFound, "only the home of a community knows what has reached its members")
	}
	q := s.read(ctx)
	rows, err := q.Query(`SELECT l.id FROM peers_link l JOIN peers_community c ON c.link = l.id
		WHERE c.community = ? AND l.serves = 1 AND l.ended = 0 AND l.created <= ? ORDER BY l.id`, c, micros(seq.Time()))
	if err != nil {
		return at, false, err
	}
	links, err := idsOf(rows)
	if err != nil {
		return at, false, err
	}
	at = seq.Time()
	for _, link := range links {
		held, ok, err := readReached(q, link, seq)
		if err != nil || !ok {
			return time.Time{}, false, err
		}
		if held.After(at) {
			at = held
		}
	}
	return at, true, nil
}

func idsOf(rows *sql.Rows) (out []string, err error) {
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// acknowledge tells the home how far this node has come, soon after something was stored.
func (y *cycle) acknowledge(ctx context.Context) error {
	for {
		select {
		case <-y.stored:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		wait := time.NewTimer(y.s.o.Pace.Ack)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return context.Cause(ctx)
		}
		if err := y.held(ctx); err != nil {
			return err
		}
	}
}

// held says how far this node has come, and nothing else. A home of an earlier version takes it with the next beat.
func (y *cycle) held(ctx context.Context) error {
	query := url.Values{"cursor": {strconv.FormatInt(int64(y.at()), 10)}}
	return y.conn.Call(ctx, "GET", "state", query, nil, &peerState{})
}
