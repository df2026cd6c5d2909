package node

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// known is an Identifier that knows every secret as a token of its own.
type known struct{}

func (known) BySession(context.Context, string) (web.Identity, error) { return web.Identity{}, nil }
func (known) BySecret(_ context.Context, secret string, _ netip.Addr) (web.Identity, error) {
	return web.Identity{Actor: polder.Actor{Token: polder.TokenID(secret)}}, nil
}

// TestPacedPerActor: who asks too often is told when to come again; others go on.
func TestPacedPerActor(t *testing.T) {
	p := paced{known{}, accounts.NewLimiter(accounts.Allowance{Burst: 3, Every: time.Minute}, 100, func() time.Duration { return 0 })}
	for i := range 5 {
		_, err := p.BySecret(context.Background(), "greedy", netip.Addr{})
		if limited := polder.KindOf(err) == polder.Limited; limited != (i >= 3) {
			t.Fatalf("request %d: %v", i+1, err)
		}
		if r, ok := err.(web.RetryAfter); err != nil && (!ok || r.RetryAfter() < time.Second) {
			t.Fatalf("%v does not say when to come again", err)
		}
	}
	if _, err := p.BySecret(context.Background(), "patient", netip.Addr{}); err != nil {
		t.Fatal(err)
	}
}
