package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	keyring "github.com/polder-exchange/polder/internal/exchange/keys"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

// Peers says how other nodes are reached: by https over the public internet, and over the networks named here.
type Peers struct {
	AllowNetworks []string `yaml:"allow_networks"` // in CIDR form; there http will do too
	CAFile        string   `yaml:"ca_file"`        // the only authorities whose certificates count (PEM); those of the machine without it
	ClientCert    string   `yaml:"client_cert"`    // certificate that is shown to a peer that asks for one (PEM)
	ClientKey     string   `yaml:"client_key"`     // its key (PEM)
}

// peerAnswer is above what any question to another node or to a TAXII server may take: who asks bounds it, and a home
// that is slow to store a batch is not asked to store it again and again.
const peerAnswer = 2 * time.Minute

// client reaches other nodes. Streams last, so a request has no end of its own; who asks bounds it.
func (p Peers) client() (*http.Client, error) {
	g := &notify.Guard{Answer: peerAnswer, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	for _, text := range p.AllowNetworks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "peers.allow_networks: %q is not a network such as 10.0.0.0/8", text)
		}
		g.Allow = append(g.Allow, network)
	}
	if p.CAFile != "" {
		pem, err := os.ReadFile(p.CAFile)
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "peers.ca_file: %w", err)
		}
		g.Roots = x509.NewCertPool()
		if !g.Roots.AppendCertsFromPEM(pem) {
			return nil, polder.Errorf(polder.Invalid, "peers.ca_file: %s holds no certificate in PEM", p.CAFile)
		}
	}
	if (p.ClientCert == "") != (p.ClientKey == "") {
		return nil, polder.Errorf(polder.Invalid, "peers.client_cert and peers.client_key belong together; give both")
	}
	if p.ClientCert != "" {
		cert, err := tls.LoadX509KeyPair(p.ClientCert, p.ClientKey)
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "peers.client_cert, peers.client_key: %w", err)
		}
		g.Certificates = []tls.Certificate{cert}
	}
	client := g.Client()
	client.Timeout = 0
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a peer answers where it said
	return client, nil
}

// openPeers opens the links to other nodes, over which the other parts speak too.
func (n *Node) openPeers(ctx context.Context) error {
	if err := peers.Migrate(ctx, n.DB); err != nil {
		return err
	}
	client, err := n.Config.Peers.client()
	if err != nil {
		return err
	}
	n.atEnd(func() error { client.CloseIdleConnections(); return nil })
	s, err := peers.New(peers.Options{
		DB: n.DB, Audit: n.Audit, Accounts: n.Accounts, Keys: n.federation.keys, Client: client, Journal: n.Journal, Exchange: n.Exchange,
		Ledger: n.federation.ledger, Parts: n.federation.parts, Now: n.now, Steady: running(), Log: n.log, Pace: n.pace,
	})
	if err != nil {
		return err
	}
	n.federation.peers = s
	n.federation.payback.Reaches(s)
	n.federation.goes(s.Run)
	n.federation.goes(func(ctx context.Context) { s.RunTAXII(ctx, peers.TAXIIPace{}) })
	return nil
}

func peersParts() []web.Part { return []web.Part{peers.ConsolePart()} }

// mountPeers adds the door for peers, the pages, and the card of the overview.
func (n *Node) mountPeers(site *web.Site) ([]web.Route, error) {
	pages := n.federation.peers.Pages(site, n.Config.address())
	site.AddNav(pages.Nav()...)
	site.AddCards(pages)
	return append(n.federation.peers.Routes(), pages.Routes()...), nil
}

func peersCommands() []*cobra.Command {
	return []*cobra.Command{peers.Command(peers.CommandOptions{Open: openLinks})}
}

// openLinks opens the links in the folder of a node, for commands.
func openLinks(ctx context.Context, dir string) (_ *peers.Opened, err error) {
	config, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	store, err := OpenStore(ctx, dir, false)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, store.Close())
		}
	}()
	if err := errors.Join(exchange.Migrate(ctx, store.DB), keyring.Migrate(ctx, store.DB), peers.Migrate(ctx, store.DB)); err != nil {
		return nil, err
	}
	client, err := config.Peers.client()
	if err != nil {
		return nil, err
	}
	keys := keyring.New(keyring.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Now: time.Now})
	s, err := peers.New(peers.Options{DB: store.DB, Audit: store.Audit, Accounts: store.Accounts, Keys: keys, Client: client, Now: time.Now, Steady: running()})
	if err != nil {
		return nil, err
	}
	return &peers.Opened{Service: s, By: accounts.Local(), URL: config.address(), Close: store.Close}, nil
}

// linkMetrics are about the links of the node, labelled by their ids, which tell nothing of who stands behind them.
type linkMetrics struct{ node *Node }

var (
	linkLag         = prometheus.NewDesc("polder_peer_lag_seconds", "How long the oldest delivery has waited to pass over a link.", []string{"link", "direction"}, nil)
	linkBehind      = prometheus.NewDesc("polder_peer_behind", "Deliveries that wait to pass over a link; counted up to 1,000 each way.", []string{"link", "direction"}, nil)
	linkUp          = prometheus.NewDesc("polder_peer_up", "1 while a link is live.", []string{"link", "direction"}, nil)
	linkQuarantined = prometheus.NewDesc("polder_peer_quarantined", "Deliveries of a peer that were refused and are kept to be looked at.", []string{"link", "direction"}, nil)
	linkContact     = prometheus.NewDesc("polder_peer_contact_age_seconds", "Time since something was last heard of a peer.", []string{"link", "direction"}, nil)
)

// Describe is what [prometheus.Collector] asks for.
func (linkMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{linkLag, linkBehind, linkUp, linkQuarantined, linkContact} {
		to <- d
	}
}

// Collect is what [prometheus.Collector] asks for.
func (m linkMetrics) Collect(to chan<- prometheus.Metric) {
	all, err := m.node.federation.peers.Links(context.Background(), accounts.Local())
	if err != nil {
		to <- prometheus.NewInvalidMetric(linkLag, err)
		return
	}
	for _, l := range all {
		up, age := 0.0, 0.0
		if l.Live() {
			up = 1
		}
		if !l.Contact.IsZero() {
			age = m.node.now().Sub(l.Contact).Seconds()
		}
		for d, v := range map[*prometheus.Desc]float64{linkLag: l.Lag.Seconds(), linkBehind: float64(l.Behind), linkUp: up, linkQuarantined: float64(l.Quarantined), linkContact: age} {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, l.ID, l.Direction())
		}
	}
}
