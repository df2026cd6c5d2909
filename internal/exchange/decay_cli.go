package exchange

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
)

// DecayFile is the name of the file of the data folder that replaces the rules in the program.
const DecayFile = "decay.yaml"

func decayCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "decay",
		Short:   "Say how indicators lose worth with time",
		Example: "  polder decay show\n  polder decay explain --node http://127.0.0.1:8080 indicator--01234567-89ab-4cde-8f01-23456789abcd",
	}
	c.AddCommand(decayShowCommand(), decayExplainCommand())
	return c
}

func decayShowCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "show",
		Short: "Print the rules",
		Long: "Print the rules by which indicators lose worth, as YAML: those in the program, or with --data those of a node. To change them,\n" +
			"write what this prints to decay.yaml in the data folder, edit it, and start the node again.",
		Example: "  polder decay show > decay.yaml\n  polder decay show --data /var/lib/polder",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVar(&dir, "data", "", "the node's data `folder`")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		d := BuiltinDecay()
		if dir != "" {
			var err error
			if d, err = OpenDecay(filepath.Join(dir, DecayFile)); err != nil {
				return err
			}
		}
		p := cli.Out(cmd)
		if p.AsJSON() {
			return p.JSON(d)
		}
		_, err := fmt.Fprint(cmd.OutOrStdout(), d.Text)
		return err
	}
	return c
}

func decayExplainCommand() *cobra.Command {
	var community string
	c := &cobra.Command{
		Use:     "explain ID",
		Short:   "Say what an indicator is worth now, and why",
		Example: "  polder decay explain --node http://127.0.0.1:8080 indicator--01234567-89ab-4cde-8f01-23456789abcd",
		Args:    cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	c.Flags().StringVar(&community, "community", "", "the community's `alias`, where the object is in several")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		q := url.Values{}
		if community != "" {
			q.Set("community", community)
		}
		var out worthAnswer
		if err := n.Do(cmd.Context(), http.MethodGet, "/api/v1/objects/"+url.PathEscape(args[0])+"/worth?"+q.Encode(), nil, &out); err != nil {
			return err
		}
		p := cli.Out(cmd)
		if p.AsJSON() {
			return p.JSON(out)
		}
		p.Printf("%s is worth %d of 100 now, because\n", out.ID, out.Worth)
		for _, why := range out.Because {
			p.Printf("  %s\n", why)
		}
		return nil
	}
	return c
}
