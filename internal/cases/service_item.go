package cases

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

const maxLookUp = 20 // objects of the exchange about one value

// itemRowAt is an item of a case that the viewer sees, and what the viewer may do with it.
func itemRowAt(a db.Querier, v caseViewer, id CaseID, item string, need Part) (caseHeld, itemRow, Access, error) {
	r, x, err := caseRowAt(a, v, id, need)
	if err != nil {
		return r, itemRow{}, x, err
	}
	it, err := readItem(a, v, id, item)
	return r, it, x, err
}

// completeItems gives items what lies elsewhere, and takes away what the viewer may not read of them.
func (s *Service) completeItems(ctx context.Context, a db.Querier, v caseViewer, caseOrg polder.OrgID, rows []itemRow) ([]Item, error) {
	out := make([]Item, 0, len(rows))
	hide := s.caseHider(ctx, v, caseOrg)
	for _, r := range rows {
		it := r.Item
		var err error
		switch {
		case it.Evidence != nil:
			it.Evidence.Custody, err = custodyOf(a, r.n)
		case it.Decision != nil:
			it.Decision.SupersededBy, err = supersededBy(a, v, it.ID)
		case it.Link != nil:
			var to caseHeld
			if to, err = readSeat(a, v, it.Link.To); err == nil {
				ref := to.ref(v)
				it.Link.Title, it.Link.Status = ref.Title, ref.Status
			}
		}
		if err == nil {
			err = hide.item(&it)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// oneItem is an item as the viewer sees it now.
func (s *Service) oneItem(ctx context.Context, a db.Querier, v caseViewer, id CaseID, item string) (Item, error) {
	r, it, _, err := itemRowAt(a, v, id, item, PartRead)
	if err != nil {
		return Item{}, err
	}
	all, err := s.completeItems(ctx, a, v, r.Org, []itemRow{it})
	if err != nil {
		return Item{}, err
	}
	return all[0], nil
}

// Items are the items of a case that the asker sees, by time.
func (s *Service) Items(ctx context.Context, by polder.Actor, id CaseID, f ItemFilter) (ItemPage, error) {
	page := ItemPage{Items: []Item{}}
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return page, err
	}
	if f.Kind != "" {
		f.Kinds = append(slices.Clone(f.Kinds), f.Kind)
	}
	for _, k := range f.Kinds {
		if err := caseOneOf("kind", k, itemKinds); err != nil {
			return page, err
		}
	}
	if f.Limit, err = caseLimit(f.Limit); err != nil {
		return page, err
	}
	if f.Text, err = caseLine("text", f.Text, maxCaseTitle, false); err != nil {
		return page, err
	}
	a := s.committed(ctx)
	r, _, err := caseRowAt(a, v, id, PartRead)
	if err != nil {
		return page, err
	}
	rows, err := listItems(a, v, id, f)
	if err != nil {
		return page, err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		page.Next = rows[f.Limit-1].ID
	}
	page.Items, err = s.completeItems(ctx, a, v, r.Org, rows)
	return page, err
}

// Item is one item of a case.
func (s *Service) Item(ctx context.Context, by polder.Actor, id CaseID, item string) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	return s.oneItem(ctx, s.committed(ctx), v, id, item)
}

// errCaseClosed is the answer to new work on a closed case.
var errCaseClosed = polder.Errorf(polder.Conflict, "the case is closed; open it again, then go on with it")

// AddItem adds an entry, observable, task, note, decision, link or a thing held as evidence. Without a level it gets the
// case's. An observable that the case holds already, at that level or wider, is given back instead. A text that holds a
// value marked stricter is a [*CarelessHold] until it is confirmed.
func (s *Service) AddItem(ctx context.Context, by polder.Actor, id CaseID, n Item) (Item, error) {
	if n.Evidence != nil && (n.Evidence.SHA256 != "" || n.Evidence.Size != 0) {
		return Item{}, polder.Errorf(polder.Invalid, "evidence: hash and size are the node's to say; send the file itself")
	}
	return s.addItem(ctx, by, id, n, nil)
}

// addItem adds an item; with is run in its transaction, where it is not nil.
func (s *Service) addItem(ctx context.Context, by polder.Actor, id CaseID, n Item, with func(tx *db.Tx, it Item) error) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	if err := s.checkOwner(ctx, v, n.Task, ""); err != nil {
		return Item{}, err
	}
	if err := s.holdNew(ctx, v, id, n); err != nil {
		return Item{}, err
	}
	var made string
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		r, x, err := caseRowAt(tx, v, id, PartWork)
		if err != nil {
			return err
		}
		if r.Status == StatusClosed {
			return errCaseClosed
		}
		if n.Level == stix.None {
			n.Level = min(r.Level, x.Ceiling)
		}
		if err := mayMark(x, n.Level, n.Level, true); err != nil {
			return err
		}
		it := n
		if err := it.check(s.caseNow()); err != nil {
			return err
		}
		if err := s.mayRefer(tx, v, r, it); err != nil {
			return err
		}
		it, fresh, err := s.dedupedTx(tx, v, r.n, id, it)
		made = it.ID
		if err != nil || !fresh {
			return err
		}
		if with != nil {
			if err := with(tx, it); err != nil {
				return err
			}
		}
		tx.OnCommit(s.tell)
		return s.caseAudit(tx, by, "case."+string(it.Kind)+".added", string(id))
	})
	if err != nil {
		return Item{}, err
	}
	return s.oneItem(ctx, s.committed(ctx), v, id, made)
}

// dedupedTx adds an item, or gives the observable that is there already; fresh says which.
func (s *Service) dedupedTx(tx *db.Tx, v caseViewer, n int64, id CaseID, it Item) (_ Item, fresh bool, err error) {
	if it.Observable != nil {
		have, found, err := sameValue(tx, v, id, it.Observable.Value, int(it.Level))
		if err != nil || found {
			return have.Item, false, err
		}
	}
	it, err = s.addItemTx(tx, v, n, id, it)
	return it, true, err
}

// holdNew is [holdCareless] for an item that is to be added; what else is wrong with it is said in the transaction.
func (s *Service) holdNew(ctx context.Context, v caseViewer, id CaseID, it Item) error {
	a := s.committed(ctx)
	r, x, err := caseRowAt(a, v, id, PartWork)
	if err != nil || it.Confirmed {
		return err
	}
	if it.Level == stix.None {
		it.Level = min(r.Level, x.Ceiling)
	}
	if it.check(s.caseNow()) != nil {
		return nil
	}
	if it.Observable != nil {
		if _, found, err := sameValue(a, v, id, it.Observable.Value, int(it.Level)); err != nil || found {
			return err
		}
	}
	return holdCareless(a, v, id, it.Level, "", false, it.texts())
}

// holdChanged is [holdCareless] for an item as a change would make it.
func (s *Service) holdChanged(ctx context.Context, v caseViewer, id CaseID, n Item) error {
	a := s.committed(ctx)
	_, it, _, err := itemRowAt(a, v, id, n.ID, PartWork)
	if err != nil || n.Confirmed || it.Version != n.Version || it.revise(n) != nil || it.check(s.caseNow()) != nil {
		return err
	}
	return holdCareless(a, v, id, it.Level, it.ID, false, it.texts())
}

// addItemTx stores a new item that was checked.
func (s *Service) addItemTx(tx *db.Tx, v caseViewer, n int64, id CaseID, it Item) (Item, error) {
	var have int
	if err := tx.QueryRow(`SELECT count(*) FROM cases_item WHERE case_n = ?`, n).Scan(&have); err != nil {
		return it, err
	}
	if have >= maxCaseItems {
		return it, polder.Errorf(polder.Conflict, "this case has %d items, as many as one holds; open another one and link the two", maxCaseItems)
	}
	uuid, err := s.newCaseUUID()
	if err != nil {
		return it, err
	}
	now := s.caseNow()
	it.ID, it.Case, it.Version, it.Made, it.Changed, it.MadeBy, it.By, it.Org = uuid, id, 1, now, now, v.person, v.person, v.org
	it.Struck, it.Erased, it.Confirmed = caseTime(0), false, false
	if it.Decision != nil {
		it.Decision.Person = v.person
		if it.At.IsZero() {
			it.At = now
		}
	}
	row, err := insertItem(tx, n, it)
	if err != nil {
		return it, err
	}
	if it.Evidence != nil {
		if err := insertCustody(tx, row, v, Custody{At: now, Did: "collected", To: it.Evidence.Where}); err != nil {
			return it, err
		}
	}
	return it, insertRevision(tx, n, v, CaseRevision{What: "item", Item: it.ID, Version: it.Version, At: now, Did: "added", Level: it.Level, Of: &it})
}

// mayRefer checks what an item refers to: a case that its author sees, a decision of this case, an owner who sees the task.
func (s *Service) mayRefer(tx *db.Tx, v caseViewer, r caseHeld, it Item) error {
	switch {
	case it.Link != nil:
		if it.Link.To == r.ID {
			return polder.Errorf(polder.Invalid, "link: leads to this case itself; name another one")
		}
		_, _, err := caseRowAt(tx, v, it.Link.To, PartContact)
		if polder.KindOf(err) == polder.NotFound && err != nil {
			return polder.Errorf(polder.Invalid, "link: there is no such case, or you were not let into it")
		}
		return err
	case it.Decision != nil && it.Decision.Supersedes != "":
		old, err := readItem(tx, v, r.ID, it.Decision.Supersedes)
		if polder.KindOf(err) == polder.NotFound && err != nil || err == nil && old.Kind != ItemDecision {
			return polder.Errorf(polder.Invalid, "supersedes: is no decision of this case that you see")
		}
		return err
	case it.Task != nil && it.Task.Owner != "":
		return ownerSees(tx, r, v, it)
	}
	return nil
}

// ownerSees checks that the owner of a task was let into the case and sees the task. That the owner is of the viewer's
// organisation was checked before.
func ownerSees(tx *db.Tx, r caseHeld, v caseViewer, it Item) error {
	members, err := listMembers(tx, r.n)
	if err != nil {
		return err
	}
	owner := caseViewer{person: it.Task.Owner, org: v.org, role: polder.RoleContributor}
	for _, m := range members {
		if x := owner.access(r.Case, m); x.seesItem(it.Kind, it.Level, true) {
			return nil
		}
	}
	return polder.Errorf(polder.Invalid, "owner: was not let into this case, or not up to %s; let the person in first, or mark the task wider", it.Level.Label())
}

// checkOwner checks that who is to do a task is of the same organisation as who says so; one that stays may be of another.
func (s *Service) checkOwner(ctx context.Context, v caseViewer, t *Task, stays polder.PersonID) error {
	if t == nil || t.Owner == "" || t.Owner == stays {
		return nil
	}
	_, org, err := s.o.Accounts.Named(ctx, t.Owner)
	if polder.KindOf(err) == polder.NotFound && err != nil || err == nil && org != v.org {
		return polder.Errorf(polder.Invalid, "owner: is nobody of your organisation; use the id of a colleague")
	}
	return err
}

// holdCareless is a [*CarelessHold] where texts hold what the case keeps marked stricter, but for the item that they are of.
func holdCareless(a db.Querier, v caseViewer, id CaseID, level stix.Marking, self string, confirmed bool, texts map[string]string) error {
	if confirmed || level == stix.Red {
		return nil
	}
	found, err := carelessAt(a, v, id, level, self, texts)
	if err != nil || len(found) == 0 {
		return err
	}
	return &CarelessHold{found}
}

func carelessAt(a db.Querier, v caseViewer, id CaseID, level stix.Marking, self string, texts map[string]string) ([]Careless, error) {
	rows, err := tellingItems(a, v, id, int(level), strings.Join(slices.Collect(maps.Values(foldedTexts(texts))), "\n"))
	if err != nil {
		return nil, err
	}
	items := make([]Item, 0, len(rows))
	for _, r := range rows {
		if r.ID != self {
			items = append(items, r.Item)
		}
	}
	return carelessIn(items, level, texts), nil
}

// CarelessIn finds what the case keeps marked stricter than a level in texts that are to be marked so: values of
// observables, hashes and names of evidence, titles, ids of linked cases, as far as the asker sees them. Whoever releases
// is asked to confirm.
func (s *Service) CarelessIn(ctx context.Context, by polder.Actor, id CaseID, level stix.Marking, texts map[string]string) ([]Careless, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	a := s.committed(ctx)
	if _, _, err := caseRowAt(a, v, id, PartRead); err != nil {
		return nil, err
	}
	return carelessAt(a, v, id, level, "", texts)
}

// mayTouchItem checks that the viewer may change an item: it is of its own organisation.
func mayTouchItem(v caseViewer, r caseHeld, it itemRow) error {
	switch {
	case it.Erased:
		return polder.Errorf(polder.Conflict, "the content of this item was erased; nothing is changed in it any more")
	case it.Org != v.org:
		return polder.Errorf(polder.Forbidden, "another organisation brought this in, and changes it itself; add a note of yours, or have the lead strike it out")
	case r.Status == StatusClosed:
		return errCaseClosed
	}
	return nil
}

// ChangeItem changes title, text, time, level, weight and part of an item; its Version is the one that was read. A change
// made on an older version is a [*CaseConflict]. Decisions do not change but in their level: supersede them.
func (s *Service) ChangeItem(ctx context.Context, by polder.Actor, id CaseID, n Item) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	if n.Task != nil && n.Task.Owner != "" {
		was, err := s.Item(ctx, by, id, n.ID)
		if err != nil {
			return Item{}, err
		}
		stays := polder.PersonID("")
		if was.Task != nil {
			stays = was.Task.Owner
		}
		if err := s.checkOwner(ctx, v, n.Task, stays); err != nil {
			return Item{}, err
		}
	}
	if err := s.holdChanged(ctx, v, id, n); err != nil {
		return Item{}, err
	}
	return s.reviseItem(ctx, s.caseWrite, by, v, id, n.ID, n.Version, func(tx *db.Tx, r caseHeld, x Access, it *itemRow) (string, string, error) {
		if err := mayTouchItem(v, r, *it); err != nil {
			return "", "", err
		}
		if !it.Struck.IsZero() {
			return "", "", polder.Errorf(polder.Conflict, "the item was struck out; add it anew instead")
		}
		was := it.Item
		if err := it.revise(n); err != nil {
			return "", "", err
		}
		if err := it.check(s.caseNow()); err != nil {
			return "", "", err
		}
		if err := mayMark(x, was.Level, it.Level, x.May(PartLead) || !x.Own); err != nil {
			return "", "", err
		}
		if it.Task == nil || was.Task == nil || it.Task.Owner != was.Task.Owner || it.Level != was.Level {
			if err := s.mayRefer(tx, v, r, it.Item); err != nil {
				return "", "", err
			}
		}
		return "changed", "", nil
	})
}

// revise takes over what a person changed. What is not the person's to say stays: kind, hash, custody, author, and a
// decision as it was taken.
func (it *Item) revise(n Item) error {
	if n.Kind != "" && n.Kind != it.Kind {
		return polder.Errorf(polder.Invalid, "kind: an item stays what it is, %s; add another one instead", it.Kind)
	}
	if it.Kind == ItemDecision {
		if n.Title != "" && n.Title != it.Title || n.Text != "" && n.Text != it.Text || n.Decision != nil && strings.TrimSpace(n.Decision.Reason) != it.Decision.Reason {
			return polder.Errorf(polder.Conflict, "a decision stays as it was taken; take another one that supersedes it")
		}
		if n.Level != stix.None {
			it.Level = n.Level
		}
		return nil
	}
	it.Title, it.Text, it.Weighs = n.Title, n.Text, n.Weighs
	if n.Level != stix.None {
		it.Level = n.Level
	}
	if !n.At.IsZero() || it.Kind == ItemTask {
		it.At = n.At
	}
	switch {
	case n.Observable != nil && it.Observable != nil:
		it.Observable = n.Observable
	case n.Task != nil && it.Task != nil:
		it.Task = &Task{Owner: n.Task.Owner, Done: it.Task.Done, Step: n.Task.Step}
	case n.Evidence != nil && it.Evidence != nil:
		it.Evidence.Name, it.Evidence.Where = n.Evidence.Name, n.Evidence.Where
	case n.Link != nil && it.Link != nil:
		it.Link = n.Link
	case n.Observable != nil || n.Task != nil || n.Evidence != nil || n.Link != nil || n.Decision != nil:
		return polder.Errorf(polder.Invalid, "kind: an item of kind %s has no such part; leave it out", it.Kind)
	}
	return nil
}

// reviseItem changes an item that is still at a version (0: whichever), keeps what it was, and gives it as it is now. with
// makes the change and says what was done, and why.
func (s *Service) reviseItem(ctx context.Context, write caseWriter, by polder.Actor, v caseViewer, id CaseID, item string, version int, with func(tx *db.Tx, r caseHeld, x Access, it *itemRow) (did, reason string, err error)) (Item, error) {
	err := write(ctx, func(tx *db.Tx) error {
		r, it, x, err := itemRowAt(tx, v, id, item, PartWork)
		if err != nil {
			return err
		}
		if version != 0 && version != it.Version {
			now, err := s.oneItem(ctx, tx, v, id, item)
			if err != nil {
				return err
			}
			return &CaseConflict{Item: &now}
		}
		was := it.Level
		did, reason, err := with(tx, r, x, &it)
		if err != nil || did == "" {
			return err
		}
		it.Version, it.Changed, it.By = it.Version+1, s.caseNow(), v.person
		if err := updateItem(tx, it.n, it.Item); err != nil {
			return err
		}
		if it.Evidence != nil {
			it.Evidence.Custody = nil
		}
		if err := insertRevision(tx, r.n, v, CaseRevision{What: "item", Item: it.ID, Version: it.Version, At: it.Changed, Did: did, Reason: reason, Level: max(was, it.Level), Of: &it.Item}); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		return s.caseAudit(tx, by, "case."+string(it.Kind)+"."+did, string(id))
	})
	if err != nil {
		return Item{}, err
	}
	return s.oneItem(ctx, s.committed(ctx), v, id, item)
}

// FinishTask says that a task is done, or that it is not.
func (s *Service) FinishTask(ctx context.Context, by polder.Actor, id CaseID, item string, done bool) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	return s.reviseItem(ctx, s.caseWrite, by, v, id, item, 0, func(tx *db.Tx, r caseHeld, x Access, it *itemRow) (string, string, error) {
		switch {
		case it.Kind != ItemTask || it.Erased || it.Task == nil:
			return "", "", polder.Errorf(polder.Invalid, "this is no task; only a task is done")
		case it.Org != v.org && it.Task.Owner != v.person:
			return "", "", polder.Errorf(polder.Forbidden, "another organisation set this task; its people say when it is done")
		case r.Status == StatusClosed:
			return "", "", errCaseClosed
		case done == !it.Task.Done.IsZero():
			return "", "", nil
		case done:
			it.Task.Done = s.caseNow()
			return "done", "", nil
		}
		it.Task.Done = caseTime(0)
		return "reopened", "", nil
	})
}

// StrikeItem strikes an item out: it is kept, and counts no more. The lead may strike out what another organisation brought
// in. A decision is not struck out: supersede it.
func (s *Service) StrikeItem(ctx context.Context, by polder.Actor, id CaseID, item string, version int, reason string) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	if reason, err = caseReason(reason); err != nil {
		return Item{}, err
	}
	return s.reviseItem(ctx, s.caseWrite, by, v, id, item, version, func(tx *db.Tx, r caseHeld, x Access, it *itemRow) (string, string, error) {
		if it.Kind == ItemDecision {
			return "", "", polder.Errorf(polder.Conflict, "a decision stays as it was taken; take another one that supersedes it")
		}
		if err := mayTouchItem(v, r, *it); err != nil && (it.Erased || !x.May(PartLead) || r.Status == StatusClosed) {
			return "", "", err
		}
		if !it.Struck.IsZero() {
			return "", "", nil
		}
		it.Struck = s.caseNow()
		return "struck", reason, nil
	})
}

// EraseItem takes the content of an item and of all that it once was away; that there was one, and the reason, stay. It
// asks for the lead.
func (s *Service) EraseItem(ctx context.Context, by polder.Actor, id CaseID, item, reason string) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	if reason, err = caseReason(reason); err != nil {
		return Item{}, err
	}
	return s.reviseItem(ctx, s.o.DB.Write, by, v, id, item, 0, func(tx *db.Tx, r caseHeld, x Access, it *itemRow) (string, string, error) {
		if !x.May(PartLead) {
			return "", "", polder.Errorf(polder.Forbidden, "your part in this case is %s; erasing asks for lead", x.Part)
		}
		if it.Erased {
			return "", "", nil
		}
		if _, err := tx.Exec(`UPDATE cases_revision SET body = '' WHERE item = ?`, it.ID); err != nil {
			return "", "", err
		}
		if _, err := tx.Exec(`UPDATE cases_custody SET whom = '', reason = '' WHERE item_n = ?`, it.n); err != nil {
			return "", "", err
		}
		if it.Evidence != nil {
			if err := s.o.Blobs.UnrefAll(tx, evidenceOwner(it.ID)); err != nil {
				return "", "", err
			}
			if err := insertCustody(tx, it.n, v, Custody{At: s.caseNow(), Did: "destroyed"}); err != nil {
				return "", "", err
			}
		}
		it.erase()
		return "erased", reason, nil
	})
}

// erase empties an item but for what kind it was.
func (it *Item) erase() {
	link := it.Link
	*it = Item{ID: it.ID, Case: it.Case, Kind: it.Kind, Level: it.Level, At: it.At, Version: it.Version, Made: it.Made, MadeBy: it.MadeBy, Org: it.Org, Struck: it.Struck, Erased: true, Evidence: it.Evidence, Link: link}
	if it.Evidence != nil {
		it.Evidence = &Evidence{}
	}
}

// ItemHistory is what an item once was, the latest first, as far as the asker sees each version.
func (s *Service) ItemHistory(ctx context.Context, by polder.Actor, id CaseID, item string) ([]CaseRevision, error) {
	if item == "" {
		return nil, errNoItem
	}
	return s.history(ctx, by, id, item)
}

// SearchItems are items of all cases that the asker sees, with text in title, text or value: at most limit, the latest
// changed first.
func (s *Service) SearchItems(ctx context.Context, by polder.Actor, text string, limit int) ([]Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	if limit, err = caseLimit(limit); err != nil {
		return nil, err
	}
	if text, err = caseLine("text", text, maxCaseTitle, true); err != nil {
		return nil, err
	}
	a := s.committed(ctx)
	rows, err := searchItems(a, v, text, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Item, 0, len(rows))
	for _, r := range rows { // each as its own case lets it be read
		c, err := readSeat(a, v, r.Case)
		if err != nil {
			return nil, err
		}
		one, err := s.completeItems(ctx, a, v, c.Org, []itemRow{r})
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
	}
	return out, nil
}

// MyTasks are the tasks of the person who asks that are not done, in cases that are not closed, the most urgent first: at
// most 200.
func (s *Service) MyTasks(ctx context.Context, by polder.Actor) ([]CaseTask, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	out, err := tasksOf(s.committed(ctx), v, maxCasePage)
	if err != nil {
		return nil, err
	}
	hide := s.caseHider(ctx, v, v.org)
	for i := range out {
		if err := hide.item(&out[i].Item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LookUp asks the exchange and the other cases about an observable. Nothing of the answer is kept.
func (s *Service) LookUp(ctx context.Context, by polder.Actor, id CaseID, item string) (out ItemLookUp, err error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return out, err
	}
	a := s.committed(ctx)
	_, it, _, err := itemRowAt(a, v, id, item, PartRead)
	if err != nil {
		return out, err
	}
	if it.Observable == nil {
		return out, polder.Errorf(polder.Invalid, "this is no observable; only a value is looked up")
	}
	if out.Cases, err = onePerCase(a, v, []string{it.Observable.Value}, id, false); err != nil || s.o.Exchange == nil {
		return out, err
	}
	out.Known, err = s.o.Exchange.Known(ctx, by, it.Observable.Value, maxLookUp)
	return out, err
}
