package cases

import (
	"context"
	"io"

	"github.com/polder-exchange/polder"
)

// Jewels are the crown jewels of the actor's organisation. Readers see them only where the settings say so.
func (s *Service) Jewels(ctx context.Context, by polder.Actor, f JewelFilter) (page JewelPage, err error) {
	return
}

// Jewel is one of them.
func (s *Service) Jewel(ctx context.Context, by polder.Actor, id string) (j Jewel, err error) { return }

// SetJewel adds a jewel, or changes the one of that id, whose Version is the one that was read. It asks for a steward.
func (s *Service) SetJewel(ctx context.Context, by polder.Actor, n Jewel) (j Jewel, err error) {
	return
}

// RemoveJewel takes a jewel out of the register, or puts it back. Cases that name it still do. It asks for a steward.
func (s *Service) RemoveJewel(ctx context.Context, by polder.Actor, id string, version int, away bool) (j Jewel, err error) {
	return
}

// JewelHistory is what a jewel once was, the latest first.
func (s *Service) JewelHistory(ctx context.Context, by polder.Actor, id string) (out []JewelRevision, err error) {
	return
}

// ImportJewels takes a file of jewels, CSV with a heading or JSON; one of the same name is changed. It asks for a steward.
func (s *Service) ImportJewels(ctx context.Context, by polder.Actor, name string, r io.Reader) (out JewelImport, err error) {
	return
}

// JewelsOf are all crown jewels of an organisation, for what watches over them on this node. It asks for no right: no answer of it may reach another organisation.
func (s *Service) JewelsOf(ctx context.Context, org polder.OrgID) (out []Jewel, err error) { return }
