package cases

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// wrapsAtOnce is how many wraps of a reader who goes one write takes away.
const wrapsAtOnce = 2_000

// DeskReaderPost names a reader of a desk.
type DeskReaderPost struct {
	Person    polder.PersonID `json:"person"`              // of the organisation of the desk, with a key; empty: who asks
	Name      string          `json:"name,omitempty"`      // as reporters read it; empty: the person's own, or else the organisation's
	Confirmed bool            `json:"confirmed,omitempty"` // of a desk for people who are coerced: this is not their employer's person
}

// cleanReaderName is a name that reporters read.
func cleanReaderName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", polder.Errorf(polder.Invalid, "name: has characters that are not shown; write it plainly")
	case name == "":
		return "", polder.Errorf(polder.Invalid, "name: is empty; write how reporters may call this reader")
	case utf8.RuneCountInString(name) > maxDeskName || len(name) > 2*maxDeskName:
		return "", polder.Errorf(polder.TooLarge, "name: is longer than %d characters; write it shorter", maxDeskName)
	}
	return name, nil
}

// AddReader names a reader: the first one of a desk reads at once, further ones wait until a reader confirms. Of a person
// who reads already, it names the present key.
func (s *Service) AddReader(ctx context.Context, by polder.Actor, alias string, in DeskReaderPost) (out DeskDetail, err error) {
	if in.Person == "" {
		if in.Person, err = s.doer(ctx, by); err != nil {
			return out, err
		}
	}
	own, org, err := s.o.Accounts.Named(ctx, in.Person)
	if err != nil && polder.KindOf(err) != polder.NotFound {
		return out, err
	}
	orgName := ""
	if o, err := s.o.Accounts.Org(ctx, by.Org); err == nil {
		orgName = o.Name
	}
	if strings.TrimSpace(in.Name) == "" {
		in.Name = cmp.Or(strings.TrimSpace(own), orgName)
	}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		d, person, err := s.managed(ctx, tx, by, alias)
		switch {
		case err != nil:
			return err
		case org != d.Org:
			return polder.Errorf(polder.Invalid, "person: must be of the organisation of the desk")
		case d.Kind == DeskPressed && !in.Confirmed:
			return polder.Errorf(polder.Invalid, "confirmed: whoever reads for people who are coerced must not work for their employer; confirm that this person does not")
		}
		row := deskReaderRow{desk: d.Alias, person: in.Person, asker: person, askedBy: s.called(ctx, by, person), state: DeskReaderWaiting, asked: s.o.Now()}
		if row.name, err = cleanReaderName(in.Name); err != nil {
			return err
		}
		keys, err := personKeys(tx, in.Person)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return polder.Errorf(polder.Conflict, "person: has no key yet; that person makes one with polder report key, or on the page of keys")
		}
		row.public = keys[0].Locked.Public
		if err := s.addReader(tx, row, orgName); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		if err := s.reportNote(tx, by, "desk.reader.add", d.Alias, map[string]string{"reader": row.name, "key": string(row.key())}); err != nil {
			return err
		}
		out, err = s.deskDetail(tx, by, person, d)
		return err
	})
	return out, err
}

// called is what somebody is called in the list of a desk, for the desk's own organisation.
func (s *Service) called(ctx context.Context, by polder.Actor, person polder.PersonID) string {
	if name, _, err := s.o.Accounts.Named(ctx, person); err == nil && name != "" {
		return name
	}
	return by.Name
}

func (s *Service) addReader(tx *db.Tx, row deskReaderRow, org string) error {
	have, err := deskReaders(tx, row.desk)
	if err != nil {
		return err
	}
	inForce := 0
	for _, r := range have {
		switch {
		case r.state == DeskReaderGone:
			continue
		case r.public == row.public:
			return polder.Errorf(polder.Conflict, "person: reads for this desk with this key already, or waits to")
		case r.state == DeskReaderReading:
			inForce++
		}
	}
	switch {
	case len(have) >= maxDeskGone:
		return polder.Errorf(polder.Conflict, "desk: has had %d readers, and no more are kept; open another desk", maxDeskGone)
	case inForce >= MaxDeskReaders:
		return polder.Errorf(polder.Conflict, "desk: has %d readers, and everyone more is one more who must be trusted; remove one first", MaxDeskReaders)
	case inForce == 0:
		row.state, row.since, row.confirmed = DeskReaderReading, row.asked, ""
	}
	if err := putDeskReader(tx, row); err != nil {
		return err
	}
	return addDeskLog(tx, row.desk, seal.LogEntry{At: row.asked, Did: seal.DidAdd, Key: row.public, Name: row.name, By: logWords(org)})
}

// logWords are words for the list of keys, which takes no more than it must.
func logWords(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, ""))
	for len(s) > 200 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// ConfirmReader lets a reader that waits read. Another reader in force does that, who did not name the new one; only
// where a desk has one reader may that one do both. A person's new key takes the place of the old one, which keeps
// opening what was sealed to it.
func (s *Service) ConfirmReader(ctx context.Context, by polder.Actor, alias string, key seal.KeyID) (out DeskDetail, err error) {
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		person, err := s.doer(ctx, by)
		if err != nil {
			return err
		}
		d, err := readDesk(tx, alias)
		if err != nil || d == nil || d.Org != by.Org {
			return firstError(err, errNoDesk)
		}
		row, with, err := confirmable(tx, d.Alias, person, key)
		if err != nil {
			return err
		}
		now := s.o.Now()
		row.state, row.since, row.confirmed = DeskReaderReading, now, s.called(ctx, by, person)
		if err := putDeskReader(tx, row); err != nil {
			return err
		}
		if err := addDeskLog(tx, d.Alias, seal.LogEntry{At: now, Did: seal.DidConfirm, Key: row.public, Name: row.name, By: string(with)}); err != nil {
			return err
		}
		if err := s.retireKeys(tx, row); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		if err := s.reportNote(tx, by, "desk.reader.confirm", d.Alias, map[string]string{"reader": row.name, "key": string(key)}); err != nil {
			return err
		}
		out, err = s.deskDetail(tx, by, person, *d)
		return err
	})
	return out, err
}

// confirmable is the reader that waits, and the key with which person may confirm it.
func confirmable(q db.Querier, alias string, person polder.PersonID, key seal.KeyID) (row deskReaderRow, with seal.KeyID, err error) {
	all, err := deskReaders(q, alias)
	if err != nil {
		return row, "", err
	}
	reading := slices.DeleteFunc(slices.Clone(all), func(r deskReaderRow) bool { return r.state != DeskReaderReading })
	me := slices.IndexFunc(reading, func(r deskReaderRow) bool { return r.person == person })
	waits := slices.IndexFunc(all, func(r deskReaderRow) bool { return r.state == DeskReaderWaiting && r.key() == key })
	switch {
	case me < 0:
		return row, "", polder.Errorf(polder.Forbidden, "a reader of the desk confirms who reads with them; ask one")
	case waits < 0:
		return row, "", polder.Errorf(polder.NotFound, "nobody waits with that key")
	case len(reading) > 1 && (all[waits].asker == person || all[waits].person == person):
		return row, "", polder.Errorf(polder.Forbidden, "two people decide who reads: another reader than who named this one must confirm")
	case len(reading) >= MaxDeskReaders && !slices.ContainsFunc(reading, func(r deskReaderRow) bool { return r.person == all[waits].person }):
		return row, "", polder.Errorf(polder.Conflict, "desk: has %d readers; remove one first", MaxDeskReaders)
	}
	return all[waits], reading[me].key(), nil
}

// retireKeys takes the former keys of a person who reads with a new one out of force. Their wraps stay: the person may
// still read what was sealed to them.
func (s *Service) retireKeys(tx *db.Tx, row deskReaderRow) error {
	all, err := deskReaders(tx, row.desk)
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.person != row.person || old.public == row.public || old.state == DeskReaderGone {
			continue
		}
		if err := s.letGo(tx, old, "a newer key of the same reader"); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) letGo(tx *db.Tx, r deskReaderRow, why string) error {
	now := s.o.Now()
	r.state, r.gone = DeskReaderGone, now
	if err := putDeskReader(tx, r); err != nil {
		return err
	}
	return addDeskLog(tx, r.desk, seal.LogEntry{At: now, Did: seal.DidRemove, Key: r.public, Name: r.name, By: why})
}

// RemoveReader takes a reader away, with everything that the desk's reports hold for the reader's keys: a steward of the
// organisation does that, a reader, or who goes. The last reader stays until there is another, so that nobody can put
// readers of their own in everyone's place.
func (s *Service) RemoveReader(ctx context.Context, by polder.Actor, alias string, key seal.KeyID) (out DeskDetail, err error) {
	var gone []seal.KeyID
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		person, err := s.doer(ctx, by)
		if err != nil {
			return err
		}
		d, err := readDesk(tx, alias)
		if err != nil || d == nil || d.Org != by.Org {
			return firstError(err, errNoDesk)
		}
		row, err := removable(tx, d.Alias, by, person, key)
		if err != nil {
			return err
		}
		if gone, err = s.removeReader(tx, row); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		if err := s.reportNote(tx, by, "desk.reader.remove", d.Alias, map[string]string{"reader": row.name, "key": string(key)}); err != nil {
			return err
		}
		out, err = s.deskDetail(tx, by, person, *d)
		return err
	})
	if err != nil {
		return out, err
	}
	return out, s.dropWraps(ctx, alias, gone)
}

func removable(q db.Querier, alias string, by polder.Actor, person polder.PersonID, key seal.KeyID) (row deskReaderRow, err error) {
	all, err := deskReaders(q, alias)
	if err != nil {
		return row, err
	}
	i := slices.IndexFunc(all, func(r deskReaderRow) bool { return r.state != DeskReaderGone && r.key() == key })
	reads, others := by.Role.OnObjects() >= polder.RoleSteward, false
	for _, r := range all {
		reads = reads || r.person == person && r.state == DeskReaderReading
		others = others || r.state == DeskReaderReading && r.key() != key
	}
	switch {
	case i < 0:
		return row, polder.Errorf(polder.NotFound, "nobody reads for this desk with that key")
	case !reads && all[i].person != person:
		return row, polder.Errorf(polder.Forbidden, "a reader is removed by a steward or another reader; ask one")
	case all[i].state == DeskReaderReading && !others:
		return row, polder.Errorf(polder.Conflict, "this is the last reader; name another first, or close the desk")
	}
	return all[i], nil
}

// removeReader takes row out of force, and of who no longer reads all keys: they are what wraps are taken of.
func (s *Service) removeReader(tx *db.Tx, row deskReaderRow) (gone []seal.KeyID, err error) {
	if err := s.letGo(tx, row, "taken out"); err != nil {
		return nil, err
	}
	all, err := deskReaders(tx, row.desk)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(r deskReaderRow) bool { return r.person == row.person && r.state == DeskReaderReading }) {
		return nil, nil
	}
	for _, r := range all {
		if r.person == row.person && r.state == DeskReaderGone {
			gone = append(gone, r.key())
		}
	}
	for _, key := range gone {
		if _, err := deleteWraps(tx, row.desk, key, wrapsAtOnce); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// dropWraps takes the rest of the wraps of keys away, in writes that keep nobody waiting.
func (s *Service) dropWraps(ctx context.Context, alias string, keys []seal.KeyID) error {
	for _, key := range keys {
		for more := true; more; {
			err := s.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
				more, err = deleteWraps(tx, alias, key, wrapsAtOnce)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
