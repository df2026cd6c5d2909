package detect

import (
	"context"
	"sync"

	"github.com/polder-exchange/polder/internal/notify"
)

// kept is a sender that keeps what it sends.
type kept struct {
	mu      sync.Mutex
	letters []notify.Letter
	to      []notify.Address
}

func (k *kept) Send(_ context.Context, to notify.Address, l notify.Letter) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.letters, k.to = append(k.letters, l), append(k.to, to)
	return nil
}
