package peers

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/url"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
)

// Dialled are the links by which an organisation of this node reaches the homes of its communities, whether or not
// something flows over them just now.
func (s *Service) Dialled(ctx context.Context, org polder.OrgID) ([]exchange.PeerLink, error) {
	all, err := readLinks(s.read(ctx), false)
	var out []exchange.PeerLink
	for _, l := range all {
		if !l.Serves && l.Org == org {
			out = append(out, l.PeerLink)
		}
	}
	return out, err
}

// Caller asks the home of a link at any time, over the session that its deliveries come by. It is Unavailable, with the
// reason, while there is none.
func (s *Service) Caller(ctx context.Context, link string) (exchange.PeerCaller, error) {
	l, err := readLink(s.read(ctx), link)
	switch {
	case err != nil:
		return nil, err
	case l.Serves || !l.Ended.IsZero():
		return nil, polder.Errorf(polder.NotFound, "no link %.40q over which this node asks another", link)
	}
	if err := open(l); err != nil {
		return nil, polder.Errorf(polder.Unavailable, "%s cannot be asked: %w", l.Name, err)
	}
	s.mu.Lock()
	c := s.conns[link]
	s.mu.Unlock()
	if c == nil {
		return nil, polder.Errorf(polder.Unavailable, "%s cannot be reached just now; this node tries again by itself", l.Name)
	}
	return &askedNow{c, l.Name}, nil
}

// PeerKey is the key of a link's peer that is in force.
func (s *Service) PeerKey(ctx context.Context, l exchange.PeerLink) ed25519.PublicKey {
	return s.keyOf(ctx, l)
}

// connected has c answer [Service.Caller] for a link, until the function that it returns is called.
func (s *Service) connected(link string, c *conn) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[link] = c
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.conns[link] == c {
			delete(s.conns, link)
		}
	}
}

// askedNow asks for somebody who waits: what is wrong between the nodes is no fault of his.
type askedNow struct {
	c    *conn
	home string
}

// Call is what [exchange.PeerCaller] asks for.
func (a *askedNow) Call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	err := a.c.Call(ctx, method, path, query, body, into)
	_, bad := errors.AsType[breach](err)
	switch {
	case err == nil:
		return nil
	case bad:
		return polder.Errorf(polder.Unavailable, "%s gave an answer that is none: %w", a.home, err)
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return polder.Errorf(polder.Unavailable, "%s did not answer in time; ask again later", a.home)
	case ctx.Err() != nil:
		return err
	case slices.Contains([]polder.Kind{polder.Unauthorised, polder.Internal}, polder.KindOf(err)):
		return polder.Errorf(polder.Unavailable, "the link to %s is made anew; ask again in a moment: %w", a.home, err)
	}
	return err
}
