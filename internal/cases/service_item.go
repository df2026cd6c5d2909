package cases

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Items are the items of a case that the asker sees, by time.
func (s *Service) Items(ctx context.Context, by polder.Actor, id CaseID, f ItemFilter) (page ItemPage, err error) {
	return
}

// Item is one item of a case.
func (s *Service) Item(ctx context.Context, by polder.Actor, id CaseID, item string) (it Item, err error) {
	return
}

// AddItem adds an entry, observable, task, note, decision, link or a thing held as evidence. Without a level it gets the case's. An observable that the case holds already, at that level or wider, is given back instead.
func (s *Service) AddItem(ctx context.Context, by polder.Actor, id CaseID, n Item) (it Item, err error) {
	return
}

// ChangeItem changes an item; its Version is the one that was read. A change made on an older version is a [*CaseConflict]. Decisions do not change: supersede them.
func (s *Service) ChangeItem(ctx context.Context, by polder.Actor, id CaseID, n Item) (it Item, err error) {
	return
}

// FinishTask says that a task is done, or that it is not.
func (s *Service) FinishTask(ctx context.Context, by polder.Actor, id CaseID, item string, done bool) (it Item, err error) {
	return
}

// StrikeItem strikes an item out: it is kept, and counts no more.
func (s *Service) StrikeItem(ctx context.Context, by polder.Actor, id CaseID, item string, version int, reason string) (it Item, err error) {
	return
}

// EraseItem takes the content of an item and of all that it once was away; that there was one, and the reason, stay. It asks for the lead.
func (s *Service) EraseItem(ctx context.Context, by polder.Actor, id CaseID, item, reason string) (it Item, err error) {
	return
}

// ItemHistory is what an item once was, the latest first, as far as the asker sees each version.
func (s *Service) ItemHistory(ctx context.Context, by polder.Actor, id CaseID, item string) (out []CaseRevision, err error) {
	return
}

// SearchItems are items of all cases that the asker sees, with text in title, text or value.
func (s *Service) SearchItems(ctx context.Context, by polder.Actor, text string, limit int) (out []Item, err error) {
	return
}

// MyTasks are the tasks of the person who asks that are not done, the most urgent first.
func (s *Service) MyTasks(ctx context.Context, by polder.Actor) (out []CaseTask, err error) { return }

// LookUp asks the exchange and the other cases about an observable. Nothing of the answer is kept.
func (s *Service) LookUp(ctx context.Context, by polder.Actor, id CaseID, item string) (out ItemLookUp, err error) {
	return
}

// CarelessIn finds values of the case's observables, names of its evidence and titles of its links that are marked stricter than a level in texts that are to be marked so. Whoever widens or releases is asked to confirm.
func (s *Service) CarelessIn(ctx context.Context, by polder.Actor, id CaseID, level stix.Marking, texts map[string]string) (out []Careless, err error) {
	return
}
