package screen

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
)

// shareListCommand shares an own list through a running node.
func shareListCommand() *cobra.Command {
	var in shareAsked
	c := &cobra.Command{
		Use:   "share --community ALIAS LIST",
		Short: "Share a list of your organisation with a community",
		Long: "Share a list of your organisation with a community: each listing as an object of its own. Doing it again brings what was\n" +
			"shared up to date: what has changed gets a new version, what is no longer listed is withdrawn. Members ask it from then on\n" +
			"beside their other lists. Nobody is told whose list it is unless you say --named.",
		Example: "  polder lists share --node http://127.0.0.1:8080 --community chips --tlp amber suspects\n" +
			"  polder lists share --community chips --preview suspects",
		Args: cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	f := c.Flags()
	f.StringVar(&in.Community, "community", "", "the community's `alias`")
	f.StringVar(&in.TLP, "tlp", "amber", "the `level` of the listings")
	f.BoolVar(&in.Named, "named", false, "name your organisation")
	f.BoolVar(&in.Preview, "preview", false, "share nothing, and say what would be shared")
	f.BoolVar(&in.Confirm, "confirm", false, "go on although a warning asks to look twice")
	_ = c.MarkFlagRequired("community")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		var out Published
		if err := n.Do(cmd.Context(), http.MethodPost, "/api/v1/screen/lists/"+url.PathEscape(args[0])+"/share", in, &out); err != nil {
			return err
		}
		return out.print(cmd, args[0], in)
	}
	return c
}

// print says what was shared; what was refused or held is an error.
func (p Published) print(cmd *cobra.Command, list string, in shareAsked) error {
	for _, w := range p.Warnings {
		cli.Err(cmd).Printf("%s\n", w)
	}
	for _, no := range p.Refused {
		cli.Err(cmd).Printf("refused: %s\n", no)
	}
	out := cli.Out(cmd)
	if out.AsJSON() {
		if err := out.JSON(p); err != nil {
			return err
		}
	} else {
		did := fmt.Sprintf("%d new, %d changed, %d as before, %d withdrawn", p.New, p.Changed, p.Same, p.Withdrawn)
		if in.Preview {
			out.Printf("%s would be shared with %s: %s; %d organisations would read what is new\n", list, in.Community, did, p.Readers)
		} else {
			out.Printf("%s is shared with %s: %s\n", list, in.Community, did)
		}
	}
	switch {
	case len(p.Refused) > 0:
		return polder.Errorf(polder.Invalid, "%d listings were refused; nothing of their batch was shared", len(p.Refused))
	case p.Held:
		return polder.Errorf(polder.Conflict, "nothing was shared; look at the warnings, and give --confirm to go on")
	}
	return nil
}
