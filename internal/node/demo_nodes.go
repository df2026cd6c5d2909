package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// This file brings further nodes on stage: each in a folder of its own, on an address of its own, with a key of its own.
// What goes between them goes over the network, as it would between countries.

// The community that spans nodes; its home is the hub, and the hub's own organisation is its steward.
const (
	dikeName, dike = "Dike watch", "dike-watch"
)

// outpost is a node of the demo beside the hub.
type outpost struct {
	name   string
	dir    string
	url    string
	node   *Node
	org    polder.Org
	token  string  // of a steward
	logins []login // of its people
	served <-chan error
	cancel context.CancelFunc
}

// openOutpost makes a node that an organisation of that name runs, and has it serve.
func openOutpost(ctx context.Context, dir, name, country string, log io.Writer) (o *outpost, err error) {
	o = &outpost{name: name, dir: dir}
	if err := o.people(ctx, country); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o.url = "http://" + l.Addr().String()
	if o.node, err = Open(ctx, dir, Config{Listen: l.Addr().String(), LogLevel: "error", PublicURL: o.url}.filled(), Options{Log: log, Password: demoPassword}); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	o.cancel, o.served = cancel, served
	go func() {
		served <- o.node.Serve(run, l)
		close(served)
	}()
	return o, nil
}

func (o *outpost) people(ctx context.Context, country string) (err error) {
	s, err := OpenStore(ctx, o.dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a := accounts.New(s.DB, s.Audit, accounts.Options{Password: demoPassword})
	made, err := a.Init(ctx, o.name, country)
	if err != nil {
		return err
	}
	o.org = made.Org
	admins, err := a.People(ctx, accounts.Local(), made.Org.ID)
	if err != nil {
		return err
	}
	if err := o.welcome(ctx, a, admins[0], made.Password); err != nil {
		return err
	}
	analyst, first, err := a.AddPerson(ctx, accounts.Local(), accounts.NewPerson{Org: made.Org.ID, Email: "analyst@" + filepath.Base(o.dir) + ".example", Name: "Analyst", Role: polder.RoleSteward})
	if err != nil {
		return err
	}
	if err := o.welcome(ctx, a, analyst, first); err != nil {
		return err
	}
	_, o.token, err = a.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: made.Org.ID, Role: polder.RoleSteward, Name: "own tools"})
	return err
}

// welcome changes a first password to one that is quick to type.
func (o *outpost) welcome(ctx context.Context, a *accounts.Service, p accounts.Person, first string) error {
	l, err := welcomed(ctx, a, o.org, p, first)
	o.logins = append(o.logins, l)
	return err
}

func (o *outpost) close() error {
	o.cancel()
	return errors.Join(<-o.served, o.node.Close())
}

// outpost starts a node beside the hub and remembers it.
func (st *stage) outpost(ctx context.Context, key, name, country string) (*outpost, error) {
	o, err := openOutpost(ctx, filepath.Join(filepath.Dir(st.dir), key), name, country, st.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	st.outposts[key] = o
	return o, nil
}

// dikeWatch makes the community that spans nodes.
func (st *stage) dikeWatch(ctx context.Context, a *accounts.Service, host polder.Org) error {
	c, err := a.AddCommunity(ctx, accounts.Local(), dikeName, stix.None)
	if err != nil {
		return err
	}
	if _, err := a.Join(ctx, accounts.Local(), c.ID, host.ID, polder.RoleSteward); err != nil {
		return err
	}
	_, st.host, err = a.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: host.ID, Role: polder.RoleSteward, Name: "own tools"})
	return err
}

// soon waits until something holds, as long as a delivery may take.
func soon(ctx context.Context, what string, holds func() (bool, error)) (time.Duration, error) {
	began := time.Now()
	for {
		done, err := holds()
		switch {
		case err != nil:
			return 0, err
		case done:
			return time.Since(began), nil
		case time.Since(began) > patience:
			return 0, fmt.Errorf("after %s still not: %s", patience, what)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
