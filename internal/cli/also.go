package cli

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// SendFor is [Node.Send] for answers that carry more than a refusal's sentence: an answer with one of the statuses in
// also is returned as it is.
func (n *Node) SendFor(ctx context.Context, method, path string, header http.Header, body []byte, also ...int) (*http.Response, error) {
	for try := 1; ; try++ {
		res, err := n.once(ctx, method, path, header, body)
		if err != nil {
			return nil, err
		}
		if res.StatusCode/100 == 2 || slices.Contains(also, res.StatusCode) {
			return res, nil
		}
		putOff := res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable
		again := pause(res.Header.Get("Retry-After"), try)
		refusal := n.refusal(res)
		if !putOff || try == tries {
			return nil, refusal
		}
		if err := n.wait(ctx, again); err != nil {
			return nil, errors.Join(refusal, err)
		}
	}
}

// Pause waits a moment before a cut connection is taken up again.
func (n *Node) Pause(ctx context.Context) error { return n.wait(ctx, 500*time.Millisecond) }
