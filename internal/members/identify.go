package members

import (
	"context"
	"net/netip"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// Identifier tells the console who asks, from what accounts knows. It is a [web.Identifier].
//
// A session whose person has yet to choose a password is nobody's: the log-in page alone knows it and asks for one.
type Identifier struct{ accounts *accounts.Service }

// NewIdentifier is the identifier over a.
func NewIdentifier(a *accounts.Service) *Identifier { return &Identifier{a} }

var errMustChange = polder.Errorf(polder.Unauthorised, "choose a password first")

// BySession answers who is logged in with a cookie.
func (i *Identifier) BySession(ctx context.Context, cookie string) (web.Identity, error) {
	actor, ses, err := i.accounts.Session(ctx, cookie)
	if err == nil && ses.MustChange {
		err = errMustChange
	}
	if err != nil {
		return web.Identity{}, err
	}
	who, err := i.identity(ctx, actor)
	who.Language = ses.Language
	return who, err
}

// BySecret answers who holds a token.
func (i *Identifier) BySecret(ctx context.Context, secret string, from netip.Addr) (web.Identity, error) {
	actor, err := i.accounts.Authenticate(ctx, secret, from)
	if err != nil {
		return web.Identity{}, later(err)
	}
	return i.identity(ctx, actor)
}

func (i *Identifier) identity(ctx context.Context, a polder.Actor) (web.Identity, error) {
	org, err := i.accounts.Org(ctx, a.Org)
	if err != nil {
		return web.Identity{}, err
	}
	return web.Identity{Actor: a, OrgName: org.Name}, nil
}

// wait is an error that says when to try again, as package web asks for.
type wait struct {
	error
	after time.Duration
}

func (w wait) Unwrap() error             { return w.error }
func (w wait) RetryAfter() time.Duration { return w.after }

// later lets web answer a limit of accounts with its Retry-After.
func later(err error) error {
	if after := accounts.RetryAfter(err); after > 0 {
		return wait{err, after}
	}
	return err
}
