package exchange

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/notify"
)

// This file is what a person does with its own rules.

// offKind keeps the tokens of objects apart from those of other messages.
const offKind = "notification off"

// offToken turns one rule off, without a log-in, and does nothing else.
func (n *Notifier) offToken(rule string) string {
	return notify.OffToken(n.s.secret, offKind, rule)
}

func (n *Notifier) offLink(rule string) string { return n.o.URL + "/off/" + n.offToken(rule) }

// ruleOfToken is the rule that a token turns off. Tokens that were made up and rules that are gone are one NotFound.
func (n *Notifier) ruleOfToken(ctx context.Context, token string) (Rule, error) {
	id, ok := notify.OffID(n.s.secret, offKind, token)
	if !ok {
		return Rule{}, errNoRule
	}
	return readRule(ctx, n.s.db.Read(), id)
}

// Off turns the rule of a token off. Twice is once.
func (n *Notifier) Off(ctx context.Context, token string) error {
	r, err := n.ruleOfToken(ctx, token)
	if err != nil {
		return err
	}
	return n.s.db.Write(ctx, func(tx *db.Tx) error { return switchRule(tx, r.ID, false) })
}

// Rules are those of the person that asks.
func (n *Notifier) Rules(ctx context.Context, a polder.Actor) ([]Rule, error) {
	if a.Person == "" {
		return nil, errOnlyPeople
	}
	return rulesOf(ctx, n.s.db.Read(), a.Person)
}

var errOnlyPeople = polder.Errorf(polder.Forbidden, "notifications are for people; log in as one")

// AddRule adds a rule for the person that asks. A person has one webhook: all of its rules go to the same address, with
// the same secret.
func (n *Notifier) AddRule(ctx context.Context, a polder.Actor, r Rule) (Rule, error) {
	if a.Person == "" {
		return r, errOnlyPeople
	}
	if err := r.check(); err != nil {
		return r, err
	}
	if n.o.Senders[r.Channel] == nil {
		return r, polder.Errorf(polder.Invalid, "channel: %s is not set up on this node; ask its administrator", r.Channel)
	}
	r.ID, r.Person, r.Org, r.Enabled, r.Created = strings.ToLower(rand.Text()), a.Person, a.Org, true, n.s.now().UTC()
	r.Secret = nil
	err := n.s.db.Write(ctx, func(tx *db.Tx) error {
		held, err := rulesOfTx(tx, a.Person)
		if err != nil {
			return err
		}
		if len(held) >= maxRules {
			return polder.Errorf(polder.Conflict, "you have %d notifications; delete one first", len(held))
		}
		if err := r.shareHook(held); err != nil {
			return err
		}
		return insertRule(tx, r)
	})
	return r, err
}

// shareHook gives a webhook the secret of the person's others, or a new one.
func (r *Rule) shareHook(held []Rule) error {
	if r.Channel != notify.ByWebhook {
		return nil
	}
	for _, h := range held {
		if h.Channel != notify.ByWebhook {
			continue
		}
		if h.Target != r.Target {
			return polder.Errorf(polder.Conflict, "target: your other notifications go to another webhook; delete those first")
		}
		r.Secret = h.Secret
	}
	if r.Secret == nil {
		r.Secret = []byte(rand.Text())
	}
	return nil
}

// own is a rule of the person that asks.
func (n *Notifier) own(ctx context.Context, a polder.Actor, id string) (Rule, error) {
	r, err := readRule(ctx, n.s.db.Read(), id)
	if err == nil && (a.Person == "" || r.Person != a.Person) {
		return Rule{}, errNoRule
	}
	return r, err
}

// DeleteRule deletes a rule of the person that asks.
func (n *Notifier) DeleteRule(ctx context.Context, a polder.Actor, id string) error {
	r, err := n.own(ctx, a, id)
	if err != nil {
		return err
	}
	return n.s.db.Write(ctx, func(tx *db.Tx) error { return removeRule(tx, r.ID) })
}

// SwitchRule turns a rule of the person that asks on or off.
func (n *Notifier) SwitchRule(ctx context.Context, a polder.Actor, id string, on bool) error {
	r, err := n.own(ctx, a, id)
	if err != nil {
		return err
	}
	return n.s.db.Write(ctx, func(tx *db.Tx) error { return switchRule(tx, r.ID, on) })
}

// TestRule sends a message that says nothing, to try the way.
func (n *Notifier) TestRule(ctx context.Context, a polder.Actor, id string) error {
	r, err := n.own(ctx, a, id)
	if err != nil {
		return err
	}
	if !r.Enabled {
		return polder.Errorf(polder.Conflict, "the notification is off; turn it on first")
	}
	words := n.wordsOf(ctx, a.Person)
	m := notify.Message{Key: fmt.Sprintf("test:%d:%s", n.s.now().UnixMicro(), r.ID), To: r.Person, Channel: r.Channel, About: "test",
		Subject: words.T("exchange.notify.test"), Body: words.T("exchange.notify.test-text"), Link: n.o.URL + "/account/notifications"}
	return n.s.db.Write(ctx, func(tx *db.Tx) error { return n.box.Enqueue(tx, m) })
}
