package peers

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
)

// What is signed begins with a line that says what it is for, so that nothing signed for one thing counts for another.
const (
	forHello   = "polder hello 1"
	forSession = "polder session 1"
	forLook    = "polder look 1"
	forJoin    = "polder join 1"
	forRequest = "polder request 1"
)

// signed is the text that a signature covers: no part of it holds a line break.
func signed(purpose string, parts ...string) []byte {
	return []byte(purpose + "\n" + strings.Join(parts, "\n") + "\n")
}

func digestHex(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func text64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// requestText is what the signature of a request covers. target is the path below the door's root, with its query, so
// that a proxy may serve a node below a path of its own.
func requestText(session string, count uint64, method, target string, body []byte) []byte {
	return signed(forRequest, session, strconv.FormatUint(count, 10), method, target, digestHex(body))
}

const nonceSize = 24

// Bounds of sessions.
const (
	sessionsPerLink = 4
	sessionsInAll   = 4096
	challengeLife   = time.Minute
	countWindow     = 1024 // requests that may overtake each other
)

// sessions are those that peers have opened here. They live in memory: after a restart a peer opens a new one.
type sessions struct {
	random io.Reader
	steady func() time.Duration
	secret [32]byte

	mu    sync.Mutex
	byID  map[string]*session
	links map[string][]string // ids by link, the oldest first
	spent map[string]time.Duration
	asked map[string]time.Duration // like spent, by those who have no link: they fill it without keeping peers out
}

// session is a peer that has proved who it is.
type session struct {
	id, link string
	key      ed25519.PublicKey
	seen     window
}

func newSessions(random io.Reader, steady func() time.Duration) (*sessions, error) {
	s := &sessions{random: random, steady: steady, byID: map[string]*session{}, links: map[string][]string{}, spent: map[string]time.Duration{}, asked: map[string]time.Duration{}}
	_, err := io.ReadFull(random, s.secret[:])
	return s, err
}

// challenge is a nonce of ours for whoever says to be node. Nothing is kept of it: it carries its time and our mark.
func (s *sessions) challenge(node polder.OrgID, nonce []byte) ([]byte, error) {
	c := make([]byte, 16+8, 16+8+32)
	if _, err := io.ReadFull(s.random, c[:16]); err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint64(c[16:], uint64(s.steady()))
	return append(c, s.mark(c, node, nonce)...), nil
}

func (s *sessions) mark(c []byte, node polder.OrgID, nonce []byte) []byte {
	m := hmac.New(sha256.New, s.secret[:])
	fmt.Fprintf(m, "%x %s %x", c, node, nonce)
	return m.Sum(nil)
}

var errStale = polder.Errorf(polder.Unauthorised, "the challenge is not one of this node's, or is too old; ask for a new one")

// ours refuses what is no challenge that we gave to node for nonce within the last minute.
func (s *sessions) ours(c []byte, node polder.OrgID, nonce []byte) error {
	if len(c) != 16+8+32 || !hmac.Equal(c[24:], s.mark(c[:24], node, nonce)) {
		return errStale
	}
	given, now := time.Duration(binary.BigEndian.Uint64(c[16:24])), s.steady()
	if now-given > challengeLife || given > now {
		return errStale
	}
	return nil
}

// spend takes a challenge that we gave to node for nonce, once and within a minute: of a peer that has proved who it is,
// or of somebody who has no link.
func (s *sessions) spend(c []byte, node polder.OrgID, nonce []byte, peer bool) error {
	if err := s.ours(c, node, nonce); err != nil {
		return err
	}
	now := s.steady()
	s.mu.Lock()
	defer s.mu.Unlock()
	spent := s.asked
	if peer {
		spent = s.spent
	}
	if _, twice := spent[string(c[:16])]; twice {
		return errStale
	}
	if len(spent) >= sessionsInAll {
		for k, at := range spent {
			if now-at > challengeLife {
				delete(spent, k)
			}
		}
		if len(spent) >= sessionsInAll {
			return polder.Errorf(polder.Unavailable, "too many sessions are opened at once; try again in a minute")
		}
	}
	spent[string(c[:16])] = now
	return nil
}

// open begins a session of a link. The oldest of the link's ends when it has too many.
func (s *sessions) open(link string, key ed25519.PublicKey) (string, error) {
	id, err := word(s.random)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.links[link]
	if len(have) >= sessionsPerLink {
		delete(s.byID, have[0])
		have = slices.Clone(have[1:])
	}
	if len(s.byID) >= sessionsInAll {
		return "", polder.Errorf(polder.Unavailable, "the node has as many sessions open as it can hold; try again in a minute")
	}
	s.byID[id] = &session{id: id, link: link, key: key}
	s.links[link] = append(have, id)
	return id, nil
}

// end ends all sessions of a link.
func (s *sessions) end(link string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.links[link] {
		delete(s.byID, id)
	}
	delete(s.links, link)
}

// errSession makes the peer open a new session.
var errSession = polder.Errorf(polder.Unauthorised, "the session is not known here, any more; open a new one")

// of is the session of an id.
func (s *sessions) of(id string) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.byID[id]
	if !ok {
		return nil, errSession
	}
	return one, nil
}

// fresh tells whether a number was not used yet, before its signature is looked at.
func (s *sessions) fresh(one *session, count uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return one.seen.fresh(count)
}

// use takes a number for good. It fails when another request has used it meanwhile, or the session has ended.
func (s *sessions) use(one *session, count uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.byID[one.id] != one:
		return errSession
	case !one.seen.fresh(count):
		return errReplay
	}
	one.seen.take(count)
	return nil
}

var errReplay = polder.Errorf(polder.Conflict, "this request was answered already; each has a number of its own, which rises")

// window remembers which numbers were used: those below it count as used.
type window struct {
	top  uint64
	bits [countWindow / 64]uint64
}

func (w *window) fresh(n uint64) bool {
	switch {
	case n == 0 || n > w.top+1<<20: // a jump that no peer makes
		return false
	case n > w.top:
		return true
	case n+countWindow <= w.top:
		return false
	}
	return w.bits[n%countWindow/64]&(1<<(n%64)) == 0
}

func (w *window) take(n uint64) {
	if n > w.top {
		for i := max(w.top+1, n-min(n, countWindow-1)); i < n; i++ {
			w.bits[i%countWindow/64] &^= 1 << (i % 64)
		}
		w.top = n
	}
	w.bits[n%countWindow/64] |= 1 << (n % 64)
}

// wordSize is how many characters an id or a secret of ours has: 130 bits.
const wordSize = 26

var wordEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// word is a secret, or an id that nobody guesses.
func word(random io.Reader) (string, error) {
	b := make([]byte, 17)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", err
	}
	return wordEncoding.EncodeToString(b)[:wordSize], nil
}
