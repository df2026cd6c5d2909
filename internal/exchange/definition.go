package exchange

import (
	"sync"

	"github.com/polder-exchange/polder/stix"
)

// definitions are the digests of the extension definitions that this package makes, by their ids.
var definitions = sync.OnceValue(func() map[string][32]byte {
	out := map[string][32]byte{}
	for _, raw := range []string{proposalDefinition, questionDefinition, advisoryDefinition, blockedDefinition} {
		o, err := stix.Parse([]byte(raw))
		if err != nil {
			continue // a test holds each of them to be sound
		}
		if digest, err := o.Digest(); err == nil {
			out[o.ID] = digest
		}
	}
	return out
})

// IsOwnDefinition tells whether o is a definition of an extension that Polder itself describes, word for word. Nobody
// signs these: every node has them.
func IsOwnDefinition(o stix.Object) bool {
	want, ok := definitions()[o.ID]
	digest, err := o.Digest()
	return ok && err == nil && digest == want
}
