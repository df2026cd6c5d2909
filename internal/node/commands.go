package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/detect"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/members"
	"github.com/polder-exchange/polder/internal/screen"
)

// Commands are all commands of the program.
func Commands() []*cobra.Command {
	return slices.Concat([]*cobra.Command{serveCommand(), protectCommand(), demoCommand(), backupCommand(), restoreCommand()}, members.Commands(OpenStore), exchange.Commands(), detect.Commands(time.Now),
		screen.Commands(screen.CommandOptions{Now: time.Now, Open: openLists}), cases.Commands(time.Now), releaseCommands(), federationCommands())
}

func serveCommand() *cobra.Command {
	var flags Config
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the node",
		Long: "Run the node of a folder that `polder init` made. The first line on standard output is `ready http://HOST:PORT`.\n" +
			"Beyond this machine it listens with TLS only, or behind a proxy that speaks TLS.",
		Example: "  polder serve --data /var/lib/polder\n  polder serve --data node --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem",
		Args:    cobra.NoArgs,
	}
	dir := cli.DataFlag(c)
	f := c.Flags()
	f.StringVar(&flags.Listen, "listen", "", "`address` and port; port 0 takes a free one (default 127.0.0.1:8080)")
	f.StringVar(&flags.TLSCert, "tls-cert", "", "`file` with the certificate chain, PEM")
	f.StringVar(&flags.TLSKey, "tls-key", "", "`file` with the certificate's key, PEM")
	f.BoolVar(&flags.BehindProxy, "behind-proxy", false, "TLS ends at a proxy in front of the node")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := ReadConfig(*dir)
		if err != nil {
			return err
		}
		return serve(cmd, *dir, config.with(flags))
	}
	return c
}

// with lets flags go before the file.
func (c Config) with(flags Config) Config {
	if flags.Listen != "" {
		c.Listen = flags.Listen
	}
	if flags.TLSCert != "" || flags.TLSKey != "" {
		c.TLSCert, c.TLSKey, c.BehindProxy = flags.TLSCert, flags.TLSKey, false
	}
	if flags.BehindProxy {
		c.BehindProxy = true
	}
	return c
}

func serve(cmd *cobra.Command, dir string, c Config) error {
	ctx := cmd.Context()
	if os.Getenv("GOMEMLIMIT") == "" {
		go keepMemory(ctx)
	}
	n, err := Open(ctx, dir, c, Options{Log: cmd.ErrOrStderr()})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return closing(n, fmt.Errorf("listen on %s: %w", c.Listen, err))
	}
	cli.Out(cmd).Printf("ready %s\n", c.url(l.Addr()))
	return closing(n, n.Serve(ctx, l))
}

// closing closes the node and reports the first error.
func closing(n *Node, err error) error {
	if closed := n.Close(); err == nil {
		err = closed
	}
	if err == context.Canceled {
		return nil
	}
	return err
}

func protectCommand() *cobra.Command {
	var org string
	var remove bool
	c := &cobra.Command{
		Use:   "protect --data DIR --org ID [VALUE...]",
		Short: "Keep a member's own domains and networks out of block lists",
		Long: "Keep values out of everybody's block lists, on a member's request: its domains with everything below them, its addresses and\n" +
			"networks. Without values it lists what is protected for the member.",
		Example: "  polder protect --data node --org identity--… acme.example 198.51.100.0/24",
	}
	dir := cli.DataFlag(c)
	c.Flags().StringVar(&org, "org", "", "the member's identity `id`")
	c.Flags().BoolVar(&remove, "remove", false, "no longer protect these values")
	_ = c.MarkFlagRequired("org")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, values []string) error {
		s, err := OpenStore(cmd.Context(), *dir, false)
		if err != nil {
			return err
		}
		defer s.Close()
		if _, err := s.Accounts.Org(cmd.Context(), polder.OrgID(org)); err != nil {
			return polder.Errorf(polder.NotFound, "--org: %s is not an organisation of this node; see polder org list", org)
		}
		if err := exchange.Migrate(cmd.Context(), s.DB); err != nil {
			return err
		}
		now, err := exchange.Protect(cmd.Context(), s.DB, s.Audit, accounts.Local(), polder.OrgID(org), values, remove)
		if err != nil {
			return err
		}
		p := cli.Out(cmd)
		for _, v := range now {
			if p.AsJSON() {
				if err := p.JSON(map[string]string{"type": string(v.Kind), "value": v.Value}); err != nil {
					return err
				}
				continue
			}
			p.Printf("%s\n", v.Value)
		}
		return nil
	}
	return c
}
