package peers

import (
	"bytes"
	"context"
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// offer gives a home that was restored what this node got from it and it may have lost.
func (y *cycle) offer(ctx context.Context) error {
	after := y.link.Offered
	if after < 0 {
		return nil
	}
	for {
		page, err := y.s.o.Journal.Page(ctx, y.own(), journal.Query{After: after, Limit: pushRows, All: true})
		if err != nil {
			return err
		}
		if err := y.giveBack(ctx, page.Deliveries); err != nil {
			return err
		}
		if !page.More {
			after = -1
		} else {
			after = page.Deliveries[len(page.Deliveries)-1].Seq
		}
		err = y.s.o.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE peers_link SET offered = ? WHERE id = ? AND generation = ?`, after, y.link.ID, y.link.Generation)
			return err
		})
		if err != nil || after < 0 {
			return err
		}
	}
}

// giveBack offers what of some deliveries came from the home and is signed.
func (y *cycle) giveBack(ctx context.Context, all []journal.Delivery) error {
	var back []exchange.Handed
	for _, d := range all {
		if d.Sharer != y.link.Peer || !bytes.Contains(d.Raw, []byte(stix.SignatureExtension)) || d.OwnLevel > most(y.link.Trusted) {
			continue
		}
		if h, ok := exchange.HandOut(d, y.link.Org); ok {
			h.Mine = false
			back = append(back, h)
		}
	}
	for len(back) > 0 {
		n := some(back)
		if _, err := y.deliver(ctx, "return", nil, back[:n]); err != nil && !patient(err) && polder.KindOf(err) != polder.Invalid {
			return err
		}
		back = back[n:]
	}
	return nil
}

// serveReturn takes what this node may have lost by being restored.
func (s *Service) serveReturn(w http.ResponseWriter, k known) error {
	ctx := k.Context()
	if err := open(k.link); err != nil {
		return err
	}
	f, err := s.received(ctx, k)
	if err != nil {
		return err
	}
	actor, sight, err := s.acting(ctx, k.link)
	if err != nil {
		return err
	}
	out := peerVerdicts{Verdicts: []exchange.Verdict{}}
	for _, c := range sight.Communities {
		var some []exchange.Handed
		for _, h := range f.Batch {
			if h.Community == c && h.Level <= most(k.link.Confirmed) {
				some = append(some, h)
			}
		}
		if len(some) == 0 {
			continue
		}
		got, err := s.o.Exchange.Regain(ctx, actor, c, some, func(*db.Tx) error { return nil })
		if err != nil {
			return err
		}
		out.Verdicts = append(out.Verdicts, got...)
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}
