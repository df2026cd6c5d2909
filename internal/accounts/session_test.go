package accounts

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
)

func (h *house) in(a account) (string, Session) {
	h.t.Helper()
	cookie, ses, err := h.LogIn(ctx, a.Email, a.password, home, "Firefox")
	ok(h.t, err)
	return cookie, ses
}

func TestSession(t *testing.T) {
	h := newHouse(t)
	cookie, first := h.in(h.steward)
	if len(cookie) != 43 {
		t.Fatalf("a cookie of %d characters is not 256 bits", len(cookie))
	}
	a, ses, err := h.Session(ctx, cookie)
	if err != nil || a != h.steward.actor || ses.ID != first.ID || ses.Network != "192.0.2.7" || ses.Agent != "Firefox" {
		t.Fatalf("session: %+v %+v, %v", a, ses, err)
	}
	ok(t, h.SetRole(ctx, Local(), h.steward.ID, polder.RoleReader))
	if a, _, err := h.Session(ctx, cookie); err != nil || a.Role != polder.RoleReader {
		t.Fatalf("a new role holds from the next request: %v, %v", a.Role, err)
	}
	second, ses2 := h.in(h.steward)
	if all, err := h.Sessions(ctx, h.steward.actor, h.steward.ID); err != nil || len(all) != 2 {
		t.Fatalf("sessions: %+v, %v", all, err)
	}
	ok(t, h.RevokeSession(ctx, h.steward.actor, ses2.ID))
	_, _, err = h.Session(ctx, second)
	kind(t, err, polder.Unauthorised, "a revoked session")
	ok(t, h.LogOut(ctx, cookie))
	ok(t, h.LogOut(ctx, cookie))
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "after log-out")
	cookie, _ = h.in(h.steward)
	ok(t, h.Disable(ctx, Local(), h.steward.ID))
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "a disabled person's session")
	_, _, err = h.LogIn(ctx, h.steward.Email, h.steward.password, home, "")
	kind(t, err, polder.Unauthorised, "a disabled person's log-in")
	ok(t, h.Enable(ctx, Local(), h.steward.ID))
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "a session that ended with its person stays ended")
}

func TestWhoSeesAndEndsSessions(t *testing.T) {
	h := newHouse(t)
	admin := h.person(h.acme.ID, "ada@acme.example", polder.RoleAdmin)
	for _, tc := range []struct {
		by   polder.Actor
		of   account
		want polder.Kind
		why  string
	}{
		{h.read.actor, h.read, 0, "one's own"},
		{h.steward.actor, h.read, 0, "a steward of the organisation"},
		{admin.actor, h.boltSteward, 0, "an administrator"},
		{h.read.actor, h.steward, polder.NotFound, "a colleague's"},
		{h.boltSteward.actor, h.read, polder.NotFound, "another organisation's"},
		{h.steward.actor, admin, polder.NotFound, "an account above one's own"},
	} {
		cookie, ses := h.in(tc.of)
		_, err := h.Sessions(ctx, tc.by, tc.of.ID)
		revoke := h.RevokeSession(ctx, tc.by, ses.ID)
		_, _, alive := h.Session(ctx, cookie)
		if tc.want == 0 {
			ok(t, err)
			ok(t, revoke)
			kind(t, alive, polder.Unauthorised, tc.why)
			continue
		}
		kind(t, err, tc.want, tc.why)
		if revoke == nil || alive != nil {
			t.Errorf("%s: ended: %v, %v", tc.why, revoke, alive)
		}
	}
}

func TestSessionExpires(t *testing.T) {
	h := newHouse(t)
	cookie, _ := h.in(h.steward)
	for range 24 { // in use, it outlives the idle time
		h.pass(7 * time.Hour)
		if _, _, err := h.Session(ctx, cookie); err != nil && h.now().Sub(start) < 7*24*time.Hour {
			t.Fatalf("a session in use ended after %v", h.now().Sub(start))
		}
	}
	_, _, err := h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "after seven days, in use or not")
	cookie, _ = h.in(h.steward)
	h.pass(8*time.Hour + time.Second)
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "after eight hours unused")
	if all, err := h.Sessions(ctx, h.steward.actor, h.steward.ID); err != nil || len(all) != 0 {
		t.Fatalf("expired sessions are listed: %+v, %v", all, err)
	}
	h.pass(60 * 24 * time.Hour)
	h.in(h.steward)
	var n int
	ok(t, h.db.Read().QueryRow(`SELECT count(*) FROM accounts_session`).Scan(&n))
	if n != 1 {
		t.Fatalf("%d sessions are kept for ever", n)
	}
}

func TestCleanAgent(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"Firefox/150", "Firefox/150"}, {"a\x1b[31mb\r\nc\u202e", "a[31mbc"}, {strings.Repeat("é", 150), strings.Repeat("é", 100)}, {"\xff\xfe", ""},
	} {
		if got := cleanAgent(tc.in); got != tc.want {
			t.Errorf("cleanAgent(%q) = %q", tc.in, got)
		}
	}
}

// fail tries to log in with a wrong password.
func (h *house) fail(email string, from string) polder.Kind {
	_, _, err := h.LogIn(ctx, email, "a wrong password", netip.MustParseAddr(from), "")
	return polder.KindOf(err)
}

// burst counts the tries until the limit holds.
func (h *house) burst(email string, from func(i int) string) int {
	for i := range 1000 {
		if h.fail(email, from(i)) == polder.Limited {
			return i
		}
	}
	return 1000
}

func apart(i int) string { return fmt.Sprintf("198.51.%d.%d", 100+i/250, i%250) }
func same(int) string    { return "203.0.113.9" }

// TestS8LogInLimits: per account, per address and over all, in every spelling, for accounts that exist and such that do
// not, across a restart, whatever the machine's clock does.
func TestS8LogInLimits(t *testing.T) {
	small := Options{LogIn: LogInLimits{
		Account: Allowance{5, time.Minute}, Known: Allowance{4, time.Minute}, Network: Allowance{8, time.Minute}, Node: Allowance{20, time.Minute}}}
	spellings := []string{"sam@acme.example", "SAM@ACME.EXAMPLE", " sam@acme.example", "ｓａｍ@acme.example", "Sam@Acme.Example\t"}
	for _, tc := range []struct {
		why  string
		want int
		run  func(h *house) int
	}{
		{"an account, from many networks", 5, func(h *house) int { return h.burst("sam@acme.example", apart) }},
		{"an account that does not exist", 5, func(h *house) int { return h.burst("nobody@acme.example", apart) }},
		{"an account in every spelling", 5, func(h *house) int {
			for i := range 100 {
				if h.fail(spellings[i%len(spellings)], apart(i)) == polder.Limited {
					return i
				}
			}
			return 100
		}},
		{"a network, over many accounts", 8, func(h *house) int {
			for i := range 100 {
				if h.fail(fmt.Sprintf("p%d@acme.example", i), same(i)) == polder.Limited {
					return i
				}
			}
			return 100
		}},
		{"the node, over many accounts and networks", 20, func(h *house) int {
			for i := range 100 {
				if h.fail(fmt.Sprintf("p%d@acme.example", i), apart(i)) == polder.Limited {
					return i
				}
			}
			return 100
		}},
		{"where the person logged in before", 4, func(h *house) int {
			h.in(h.steward)
			return h.burst("sam@acme.example", func(int) string { return home.String() })
		}},
		{"across a restart", 5, func(h *house) int {
			n := 0
			for ; n < 100 && h.fail("sam@acme.example", apart(n)) != polder.Limited; n++ {
				h.restart(small)
			}
			return n
		}},
		{"with the clock a day ahead at every try", 5, func(h *house) int {
			n := 0
			for ; n < 100 && h.fail("sam@acme.example", apart(n)) != polder.Limited; n++ {
				h.jump(24 * time.Hour)
			}
			return n
		}},
		{"with the clock a day back, then ahead, over a restart", 5, func(h *house) int {
			n := 0
			for ; n < 100 && h.fail("sam@acme.example", apart(n)) != polder.Limited; n++ {
				h.jump(time.Duration(1-2*(n%2)) * 24 * time.Hour)
				h.restart(small)
			}
			return n
		}},
	} {
		h := newHouse(t)
		h.restart(small)
		if got := tc.run(h); got != tc.want {
			t.Errorf("%s: %d tries, want %d", tc.why, got, tc.want)
		}
	}
}

// TestS8TheRightPasswordToo: while a limit holds, the right password is not tried either, or the limit were none; but the
// owner, from where it logged in before, gets in.
func TestS8TheRightPasswordToo(t *testing.T) {
	h := newHouse(t)
	h.in(h.steward) // from home
	h.burst(h.steward.Email, apart)
	_, _, err := h.LogIn(ctx, h.steward.Email, h.steward.password, netip.MustParseAddr("198.51.100.250"), "")
	kind(t, err, polder.Limited, "a stranger with the right password")
	if RetryAfter(err) <= 0 || RetryAfter(err) > 3*time.Minute {
		t.Errorf("again in %v", RetryAfter(err))
	}
	h.in(h.steward)
	h.pass(3 * time.Minute)
	if _, _, err = h.LogIn(ctx, h.steward.Email, h.steward.password, netip.MustParseAddr("198.51.100.250"), ""); err != nil {
		t.Errorf("one try has come back: %v", err)
	}
}

// TestS8TheAllowanceComesBack: what was used refills by the time the node runs, over restarts too.
func TestS8TheAllowanceComesBack(t *testing.T) {
	h := newHouse(t)
	h.pass(90 * 24 * time.Hour)
	if n := h.burst(h.steward.Email, apart); n != 10 {
		t.Fatalf("%d tries", n)
	}
	h.pass(90 * time.Second)
	h.in(h.read) // something is written, and with it how long the node has run
	h.restart(Options{})
	h.pass(100 * time.Second)
	if n := h.burst(h.steward.Email, apart); n != 1 {
		t.Fatalf("after three minutes and a restart %d tries came back, want 1", n)
	}
}

// TestS8SuccessCostsNothing: who knows the password logs in as often as he likes.
func TestS8SuccessCostsNothing(t *testing.T) {
	h := newHouse(t)
	for i := range 60 {
		if _, _, err := h.LogIn(ctx, h.steward.Email, h.steward.password, netip.MustParseAddr(apart(i)), ""); err != nil {
			t.Fatalf("log-in %d: %v", i, err)
		}
	}
	h.pass(time.Hour)
	h.fail("nobody@acme.example", same(0))
	var n int
	ok(t, h.db.Read().QueryRow(`SELECT count(*) FROM accounts_limit`).Scan(&n))
	if n > 3 {
		t.Fatalf("%d limits are kept that are whole again", n)
	}
}

// TestS8UnknownCostsTheSame: the same hashing and the same writes, whether there is an account or not.
func TestS8UnknownCostsTheSame(t *testing.T) {
	h := newHouse(t)
	ok(t, h.Disable(ctx, Local(), h.read.ID))
	trace := func(email, password string) string {
		before := len(h.actions())
		_, _, err := h.LogIn(ctx, email, password, netip.MustParseAddr("203.0.113.1"), "")
		return fmt.Sprintf("%v, %d entries", err, len(h.actions())-before)
	}
	want := trace("nobody@acme.example", "a wrong password")
	for _, got := range []string{trace(h.steward.Email, "a wrong password"), trace(h.read.Email, h.read.password), trace("", "x"), trace("admin", "x")} {
		if got != want {
			t.Errorf("answers %q for one account and %q for another", got, want)
		}
	}
	if c, _, _, err := parseHash(h.o.Password.decoy()); err != nil || c != h.o.Password {
		t.Errorf("an unknown account costs %+v, %v; a known one %+v", c, err, h.o.Password)
	}
}

// TestS8HashingIsBounded: however many log in at once, few hash, and who cannot wait is told.
func TestS8HashingIsBounded(t *testing.T) {
	h := newHouse(t)
	for range hashesAtOnce {
		done, err := h.turn(ctx)
		ok(t, err)
		defer done()
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, _, err := h.LogIn(short, h.steward.Email, h.steward.password, home, "")
	kind(t, err, polder.Unavailable, "no place to hash")
	var n int
	ok(t, h.db.Read().QueryRow(`SELECT count(*) FROM accounts_limit`).Scan(&n))
	if n != 0 {
		t.Error("a try that was not made counts")
	}
}

// TestAPasswordChangedMeanwhile: a log-in whose password was changed while it was being compared makes no session.
func TestAPasswordChangedMeanwhile(t *testing.T) {
	h := newHouse(t)
	a := attempt{from: network(home), password: h.steward.password}
	right, err := h.try(ctx, &a, h.steward.Email)
	if err != nil || !right {
		t.Fatalf("the right password: %v, %v", right, err)
	}
	_, err = h.ResetPassword(ctx, Local(), h.steward.ID)
	ok(t, err)
	_, _, err = h.begin(ctx, a, "")
	kind(t, err, polder.Unauthorised, "the password was reset in the meantime")
}

func TestS8ChangingThePasswordIsLimited(t *testing.T) {
	h := newHouse(t)
	for i := range 100 {
		err := h.ChangePassword(ctx, h.steward.actor, "a wrong password", "correct horse battery staple", "")
		if polder.KindOf(err) == polder.Limited {
			if i != DefaultLogInLimits.Account.Burst {
				t.Fatalf("limited after %d tries", i)
			}
			return
		}
	}
	t.Fatal("the old password can be guessed for ever")
}

// TestRehash: a hash of another cost is renewed when its password is known.
func TestRehash(t *testing.T) {
	h := newHouse(t)
	h.o.Password = PasswordCost{MemoryKiB: 128, Passes: 2, Lanes: 1}
	stored := func() (s string) {
		ok(t, h.db.Read().QueryRow(`SELECT password FROM accounts_person WHERE id = ?`, h.steward.ID).Scan(&s))
		return s
	}
	h.fail(h.steward.Email, same(0))
	if strings.Contains(stored(), "m=128,t=2") {
		t.Fatal("renewed with a wrong password")
	}
	h.in(h.steward)
	if !strings.Contains(stored(), "m=128,t=2") {
		t.Fatalf("not renewed: %.30s", stored())
	}
	h.in(h.steward)
}

// TestF8Clock: a clock that is set back or ahead ends nothing later, revives nothing, and lets time pass.
func TestF8Clock(t *testing.T) {
	day := 24 * time.Hour
	for _, jump := range []time.Duration{-time.Hour, -day, -10 * 365 * day, time.Unix(0, 0).Sub(start)} {
		for _, restart := range []bool{false, true} {
			for _, what := range []string{"token", "session", "invitation"} {
				h := newHouse(t)
				alive := h.expiring(what)
				ok(t, alive())
				h.pass(8*time.Hour + time.Minute)
				kind(t, alive(), polder.Unauthorised, "an expired "+what)
				h.jump(jump)
				if restart {
					h.restart(Options{})
				}
				kind(t, alive(), polder.Unauthorised, fmt.Sprintf("an expired %s, the clock %v (restart %v)", what, jump, restart))
				h.passesWhileBehind()
			}
		}
	}
}

// expiring makes something that lives for less than eight hours, and answers how to ask whether it does.
func (h *house) expiring(what string) (alive func() error) {
	soon := start.Add(30 * time.Minute)
	switch what {
	case "token":
		_, text, err := h.CreateToken(ctx, Local(), NewToken{Org: h.acme.ID, Role: polder.RoleReader, Expires: soon})
		ok(h.t, err)
		return func() error { _, err := h.Authenticate(ctx, text, home); return err }
	case "session":
		cookie, _ := h.in(h.steward)
		return func() error { _, _, err := h.Session(ctx, cookie); return err }
	}
	_, text, err := h.Invite(ctx, Local(), NewInvitation{Community: h.optics.ID, Expires: soon})
	ok(h.t, err)
	asked := false
	return func() error {
		if !asked { // before it expires it is only looked at, for it works once
			asked = true
			_, err := h.Invitation(ctx, text)
			return err
		}
		_, err := h.AcceptInvitation(ctx, h.boltSteward.actor, text, 0)
		return err
	}
}

// passesWhileBehind holds that an hour is an hour while the machine's clock is behind ours.
func (h *house) passesWhileBehind() {
	h.t.Helper()
	_, text, err := h.CreateToken(ctx, Local(), NewToken{Org: h.acme.ID, Role: polder.RoleReader, Expires: h.now().Add(time.Hour)})
	ok(h.t, err)
	h.pass(59 * time.Minute)
	_, err = h.Authenticate(ctx, text, home)
	ok(h.t, err)
	h.pass(2 * time.Minute)
	_, err = h.Authenticate(ctx, text, home)
	kind(h.t, err, polder.Unauthorised, "time passes while the clock lags")
}

// TestF8Ahead: a clock that was ten years ahead for a moment costs what was open then, and nothing afterwards.
func TestF8Ahead(t *testing.T) {
	h := newHouse(t)
	cookie, _ := h.in(h.steward)
	_, forever := h.token(h.acme.ID, polder.RoleReader)
	h.jump(10 * 365 * 24 * time.Hour)
	_, _, err := h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "ten years later")
	h.jump(-10 * 365 * 24 * time.Hour)
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "it does not come back")
	h.restart(Options{})
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "nor after a restart")
	if _, err := h.Authenticate(ctx, forever, home); err != nil {
		t.Fatalf("a token without an end: %v", err)
	}
	cookie, _ = h.in(h.steward)
	h.pass(7 * time.Hour)
	if _, _, err := h.Session(ctx, cookie); err != nil {
		t.Fatalf("a new session lives its time: %v", err)
	}
	h.pass(8 * time.Hour)
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "and no longer")
}

// TestF8EveryCallAnHourBack: a clock that steps back at every call.
func TestF8EveryCallAnHourBack(t *testing.T) {
	c := &clock{wall: func() time.Time { return start }, steady: func() time.Duration { return 0 }}
	wall, ran := start, time.Duration(0)
	c.wall = func() time.Time { wall = wall.Add(-time.Hour); return wall }
	c.steady = func() time.Duration { ran += time.Millisecond; return ran }
	last := int64(0)
	for range 1000 {
		now := c.now(0)
		if now <= last {
			t.Fatalf("the clock stands or goes back: %d after %d", now, last)
		}
		last = now
	}
	if max := start.Add(time.Second).UnixMicro(); last > max {
		t.Fatalf("the clock ran ahead by %v", time.Duration(last-max)*time.Microsecond)
	}
}

func TestLimiter(t *testing.T) {
	var ran time.Duration
	l := NewLimiter(Allowance{2, time.Second}, 3, func() time.Duration { return ran })
	take := func(key string, want bool, why string) {
		t.Helper()
		wait, ok := l.Take(key)
		if ok != want || ok == (wait > 0) {
			t.Fatalf("%s: Take(%q) = %v, %v", why, key, wait, ok)
		}
	}
	take("a", true, "first")
	take("a", true, "second")
	take("a", false, "the burst is used up")
	take("b", true, "another key")
	take("c", true, "a third")
	take("d", true, "no room: shared")
	take("e", true, "no room: shared")
	take("f", false, "inventing keys frees nobody")
	take("a", false, "a known key is not forgotten for new ones")
	if l.Len() != 3 {
		t.Fatalf("%d keys", l.Len())
	}
	ran += time.Second
	take("a", true, "one has come back")
	take("a", false, "and no more")
	take("g", true, "there is room again")
	ran += time.Hour
	take("a", true, "the burst")
	take("a", true, "and no more than the burst")
	take("a", false, "has come back")
	ran -= time.Hour
	take("a", false, "a clock that goes back gives nothing")
}

func TestLimiterAtOnce(t *testing.T) {
	l := NewLimiter(Allowance{100, time.Hour}, 10, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := 0
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, ok := l.Take("k"); ok {
					mu.Lock()
					got++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if got != 100 {
		t.Fatalf("%d of a burst of 100", got)
	}
}
