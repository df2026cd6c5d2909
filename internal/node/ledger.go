package node

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	keyring "github.com/polder-exchange/polder/internal/exchange/keys"
	"github.com/polder-exchange/polder/internal/exchange/ledger"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
)

// Ledger says how the transparency log is kept.
type Ledger struct {
	CheckpointEvery time.Duration `yaml:"checkpoint_every"` // at least so long between two checkpoints; 5s
	StaleAfter      time.Duration `yaml:"stale_after"`      // how old another node's checkpoint may be before it is an alarm; 24h
}

func (l Ledger) check() error {
	if l.CheckpointEvery < 0 || l.CheckpointEvery > time.Hour {
		return polder.Errorf(polder.Invalid, "ledger.checkpoint_every: %s is not a time of at most 1h, such as 5s", l.CheckpointEvery)
	}
	if l.StaleAfter != 0 && (l.StaleAfter < time.Minute || l.StaleAfter > 365*24*time.Hour) {
		return polder.Errorf(polder.Invalid, "ledger.stale_after: %s is not a time from 1m to a year, such as 24h", l.StaleAfter)
	}
	return nil
}

// openLedger opens the transparency log of what this node delivers, and what it witnesses of others'.
func (n *Node) openLedger(ctx context.Context) error {
	secret, err := n.Accounts.NodeKey(ctx, ledger.SecretName)
	if err != nil {
		return err
	}
	links := linksOf(func() *peers.Service { return n.federation.peers })
	s, err := ledger.Open(ctx, ledger.Options{
		DB: n.DB, Path: filepath.Join(n.Dir, ledger.File), Journal: n.Journal, Audit: n.Audit, Keys: n.federation.keys, Secret: secret,
		Stop: links, Linked: links.dialled, Now: n.now, Log: n.log, Every: n.Config.Ledger.CheckpointEvery, Stale: n.Config.Ledger.StaleAfter,
	})
	if err != nil {
		return err
	}
	n.atEnd(s.Close)
	n.federation.ledger, n.federation.log = s, s
	n.federation.parts = append(n.federation.parts, s)
	n.federation.goes(s.Run)
	return nil
}

// linksOf is the links of a node as its ledger needs them.
type linksOf func() *peers.Service

// StopPeer is what [ledger.Stopper] asks for.
func (l linksOf) StopPeer(ctx context.Context, peer polder.OrgID, reason string) error {
	all, err := l().Links(ctx, accounts.Local())
	for _, one := range all {
		if one.Peer == peer && one.Ended.IsZero() {
			err = errors.Join(err, l().StopLink(ctx, one.ID, reason))
		}
	}
	return err
}

// dialled are the nodes that this one follows.
func (l linksOf) dialled(ctx context.Context) (map[polder.OrgID]bool, error) {
	all, err := l().Links(ctx, accounts.Local())
	out := map[polder.OrgID]bool{}
	for _, one := range all {
		if !one.Serves && one.Ended.IsZero() {
			out[one.Peer] = true
		}
	}
	return out, err
}

func ledgerParts() []web.Part { return []web.Part{ledger.ConsolePart()} }

func (n *Node) mountLedger(site *web.Site) ([]web.Route, error) {
	pages := n.federation.log.Pages(site)
	site.AddNav(pages.Nav()...)
	site.AddCards(pages)
	return pages.Routes(), nil
}

func ledgerCommands() []*cobra.Command {
	return []*cobra.Command{ledger.Commands(ledger.CommandOptions{Open: openLedgerToRead})}
}

// openLedgerToRead opens the ledger in a node's folder for commands, whether or not a node serves from it.
func openLedgerToRead(ctx context.Context, dir string) (_ *ledger.Service, end func() error, err error) {
	config, err := ReadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	store, err := OpenStore(ctx, dir, false)
	if err != nil {
		return nil, nil, err
	}
	end = store.Close
	defer func() {
		if err != nil {
			err = errors.Join(err, end())
		}
	}()
	if err := errors.Join(journal.Migrate(ctx, store.DB), exchange.Migrate(ctx, store.DB), keyring.Migrate(ctx, store.DB), peers.Migrate(ctx, store.DB)); err != nil {
		return nil, nil, err
	}
	j, err := journal.Open(ctx, store.DB, journal.Options{Now: time.Now, Step: randomSteps()})
	if err != nil {
		return nil, nil, err
	}
	end = func() error { return errors.Join(j.Close(), store.Close()) }
	secret, err := store.Accounts.NodeKey(ctx, ledger.SecretName)
	if err != nil {
		return nil, nil, err
	}
	keys := keyring.New(keyring.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Now: time.Now})
	linked, err := peers.New(peers.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Keys: keys, Now: time.Now, Steady: running()})
	if err != nil {
		return nil, nil, err
	}
	links := linksOf(func() *peers.Service { return linked })
	s, err := ledger.Open(ctx, ledger.Options{
		DB: store.DB, Path: filepath.Join(dir, ledger.File), Journal: j, Audit: store.Audit, Secret: secret, Stop: links, Linked: links.dialled,
		Now: time.Now, Stale: config.Ledger.StaleAfter,
	})
	if err != nil {
		return nil, nil, err
	}
	return s, func() error { return errors.Join(s.Close(), j.Close(), store.Close()) }, nil
}

// logMetrics are about the transparency logs, in all: no label names a node.
func logMetrics(n *Node) []prometheus.Collector {
	gauge := func(name, help string, of func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, of)
	}
	counts := func(of func(ledger.Counts) int) func() float64 {
		return func() float64 { return float64(of(n.federation.log.Counts(context.Background()))) }
	}
	return []prometheus.Collector{
		gauge("polder_log_size", "Leaves of this node's transparency log.", func() float64 { return float64(n.federation.log.Size()) }),
		gauge("polder_log_lag_seconds", "How far the transparency log is behind the log.", func() float64 { return n.federation.log.Lag().Seconds() }),
		gauge("polder_log_followed", "Logs of other nodes that this one follows.", counts(func(c ledger.Counts) int { return c.Followed })),
		gauge("polder_log_unlogged", "Deliveries of other nodes that no checkpoint of theirs covers yet.", counts(func(c ledger.Counts) int { return c.Waiting })),
		gauge("polder_log_alarms", "Logs that tell two stories, are frozen, silent or failing.", counts(func(c ledger.Counts) int { return c.Alarms })),
	}
}
