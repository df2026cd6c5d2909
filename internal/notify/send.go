package notify

import (
	"context"
	"errors"
	"time"
)

// Letter is one message as it goes out.
type Letter struct {
	Key     string // names it; the same letter sent twice has the same
	Subject string // one line
	Body    string // plain text; may be empty
	Link    string // where to read more; may be empty
	Time    time.Time
}

// Address is where and how a person is reached on a channel.
type Address struct {
	Mail        string // an address, for [Mail]
	URL         string // for [Webhook]
	Secret      []byte // the webhook's, for its signature
	Unsubscribe string // an address where one POST, without logging in, ends these messages
}

// Sender delivers letters over one channel. An error for which [Permanent] is true is not tried again.
type Sender interface {
	Send(ctx context.Context, to Address, l Letter) error
}

// permanent marks an error that no second try will mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent tells whether trying again is in vain: no such mailbox, an address that may not be reached, a webhook that
// is gone.
func Permanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok || errors.Is(err, ErrRefused)
}
