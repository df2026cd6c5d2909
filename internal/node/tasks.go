package node

import (
	"context"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

// openTasks opens what works beside requests: the store of files and the durable timers.
func (n *Node) openTasks(ctx context.Context) (err error) {
	if n.blobs, err = blob.Open(n.DB, filepath.Join(n.Dir, blobFolder), blob.Options{Max: cases.MaxEvidence, Now: n.now, Log: n.log}); err != nil {
		return err
	}
	n.atEnd(n.blobs.Close)
	if err := n.blobs.Migrate(ctx); err != nil {
		return err
	}
	n.jobs = jobs.New(n.DB, jobs.Options{Now: n.now, Log: n.log})
	return n.jobs.Migrate(ctx)
}

// openNotifier sets up notifications: webhooks always, mail where a server is named.
func (n *Node) openNotifier(ctx context.Context, site *web.Site) error {
	senders := map[notify.Channel]notify.Sender{}
	guard, err := n.Config.Webhooks.guard()
	if err != nil {
		return err
	}
	senders[notify.ByWebhook] = &notify.Webhook{HTTP: guard.Client(), Now: n.now}
	senders[notify.BySyslog] = &notify.Syslog{Guard: guard, Now: n.now}
	if n.Config.Mail.Server != "" {
		post, err := n.Config.Mail.sender()
		if err != nil {
			return err
		}
		post.Now = n.now
		senders[notify.ByMail] = post
	}
	if err := exchange.NewNotifier(n.Exchange, exchange.NotifierOptions{Site: site, URL: n.Config.address(), Senders: senders}).Migrate(ctx); err != nil {
		return err
	}
	if err := n.openCaseNotifier(ctx, site, senders); err != nil {
		return err
	}
	return n.openAlertNotifier(ctx, site, senders)
}

// run does what the node does by itself until ctx ends.
func (n *Node) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { n.blobs.Run(ctx) })
	all.Go(func() {
		if err := n.jobs.Run(ctx); err != nil {
			n.log.Error("daily work has stopped", "error", err)
		}
	})
	n.runDetection(ctx, &all)
	n.runScreening(ctx, &all)
	n.runCases(ctx, &all)
	n.runFederation(ctx, &all)
	n.Exchange.Run(ctx)
	all.Wait()
}

// address is how people reach the node.
func (c Config) address() string {
	switch {
	case c.PublicURL != "":
		return strings.TrimRight(c.PublicURL, "/")
	case c.TLSCert != "":
		return "https://" + c.Listen
	}
	return "http://" + c.Listen
}

func (w Webhooks) guard() (*notify.Guard, error) {
	g := &notify.Guard{}
	for _, text := range w.AllowNetworks {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, polder.Errorf(polder.Invalid, "webhooks.allow_networks: %q is not a network such as 10.0.0.0/8", text)
		}
		g.Allow = append(g.Allow, p)
	}
	return g, nil
}

// sender is the mail server of the configuration; a password file that cannot be read is an error, without its content.
func (m Mail) sender() (*notify.Mail, error) {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "mail.server: %q is not host:port", m.Server)
	}
	from, err := mail.ParseAddress(m.From)
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "mail.from: %q is not a mail address", m.From)
	}
	security, ok := map[string]notify.Security{"": notify.StartTLS, "starttls": notify.StartTLS, "implicit": notify.ImplicitTLS, "none": notify.Unencrypted}[m.TLS]
	switch {
	case !ok:
		return nil, polder.Errorf(polder.Invalid, "mail.tls: %q is none of starttls, implicit, none", m.TLS)
	case security == notify.Unencrypted && !loopback(m.Server):
		return nil, polder.Errorf(polder.Invalid, "mail.tls: without encryption only a server on this machine is spoken to, and %s is not", host)
	}
	out := &notify.Mail{Server: m.Server, Security: security, User: m.User, From: *from}
	if m.PasswordFile != "" {
		text, err := os.ReadFile(m.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("mail.password_file: %w", err)
		}
		out.Password = strings.TrimSpace(string(text))
	}
	return out, nil
}
