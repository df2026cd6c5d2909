package cases

import (
	"context"

	"github.com/polder-exchange/polder"
)

// Damage is the damage assessment of a case, with what the jewels that the case touches propose.
func (s *Service) Damage(ctx context.Context, by polder.Actor, id CaseID) (v DamageView, err error) {
	return
}

// AssessDamage signs a damage assessment. Its Version is the one that was read.
func (s *Service) AssessDamage(ctx context.Context, by polder.Actor, id CaseID, d Damage) (v DamageView, err error) {
	return
}

// TouchJewels says which crown jewels a case touches. It asks for who works on it in its own organisation.
func (s *Service) TouchJewels(ctx context.Context, by polder.Actor, id CaseID, jewels []string) (v DamageView, err error) {
	return
}
