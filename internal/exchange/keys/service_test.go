package keys

import (
	"encoding/json"

	"github.com/polder-exchange/polder/internal/seal"
)

func rawChain(c seal.Chain) (out []json.RawMessage) {
	for _, st := range c.Statements() {
		out = append(out, st.Raw())
	}
	return out
}
