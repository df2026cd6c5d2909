package match

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

// Client asks sets of a node. It believes nothing that is not proved: see [Client.Match].
type Client struct {
	Node  *cli.Node
	Rand  io.Reader
	Seen  *Seen  // what earlier questions saw of epochs; nil remembers nothing
	Print string // the fingerprint of the epoch's key or of the node's, as its owner says it; "" is not compared
}

// Matched is what a question found.
type Matched struct {
	Descriptor Descriptor
	In         map[string]bool // of the values that were answered: whether they are in the set
	Elements   int             // that were sent, dummies included
}

// Describe asks for the descriptor of a set and refuses one that is not what it should be: not signed, of another kind
// than asked, of another node's key than before, or another key or filter than was seen of its epoch.
func (c *Client) Describe(ctx context.Context, set string, kind Kind) (Descriptor, error) {
	var d Descriptor
	if err := c.Node.Do(ctx, http.MethodGet, setPath(set), nil, &d); err != nil {
		return d, err
	}
	if err := d.Check(); err != nil {
		return d, polder.Errorf(polder.Conflict, "%s: the description of the set %s is refused: %w", c.Node.URL, set, err)
	}
	if d.ID != set && d.Name != set {
		return d, polder.Errorf(polder.Conflict, "%s: %s was asked for, and %s described; nothing was sent", c.Node.URL, set, d.Name)
	}
	if kind != "" && kind != d.Type {
		return d, cli.Usagef("--type: the set %s is of the type %s, not %s", set, d.Type, kind)
	}
	signer := seal.VerifyKey(d.SignerKey)
	if c.Print != "" && !signer.Matches(c.Print) && !samePrint(c.Print, seal.MatchFingerprint(d.Key)) {
		return d, polder.Errorf(polder.Conflict, "--key: the key of epoch %d of the set %s has the fingerprint %s, and the node's key %s; neither is the one given. Nothing was sent; ask the owner of the set", d.Epoch, set, seal.MatchFingerprint(d.Key), signer.Fingerprint())
	}
	return d, c.Seen.hold(c.Node.URL, d)
}

// Match asks about normalised values, each once. What was answered before an error is in the result beside it.
//
// Refused, with nothing believed: a key or filter that is not the descriptor's, an answer of another epoch, an answer to
// something else than was asked, one without a proof by the epoch's key, and one with the identity in it.
func (c *Client) Match(ctx context.Context, d Descriptor, values []string, progress func(n int)) (*Matched, error) {
	out := &Matched{Descriptor: d, In: map[string]bool{}}
	filter, err := c.filter(ctx, d)
	if err != nil {
		return out, err
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error // the first; what is under way then is still waited for, since it was paid for
	over := func() bool { mu.Lock(); defer mu.Unlock(); return failed != nil }
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, n := range seal.MatchBatches(len(values)) {
		batch := values[:n]
		values = values[n:]
		slots <- struct{}{}
		if over() || ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			outputs, sent, err := c.ask(ctx, d, batch)
			mu.Lock()
			defer mu.Unlock()
			if out.Elements += sent; err != nil && failed == nil {
				failed = err
			}
			for i, o := range outputs {
				out.In[batch[i]] = filter.Has(o)
			}
			if progress != nil && err == nil {
				progress(len(batch))
			}
		})
	}
	all.Wait()
	if failed == nil {
		failed = context.Cause(ctx)
	}
	return out, failed
}

// filter is the filter of a descriptor.
func (c *Client) filter(ctx context.Context, d Descriptor) (*seal.TagSet, error) {
	res, err := c.Node.Send(ctx, http.MethodGet, setPath(d.ID)+"/filter", nil, nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, int64(seal.MaxTagBytes(d.SizeClass))+1))
	if err != nil {
		return nil, fmt.Errorf("read the filter of the set %s: %w", d.Name, err)
	}
	if hashOf(b) != d.Filter {
		return nil, polder.Errorf(polder.Conflict, "the filter of the set %s is not that of its epoch %d; nothing was sent. If the set was published again just now, ask again", d.Name, d.Epoch)
	}
	set, err := seal.ReadTagSet(b, d.SizeClass)
	if err != nil {
		return nil, polder.Errorf(polder.Conflict, "the filter of the set %s is refused: %w", d.Name, err)
	}
	return set, nil
}

// ask sends one batch and opens the answer.
func (c *Client) ask(ctx context.Context, d Descriptor, batch []string) (outputs [][]byte, sent int, err error) {
	ask, err := seal.Blind(c.Rand, d.context(), d.Key, batch)
	if err != nil {
		return nil, 0, err
	}
	body, err := json.Marshal(matchAsked{d.Epoch, ask.Elements})
	if err != nil {
		return nil, 0, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	res, err := c.Node.SendFor(ctx, http.MethodPost, setPath(d.ID)+"/evaluate", header, body, http.StatusTooManyRequests)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read the answer of %s: %w", c.Node.URL, err)
	}
	if res.StatusCode == http.StatusTooManyRequests {
		return nil, 0, tooMuch(answer, res.Header.Get("Retry-After"))
	}
	var got Evaluated
	if len(answer) > maxAnswer || json.NewDecoder(bytes.NewReader(answer)).Decode(&got) != nil {
		return nil, 0, c.refuse("it is no answer to a batch")
	}
	if got.Epoch != d.Epoch {
		return nil, len(ask.Elements), c.refuse("it is of epoch %d, and epoch %d was asked", got.Epoch, d.Epoch)
	}
	if outputs, err = ask.Finish(got.Elements, got.Proof); err != nil {
		return nil, len(ask.Elements), c.refuse("%w", err)
	}
	return outputs, len(ask.Elements), nil
}

// maxAnswer is the longest answer to a batch.
const maxAnswer = 128 << 10

func (c *Client) refuse(why string, args ...any) error {
	return polder.Errorf(polder.Conflict, "%s: an answer is refused: %w", c.Node.URL, fmt.Errorf(why, args...))
}

// tooMuch is the refusal of a node in its own words.
func tooMuch(answer []byte, after string) error {
	var p struct{ Detail string }
	if json.Unmarshal(answer, &p) != nil || p.Detail == "" {
		p.Detail = "too much was asked; ask again in " + after + " seconds"
	}
	return polder.Errorf(polder.Limited, "%s", p.Detail)
}

func setPath(set string) string { return "/api/v1/match/sets/" + url.PathEscape(set) }

// errNothing is a file without a value that can be asked about.
var errNothing = errors.New("there is no value to ask about")
