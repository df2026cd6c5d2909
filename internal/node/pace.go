package node

import (
	"context"
	"net/netip"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// perActor is how many requests one token or one person may make: far above what a program needs that reads pages,
// shares in batches and follows the stream, and below what keeps the others waiting.
var perActor = accounts.Allowance{Burst: 5000, Every: time.Millisecond}

// paced refuses with 429 whoever asks too often, and leaves the others alone.
type paced struct {
	web.Identifier
	limit *accounts.Limiter
}

func (p paced) BySession(ctx context.Context, cookie string) (web.Identity, error) {
	who, err := p.Identifier.BySession(ctx, cookie)
	return p.take(who, err)
}

func (p paced) BySecret(ctx context.Context, secret string, from netip.Addr) (web.Identity, error) {
	who, err := p.Identifier.BySecret(ctx, secret, from)
	return p.take(who, err)
}

func (p paced) take(who web.Identity, err error) (web.Identity, error) {
	if err != nil {
		return who, err
	}
	if after, ok := p.limit.Take(string(who.Actor.Token) + "|" + string(who.Actor.Person)); !ok {
		return web.Identity{}, tooOften{polder.Errorf(polder.Limited, "you ask more often than this node answers one client; slow down"), after}
	}
	return who, nil
}

// tooOften says when to come again, as package web asks for.
type tooOften struct {
	error
	after time.Duration
}

func (t tooOften) Unwrap() error             { return t.error }
func (t tooOften) RetryAfter() time.Duration { return max(t.after, time.Second) }
