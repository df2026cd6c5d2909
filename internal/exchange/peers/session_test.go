package peers

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"pgregory.net/rapid"
)

// TestS22Window: whatever the order, each number is taken once, and none that is far below.
func TestS22Window(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		used := map[uint64]bool{}
		top := uint64(0)
		for _, n := range rapid.SliceOfN(rapid.Uint64Range(0, 5000), 1, 300).Draw(t, "numbers") {
			fresh := w.fresh(n)
			want := n > 0 && !used[n] && n+countWindow > top
			if fresh != want {
				t.Fatalf("number %d after %d: fresh %v, want %v", n, top, fresh, want)
			}
			if fresh {
				w.take(n)
				used[n], top = true, max(top, n)
			}
		}
	})
	if (&window{}).fresh(1 << 40) {
		t.Error("a jump that no peer makes was taken, after which no honest number would be")
	}
}

// TestS22Challenge: a challenge is taken once, from whom it was given to, within a minute.
func TestS22Challenge(t *testing.T) {
	now := time.Duration(0)
	s, err := newSessions(rand.Reader, func() time.Duration { return now })
	ok(t, err)
	nonce := []byte("a nonce of twenty-four b")
	give := func() []byte {
		c, err := s.challenge("identity--a", nonce)
		ok(t, err)
		return c
	}
	c := give()
	for why, err := range map[string]error{
		"for another node":  s.spend(c, "identity--b", nonce, true),
		"for another nonce": s.spend(c, "identity--a", []byte("another nonce"), true),
		"made up":           s.spend([]byte(strings.Repeat("x", len(c))), "identity--a", nonce, true),
		"empty":             s.spend(nil, "identity--a", nonce, true),
	} {
		if polder.KindOf(err) != polder.Unauthorised {
			t.Errorf("a challenge %s: %v", why, err)
		}
	}
	ok(t, s.spend(c, "identity--a", nonce, true))
	if err := s.spend(c, "identity--a", nonce, true); polder.KindOf(err) != polder.Unauthorised {
		t.Errorf("a challenge was taken twice: %v", err)
	}
	c = give()
	now += 2 * time.Minute
	if err := s.spend(c, "identity--a", nonce, true); polder.KindOf(err) != polder.Unauthorised {
		t.Errorf("an old challenge was taken: %v", err)
	}
}

// TestS19ChallengesOfStrangers: whoever spends challenges without being anybody's peer keeps no peer from its session.
func TestS19ChallengesOfStrangers(t *testing.T) {
	s, err := newSessions(rand.Reader, func() time.Duration { return 0 })
	ok(t, err)
	nonce := []byte("a nonce of twenty-four b")
	for n := range sessionsInAll + 1 {
		c, err := s.challenge("identity--a", nonce)
		ok(t, err)
		if err := s.spend(c, "identity--a", nonce, false); (err != nil) != (n == sessionsInAll) {
			t.Fatalf("challenge %d: %v", n, err)
		}
	}
	c, err := s.challenge("identity--b", nonce)
	ok(t, err)
	ok(t, s.spend(c, "identity--b", nonce, true))
}

// TestSessionsBounded: a link has few sessions, and ending it ends them all.
func TestSessionsBounded(t *testing.T) {
	s, err := newSessions(rand.Reader, func() time.Duration { return 0 })
	ok(t, err)
	var ids []string
	for range 10 * sessionsPerLink {
		id, err := s.open("link", nil)
		ok(t, err)
		ids = append(ids, id)
	}
	if len(s.byID) != sessionsPerLink {
		t.Errorf("%d sessions are held for one link", len(s.byID))
	}
	last, err := s.of(ids[len(ids)-1])
	ok(t, err)
	s.end("link")
	if err := s.use(last, 1); polder.KindOf(err) != polder.Unauthorised {
		t.Errorf("a session that has ended is used: %v", err)
	}
}
