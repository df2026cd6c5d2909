package screen

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/polder-exchange/polder"
)

// Keep puts one answer on record, and its hits into the queue. It asks for a contributor.
func (s *Service) Keep(ctx context.Context, by polder.Actor, a Answer, o KeepOptions) (Screening, error) {
	return Screening{}, polder.ErrUnavailable
}

// KeepAll is Keep for up to [MaxQueries] answers about nobody known.
func (s *Service) KeepAll(ctx context.Context, by polder.Actor, all []Answer, o KeepOptions) ([]Screening, error) {
	return nil, polder.ErrUnavailable
}

// Screenings lists answers on record.
func (s *Service) Screenings(ctx context.Context, by polder.Actor, f ScreeningFilter) (ScreeningPage, error) {
	return ScreeningPage{}, polder.ErrUnavailable
}

// Screening is one answer on record.
func (s *Service) Screening(ctx context.Context, by polder.Actor, id string) (Screening, error) {
	return Screening{}, polder.ErrUnavailable
}

// EraseScreening erases an answer on record and, when it is about nobody known, all that is kept of the same query:
// its other answers, reviews, decisions and rows of batches. It asks for a steward.
func (s *Service) EraseScreening(ctx context.Context, by polder.Actor, id string, g Ground) (Tombstone, error) {
	return Tombstone{}, polder.ErrUnavailable
}

// Decided marks the hits of answers with what people have decided about them, by their place: [answer][hit].
func (s *Service) Decided(ctx context.Context, by polder.Actor, all []Answer, party string) ([][]BriefHit, error) {
	return nil, polder.ErrUnavailable
}

// Queue lists reviews.
func (s *Service) Queue(ctx context.Context, by polder.Actor, f QueueFilter) (QueuePage, error) {
	return QueuePage{}, polder.ErrUnavailable
}

// Counts are how many reviews there are.
func (s *Service) Counts(ctx context.Context, by polder.Actor) (QueueCounts, error) {
	return QueueCounts{}, polder.ErrUnavailable
}

// Waiting is how many reviews wait for a person; it is quick enough for every page.
func (s *Service) Waiting(ctx context.Context, by polder.Actor) (int, error) {
	return 0, polder.ErrUnavailable
}

// Review is one review with all that belongs to it.
func (s *Service) Review(ctx context.Context, by polder.Actor, id string) (Dossier, error) {
	return Dossier{}, polder.ErrUnavailable
}

// Decide says what a review is. It asks for a contributor.
func (s *Service) Decide(ctx context.Context, by polder.Actor, id string, j Judgement) (Review, error) {
	return Review{}, polder.ErrUnavailable
}

// Groups are the groups of parties: those that everybody has, then one's own.
func (s *Service) Groups(ctx context.Context, by polder.Actor) ([]PartyGroup, error) {
	return nil, polder.ErrUnavailable
}

// AddGroup makes a group of one's own. It asks for a steward.
func (s *Service) AddGroup(ctx context.Context, by polder.Actor, g PartyGroup) error {
	return polder.ErrUnavailable
}

// RemoveGroup takes an empty group of one's own away. It asks for a steward.
func (s *Service) RemoveGroup(ctx context.Context, by polder.Actor, name string) error {
	return polder.ErrUnavailable
}

// Parties lists known parties by name.
func (s *Service) Parties(ctx context.Context, by polder.Actor, f PartyFilter) (PartyPage, error) {
	return PartyPage{}, polder.ErrUnavailable
}

// Party is one known party.
func (s *Service) Party(ctx context.Context, by polder.Actor, id string) (Party, error) {
	return Party{}, polder.ErrUnavailable
}

// AddParty makes a party known: it is asked about soon, and again whenever a list changes. It asks for a contributor.
func (s *Service) AddParty(ctx context.Context, by polder.Actor, group string, q Query) (Party, error) {
	return Party{}, polder.ErrUnavailable
}

// ImportParties makes many parties known.
func (s *Service) ImportParties(ctx context.Context, by polder.Actor, group string, rows iter.Seq2[Query, error]) (PartyImport, error) {
	return PartyImport{}, polder.ErrUnavailable
}

// ChangeParty changes a known party. It asks for a contributor.
func (s *Service) ChangeParty(ctx context.Context, by polder.Actor, id string, c PartyChange) (Party, error) {
	return Party{}, polder.ErrUnavailable
}

// RemoveParty ends the watching of a party. What is on record of it stays. It asks for a contributor.
func (s *Service) RemoveParty(ctx context.Context, by polder.Actor, id string) error {
	return polder.ErrUnavailable
}

// EraseParty erases a party and its whole history. It asks for a steward.
func (s *Service) EraseParty(ctx context.Context, by polder.Actor, id string, g Ground) (Tombstone, error) {
	return Tombstone{}, polder.ErrUnavailable
}

// Tombstones are what is left of what was erased, the newest first.
func (s *Service) Tombstones(ctx context.Context, by polder.Actor) ([]Tombstone, error) {
	return nil, polder.ErrUnavailable
}

// Progress is how far known parties are asked against the lists as they are now.
func (s *Service) Progress(ctx context.Context, by polder.Actor) (Progress, error) {
	return Progress{}, polder.ErrUnavailable
}

// Rescreenings are the times that known parties were asked again, the newest first; at most limit.
func (s *Service) Rescreenings(ctx context.Context, by polder.Actor, limit int) ([]Rescreening, error) {
	return nil, polder.ErrUnavailable
}

// AddBatch stores queries to be asked in the background. It asks for a contributor.
func (s *Service) AddBatch(ctx context.Context, by polder.Actor, o BatchOrder, rows iter.Seq2[Query, error]) (Batch, error) {
	return Batch{}, polder.ErrUnavailable
}

// Batches are those of the organisation, the newest first; at most limit.
func (s *Service) Batches(ctx context.Context, by polder.Actor, limit int) ([]Batch, error) {
	return nil, polder.ErrUnavailable
}

// Batch is one batch.
func (s *Service) Batch(ctx context.Context, by polder.Actor, id string) (Batch, error) {
	return Batch{}, polder.ErrUnavailable
}

// BatchRows are rows of a batch.
func (s *Service) BatchRows(ctx context.Context, by polder.Actor, id string, f BatchFilter) ([]BatchRow, error) {
	return nil, polder.ErrUnavailable
}

// CancelBatch stops a batch; what it has led to stays. It asks for a contributor.
func (s *Service) CancelBatch(ctx context.Context, by polder.Actor, id string) error {
	return polder.ErrUnavailable
}

// WriteCSV writes the auditor's record of a period. It asks for a reader, and is noted in the audit.
func (s *Service) WriteCSV(ctx context.Context, by polder.Actor, p Period, w io.Writer) error {
	return polder.ErrUnavailable
}

// WritePDF writes the same for people who print.
func (s *Service) WritePDF(ctx context.Context, by polder.Actor, p Period, w io.Writer) error {
	return polder.ErrUnavailable
}

// Period is from one time until before another.
type Period struct{ From, To time.Time }

// Run does the service's waiting work until ctx ends: it asks new and changed parties, asks all again when lists
// change, works at batches, and takes away what was kept long enough.
func (s *Service) Run(ctx context.Context) {}
