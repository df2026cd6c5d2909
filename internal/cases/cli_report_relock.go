package cases

import (
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// relock locks every key that the passphrase opens with another one.
func (f *reportDeskFlags) relock(cmd *cobra.Command) error {
	h, err := f.holder(cmd)
	if err != nil {
		return err
	}
	words, err := f.newPassphrase(cmd, f.renewed, "--new-passphrase-file")
	if err != nil {
		return err
	}
	if err := seal.CheckPassphrase(words); err != nil {
		return err
	}
	first := h.own[slices.IndexFunc(h.own, func(k OwnKey) bool { return k.Locked.Public == h.keys[0].Public() })]
	if _, err := first.Locked.Unlock(words); err == nil {
		return polder.Errorf(polder.Invalid, "the new passphrase is the old one; take another")
	}
	for _, k := range h.keys {
		if err := h.relock(cmd, k, words); err != nil {
			return err
		}
	}
	return reportShowKey(cmd, first)
}

// relock has the node keep k locked with words. What the node answers is opened once more before it counts as done.
func (h *reportHolder) relock(cmd *cobra.Command, k seal.PrivateKey, words string) error {
	id := string(k.Public().ID())
	var c ReportKeyChallenge
	if err := h.node.Do(cmd.Context(), http.MethodGet, reportPath("keys", id, "challenge"), nil, &c); err != nil {
		return err
	}
	proof, err := c.Box.Open(PurposeRelock, k)
	if err != nil {
		return err
	}
	locked, err := seal.Lock(h.random, k, words)
	if err != nil {
		return err
	}
	var kept OwnKey
	in := ReportKeyRelock{Locked: locked, Proof: base64.StdEncoding.EncodeToString(proof)}
	if err := h.node.Do(cmd.Context(), http.MethodPut, reportPath("keys", id), in, &kept); err != nil {
		return err
	}
	if _, err := kept.Locked.Unlock(words); err != nil || kept.Locked.Public != k.Public() {
		return polder.Errorf(polder.Conflict, "the node does not keep the key as it was locked here; keep the old passphrase, and tell who runs the node")
	}
	return nil
}
