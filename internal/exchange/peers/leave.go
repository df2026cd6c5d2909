package peers

import (
	"context"
	"net/http"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
)

// Remove ends a link. On the home the peer's right dies with it, and its streams are cut within a second. Where this
// node dials, the home is told if it can be reached; what was received stays readable, and nothing more comes.
func (s *Service) Remove(ctx context.Context, by polder.Actor, id string) error {
	l, err := s.Link(ctx, by, id)
	if err != nil {
		return err
	}
	if !l.Ended.IsZero() {
		return nil
	}
	if l.Serves {
		return s.endServed(ctx, by, l, "peer.remove")
	}
	err = s.change(ctx, by, "peer.remove", l.ID, map[string]string{"peer": string(l.Peer), "org": string(l.Org)}, func(tx *db.Tx) error {
		for _, c := range l.Communities {
			if err := s.detachIn(tx, l, c); err != nil {
				return err
			}
		}
		if s.o.Exchange != nil {
			if err := s.o.Exchange.DropWaiting(tx, l.ID); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE peers_link SET ended = ?, state = '', detail = '' WHERE id = ? AND ended = 0`, micros(s.o.Now()), l.ID)
		return err
	})
	if err != nil {
		return err
	}
	s.tellLeft(ctx, l)
	return nil
}

// tellLeft tells the home, if it can be reached; one that cannot sees that nobody asks any more.
func (s *Service) tellLeft(ctx context.Context, l Link) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := s.dial(ctx, l)
	if err == nil {
		err = c.Call(ctx, http.MethodPost, "leave", nil, nil, nil)
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "the home was not told that the link has ended", "link", l.ID, "err", err)
	}
}

// detach ends the part of a link that one community is.
func (s *Service) detach(ctx context.Context, l Link, c polder.CommunityID) error {
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := s.detachIn(tx, l, c); err != nil {
			return err
		}
		if err := dropCommunity(tx, l.ID, c); err != nil {
			return err
		}
		if err := s.note(tx, polder.Actor{}, "peer.detach", l.ID, map[string]string{"community": string(c)}); err != nil {
			return err
		}
		return moved(tx)
	})
	s.lookNow()
	return err
}

// detachIn leaves of a mirrored community what was received: its organisation reads it, shares no more, and sees no
// other members.
func (s *Service) detachIn(tx *db.Tx, l Link, c polder.CommunityID) error {
	org, err := s.o.Accounts.Org(context.Background(), l.Org)
	if err != nil {
		return err
	}
	reads := accounts.RosterEntry{RemoteOrg: accounts.RemoteOrg{ID: org.ID, Name: org.Name, Country: org.Country, Sector: org.Sector}, Role: polder.RoleReader.String(), Accepted: true}
	_, err = s.o.Accounts.SetRoster(tx, accounts.Local(), c, l.Org, []accounts.RosterEntry{reads})
	return err
}
