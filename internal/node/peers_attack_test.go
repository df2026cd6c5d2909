package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/stix"
)

// TestS22JoinAsTheHome: a node that joins for an organisation which bears the id of the home's own node is refused. Its
// line in the roster would otherwise keep every other member's node from the community.
func TestS22JoinAsTheHome(t *testing.T) {
	ctx, local := context.Background(), accounts.Local()
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	inv, err := hub.federation.peers.Invite(ctx, local, peers.NewInvitation{Community: c.Alias, URL: hub.url})
	ok(t, err)
	squatter, err := maker.Accounts.AddOrg(ctx, local, accounts.NewOrg{Name: "Squatter"})
	ok(t, err)
	ok(t, maker.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE accounts_org SET id = ? WHERE id = ?`, inv.Node, squatter.ID)
		return err
	}))
	if _, err := maker.federation.peers.Accept(ctx, local, peers.Acceptance{Line: inv.String(), Org: inv.Node}); polder.KindOf(err) != polder.Conflict {
		t.Errorf("joined as the home: %v", err)
	}
	if _, err := hub.Accounts.Org(ctx, inv.Node); polder.KindOf(err) != polder.NotFound {
		t.Errorf("the home's node became an organisation: %v", err)
	}
}

// TestS17StolenSession: whoever stole the key of a node and opened a session with it is out as soon as the home knows
// that the key was revoked, and not when the session happens to end.
func TestS17StolenSession(t *testing.T) {
	ctx := context.Background()
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	tap := &tapped{}
	door := httptest.NewServer(tap.before(hub.Handler()))
	defer door.Close()
	linked(t, hub, maker, c, door.URL)
	until(t, "a signed request", func() bool { return tap.last("/state") != nil })
	session := tap.last("/state").Header.Get("Polder-Session")
	node, _, err := maker.federation.keys.Node(ctx)
	ok(t, err)
	// What the thief signs with the session that is open.
	asks := func(count string) *http.Request {
		empty := sha256.Sum256(nil)
		signature, err := maker.federation.keys.SignNode(ctx, fmt.Appendf(nil, "polder request 1\n%s\n%s\nGET\nstate?cursor=0\n%x\n", session, count, empty))
		ok(t, err)
		r, err := http.NewRequest(http.MethodGet, hub.url+"/api/v1/peer/state?cursor=0", nil)
		ok(t, err)
		r.Header = http.Header{"Polder-Session": {session}, "Polder-Count": {count}, "Polder-Signature": {base64.RawStdEncoding.EncodeToString(signature)}}
		return r
	}
	answer := func(r *http.Request) int {
		res, err := door.Client().Do(r)
		ok(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		ok(t, errors.Join(err, res.Body.Close()))
		return res.StatusCode
	}
	before, after := asks("400"), asks("401")
	if got := answer(before); got != http.StatusOK {
		t.Fatalf("before the key is revoked: %d", got)
	}
	maker.command(t, nil, "keys", "revoke", "--data", maker.dir, "--org", string(node))
	until(t, "the home knows", func() bool {
		theirs, err := hub.federation.keys.KeyOf(ctx, node)
		ours, err2 := maker.federation.keys.KeyOf(ctx, node)
		return err == nil && err2 == nil && bytes.Equal(theirs, ours)
	})
	if got := answer(after); got != http.StatusUnauthorized {
		t.Errorf("after it was revoked the session goes on: %d", got)
	}
	raw := hub.signal(1, "still")
	hub.share(t, c.ID, stix.Green, nil, raw)
	maker.holds(t, c.ID, idOf(t, raw))
	maker.stop() // before its door closes
}

// TestS22AnotherKeyIsNotKept: who answers at the address of an invitation with other keys than it names is refused, and
// what it says of its keys is not kept: whoever is asked later decides nothing by what a stranger said first.
func TestS22AnotherKeyIsNotKept(t *testing.T) {
	ctx, local := context.Background(), accounts.Local()
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	inv, err := hub.federation.peers.Invite(ctx, local, peers.NewInvitation{Community: c.Alias, URL: hub.url})
	ok(t, err)
	named := inv
	named.Key = bytes.Repeat([]byte{7}, 32) // the invitation is of a node that has this key; at the address is another
	if _, err := maker.federation.peers.Accept(ctx, local, peers.Acceptance{Line: named.String()}); polder.KindOf(err) != polder.Forbidden || !strings.Contains(err.Error(), "does not prove the key") {
		t.Errorf("joined: %v", err)
	}
	if _, err := maker.federation.keys.KeyOf(ctx, inv.Node); polder.KindOf(err) != polder.NotFound {
		t.Errorf("the key of a stranger was kept: %v", err)
	}
	_, err = maker.federation.peers.Accept(ctx, local, peers.Acceptance{Line: inv.String()})
	ok(t, err)
}
