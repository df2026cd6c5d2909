package node

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// revoke ends a token by a command's way.
func (p *place) revoke(key string) error {
	s, err := OpenStore(context.Background(), p.dir, false)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Accounts.RevokeToken(context.Background(), accounts.Local(), p.ids[key])
}

// told is one event of a stream.
type told struct {
	event, id string
	seq       polder.Seq
}

// listener follows the stream over a socket until it ends.
type listener struct {
	events chan told
	opened chan struct{}
	ended  chan error
	cancel context.CancelFunc
}

func (p *place) listen(t *testing.T, as, query string) *listener {
	t.Helper()
	l, err := follow(p.url, p.tokens[as], query)
	ok(t, err)
	t.Cleanup(l.cancel)
	select {
	case <-l.opened:
	case <-time.After(20 * time.Second):
		t.Fatal("the stream does not begin")
	}
	return l
}

func follow(url, token, query string) (*listener, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", url+"/api/v1/stream?"+query, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := (&http.Transport{}).RoundTrip(r)
	if err != nil {
		cancel()
		return nil, err
	}
	l := &listener{events: make(chan told, 4096), opened: make(chan struct{}), ended: make(chan error, 1), cancel: cancel}
	if res.StatusCode != http.StatusOK {
		cancel()
		res.Body.Close()
		return nil, polder.Errorf(polder.Unavailable, "stream: status %d", res.StatusCode)
	}
	go func() {
		defer res.Body.Close()
		l.ended <- l.read(res)
	}()
	return l, nil
}

// read parses events as the standard says. The comment after the head tells that the stream stands.
func (l *listener) read(res *http.Response) error {
	in := bufio.NewReader(res.Body)
	var e told
	open := false
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		switch field, value, _ := bytes.Cut(line, []byte(": ")); string(field) {
		case "":
			if !open && bytes.HasPrefix(line, []byte(":")) {
				open = true
				close(l.opened)
			}
			if e.event != "" {
				l.events <- e
			}
			e = told{}
		case "event":
			e.event = string(value)
		case "data":
			var d struct {
				Seq    polder.Seq
				ID     string
				Object struct{ ID string }
			}
			if err := json.Unmarshal(value, &d); err != nil {
				return err
			}
			e.seq, e.id = d.Seq, d.ID+d.Object.ID
		}
	}
}

// TestS6Streams (S6, X9): who leaves, or whose token ends, by whatever process, is told of nothing that is committed after
// that, and its stream closes within a second.
func TestS6Streams(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *place){
		"leaves":        func(t *testing.T, p *place) { p.leave(t, "plain", p.ring) },
		"token revoked": func(t *testing.T, p *place) { ok(t, p.revoke("plain")) },
		"leaves, in node": func(t *testing.T, p *place) {
			ok(t, p.Accounts.Leave(t.Context(), accounts.Local(), p.ring.ID, p.orgs["plain"].ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.serve(t)
			p.share(t, "sharer", "ring", "", entry(1, 0, stix.Green, ""), entry(9, 0, stix.Green, ""))
			l := p.listen(t, "plain", "since=0&community=ring")
			still := p.listen(t, "named", "since=0")
			for range 2 {
				if e := <-l.events; e.event != "object" {
					t.Fatalf("got %+v", e)
				}
			}
			end(t, p)
			ended := time.Now()
			p.share(t, "sharer", "ring", "", entry(2, 0, stix.Green, ""))
			if a := p.ask(ask{as: "sharer", method: "DELETE", path: "/api/v1/communities/ring/objects/" + entryID(9)}); a.status != 200 {
				t.Fatalf("withdraw: %d", a.status)
			}
			select {
			case <-l.ended:
			case <-time.After(5 * time.Second):
				t.Error("the stream goes on")
			}
			if took := time.Since(ended); took > time.Second+slack {
				t.Errorf("the stream closed after %v", took)
			}
			close(l.events)
			for e := range l.events {
				t.Errorf("told of %+v", e)
			}
			for range 4 {
				if e, open := <-still.events; !open || e.id == "" {
					t.Errorf("the other reader: %+v", e)
				}
			}
		})
	}
}

// slack is what an overloaded machine adds.
const slack = time.Second

// TestS6Withdrawal (S6): a withdrawal alone, with no share before it, is told to nobody who left before it.
func TestS6Withdrawal(t *testing.T) {
	for range 3 { // the moment counts: what looks for changed rights four times a second may look in between
		p := newPlace(t)
		p.serve(t)
		p.share(t, "sharer", "ring", "", entry(1, 0, stix.Green, ""))
		l := p.listen(t, "plain", "since=0&community=ring")
		<-l.events
		p.leave(t, "plain", p.ring)
		p.ask(ask{as: "sharer", method: "DELETE", path: "/api/v1/communities/ring/objects/" + entryID(1)})
		<-l.ended
		close(l.events)
		for e := range l.events {
			t.Fatalf("told of %+v", e)
		}
		p.end()
	}
}

// TestX10NoSightBefore (X10): a member sees nothing, and is in no collection, before a person of it accepted the agreement.
func TestX10NoSightBefore(t *testing.T) {
	p := newPlace(t)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Clear, ""))
	ctx := t.Context()
	steward, err := p.Accounts.Authenticate(ctx, p.tokens["stew"], loopbackAddr)
	ok(t, err)
	who, first, err := p.Accounts.AddPerson(ctx, accounts.Local(), accounts.NewPerson{Org: p.orgs["foreign"].ID, Email: "s@foreign.example", Name: "S", Role: polder.RoleSteward})
	ok(t, err)
	by := polder.Actor{Org: p.orgs["foreign"].ID, Person: who.ID, Role: polder.RoleSteward}
	ok(t, p.Accounts.ChangePassword(ctx, by, first, p.password, ""))
	_, link, err := p.Accounts.Invite(ctx, steward, accounts.NewInvitation{Community: p.ring.ID, Role: polder.RoleContributor})
	ok(t, err)
	none := func(when string) {
		t.Helper()
		if got := p.seen(t, "foreign", "ring"); len(got) > 0 {
			t.Errorf("%s: sees %v", when, got)
		}
		if a := p.ask(ask{as: "foreign", path: "/taxii2/root/collections/"}); strings.Contains(a.body, string(p.ring.ID)) {
			t.Errorf("%s: is told of the collection", when)
		}
	}
	none("invited")
	m, err := p.Accounts.AcceptInvitation(ctx, by, link, 1)
	ok(t, err)
	if !m.Accepted || len(p.seen(t, "foreign", "ring")) != 1 {
		t.Errorf("accepted: %+v %v", m, p.seen(t, "foreign", "ring"))
	}
	_, err = p.Accounts.SetAgreement(ctx, steward, p.ring.ID, "A new text.", true)
	ok(t, err)
	none("with a new agreement")
	ok(t, p.Accounts.AcceptAgreement(ctx, by, p.ring.ID, 2))
	if len(p.seen(t, "foreign", "ring")) != 1 {
		t.Error("the new agreement is accepted, and nothing is seen")
	}
}
