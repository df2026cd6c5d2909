package exchange

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// Commands are those that work with a node over its API, and those that need none.
func Commands() []*cobra.Command {
	return []*cobra.Command{shareCommand(), withdrawCommand(), watchCommand(), searchCommand(), exportCommand(), lintCommand(), taxiiCommand(), proposeCommand(), proposalsCommand(), decayCommand()}
}

func withdrawCommand() *cobra.Command {
	var community, version string
	var erase bool
	c := &cobra.Command{
		Use:   "withdraw --community ALIAS ID",
		Short: "Take an object out of a community",
		Long: "Take an object, or some of its versions, out of a community. Readers are told and every exit forgets it at once;\n" +
			"what they have read they keep. Its custodian and the community's stewards may do this.",
		Example: "  polder withdraw --node http://127.0.0.1:8080 --community chips indicator--01234567-89ab-4cde-8f01-23456789abcd",
		Args:    cobra.ExactArgs(1),
	}
	node := cli.NodeFlags(c)
	c.Flags().StringVar(&community, "community", "", "the community's `alias`")
	c.Flags().StringVar(&version, "version", "", "only these `versions`: first, last, or timestamps with commas between")
	c.Flags().BoolVar(&erase, "erase", false, "remove the bytes for good too (stewards; GDPR article 17)")
	cli.JSONFlag(c)
	_ = c.MarkFlagRequired("community")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		q := url.Values{}
		if version != "" {
			q.Set("version", version)
		}
		if erase {
			q.Set("erase", "1")
		}
		var out struct {
			ID  string     `json:"id"`
			Seq polder.Seq `json:"seq"`
		}
		path := "/api/v1/communities/" + url.PathEscape(community) + "/objects/" + url.PathEscape(args[0]) + "?" + q.Encode()
		if err := n.Do(cmd.Context(), http.MethodDelete, path, nil, &out); err != nil {
			return err
		}
		p := cli.Out(cmd)
		if p.AsJSON() {
			return p.JSON(out)
		}
		p.Printf("%s is withdrawn from %s\n", out.ID, community)
		return nil
	}
	return c
}

func watchCommand() *cobra.Command {
	var community, since string
	c := &cobra.Command{
		Use:   "watch",
		Short: "Print what is shared, as it is shared",
		Long: "Print an event a line, as JSON: {\"event\":\"object\",\"seq\",\"date_added\",\"community\",\"tlp\",\"object\"} or {\"event\":\"withdrawn\",…}.\n" +
			"Without --since it starts now; --since 0 is everything. A connection that is cut is taken up again where it ended.",
		Example: "  polder watch --node http://127.0.0.1:8080 --community chips\n  polder watch --node http://127.0.0.1:8080 --since 0",
		Args:    cobra.NoArgs,
	}
	node := cli.NodeFlags(c)
	c.Flags().StringVar(&community, "community", "", "only this community's `alias`")
	c.Flags().StringVar(&since, "since", "", "begin after this `number`; 0 is everything")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		if since != "" {
			if v, err := strconv.ParseInt(since, 10, 64); err != nil || v < 0 {
				return cli.Usagef("--since %q is not a number; give the seq of an event, or 0", since)
			}
		}
		q := url.Values{}
		if community != "" {
			q.Set("community", community)
		}
		w := watcher{node: n, query: q, last: since, out: cli.Out(cmd)}
		return w.run(cmd.Context())
	}
	return c
}

func searchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "search TEXT",
		Short:   "Find what is shared about an indicator, a name or an id",
		Long:    "Find what is shared about an indicator (defanged too), a name, a word or an id. --json prints an object of the stream a line.",
		Example: "  polder search --node http://127.0.0.1:8080 'example[.]com'\n  polder search --node http://127.0.0.1:8080 --json APT28",
		Args:    cobra.MinimumNArgs(1),
	}
	node := cli.NodeFlags(c)
	limit := c.Flags().Int("limit", 100, "print at most this `number` of objects (1 to 1000)")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		q := url.Values{"q": {strings.Join(args, " ")}, "limit": {strconv.Itoa(*limit)}}
		var found struct {
			Objects []json.RawMessage `json:"objects"`
			More    bool              `json:"more"`
		}
		if err := n.Do(cmd.Context(), http.MethodGet, "/api/v1/search?"+q.Encode(), nil, &found); err != nil {
			return err
		}
		return printFound(cmd, found.Objects, found.More)
	}
	return c
}

func printFound(cmd *cobra.Command, objects []json.RawMessage, more bool) error {
	p := cli.Out(cmd)
	var rows [][]string
	for _, raw := range objects {
		if p.AsJSON() {
			if err := p.JSON(raw); err != nil {
				return err
			}
			continue
		}
		var e Event
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		o, err := stix.Parse(e.Object)
		if err != nil {
			return err
		}
		rows = append(rows, []string{o.Type, title(o), e.TLP, e.Community, o.ID})
	}
	if p.AsJSON() {
		return nil
	}
	p.Table([]string{"TYPE", "NAME", "TLP", "COMMUNITY", "ID"}, rows)
	if more {
		cli.Err(cmd).Printf("there is more; narrow the search, or raise --limit\n")
	}
	return nil
}

func exportCommand() *cobra.Command {
	var format, community string
	var least int
	c := &cobra.Command{
		Use:   "export --format stix|misp|csv|suricata|zeek|rpz|plain",
		Short: "Write what you may see, as a file for another tool",
		Long: "Write what you may see to standard output: as STIX or MISP (everything, as it is), or as CSV or a block list (indicators\n" +
			"that count today; block lists without what must never be blocked). TLP:RED is in no file. How many indicators were left\n" +
			"out is said on standard error.",
		Example: "  polder export --node http://127.0.0.1:8080 --format suricata --community chips > polder.rules",
		Args:    cobra.NoArgs,
	}
	node := cli.NodeFlags(c)
	c.Flags().StringVar(&format, "format", "", "one of stix, misp, csv, suricata, zeek, rpz, plain")
	c.Flags().StringVar(&community, "community", "", "only this community's `alias`")
	c.Flags().IntVar(&least, "min-worth", 0, "leave out of a list what is worth less than this `number` now, 0 to 100; see polder decay show")
	_ = c.MarkFlagRequired("format")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		q := url.Values{"format": {format}}
		if community != "" {
			q.Set("community", community)
		}
		if least != 0 {
			q.Set("min_worth", strconv.Itoa(least))
		}
		res, err := n.Send(cmd.Context(), http.MethodGet, "/api/v1/export?"+q.Encode(), http.Header{}, nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if _, err := io.Copy(cmd.OutOrStdout(), res.Body); err != nil {
			return fmt.Errorf("the export broke off, so the file is not whole: %w", err)
		}
		if left := res.Trailer.Get("Polder-Left-Out"); left != "" && left != "0" {
			cli.Err(cmd).Printf("left out of the list: %s; see the console's page of block lists for why\n", left)
		}
		return nil
	}
	return c
}

func lintCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "lint FILE...",
		Short:   "Check STIX files, without a node",
		Long:    "Check every object of STIX 2.1 files (a bundle, an object, a list, or JSON lines) against the standard. Exit status 1 when anything is wrong.",
		Example: "  polder lint report.json\n  polder lint --json feed.json",
		Args:    cobra.MinimumNArgs(1),
	}
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, files []string) error {
		wrong, checked := 0, 0
		for _, file := range files {
			n, bad, err := lintFile(cmd, file)
			if err != nil {
				return err
			}
			checked, wrong = checked+n, wrong+bad
		}
		if wrong > 0 {
			return fmt.Errorf("%d of %d objects are not right", wrong, checked)
		}
		if p := cli.Out(cmd); !p.AsJSON() {
			p.Printf("%d objects, all right\n", checked)
		}
		return nil
	}
	return c
}

// finding is a line of `lint --json`.
type finding struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	ID    string `json:"id"`
	Error string `json:"error"`
}

func lintFile(cmd *cobra.Command, file string) (n, wrong int, err error) {
	f, err := cli.Open(cmd, file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	r := stix.NewReader(bufio.NewReaderSize(f, 1<<16), stix.Limits{})
	bar := cli.NewProgress(cmd, file, -1)
	defer bar.Done()
	for {
		raw, pos, err := r.NextRaw()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return 0, 1, report(cmd, finding{File: file, Line: 1, Error: "there is no object in it"})
			}
			return n, wrong, nil
		}
		n++
		bar.Add(1)
		if err == nil {
			if err = lintObject(raw); err == nil {
				continue
			}
			if e, ok := errors.AsType[*stix.Error](err); ok && e.Line > 0 {
				e.Line += pos.Line - 1
			}
		}
		wrong++
		fd := finding{File: file, Line: pos.Line, Error: err.Error()}
		if e, ok := errors.AsType[*stix.Error](err); ok {
			fd.ID, fd.Error = e.ID, withoutID(e)
			if e.Line > 0 {
				fd.Line = e.Line
			}
		}
		if err := report(cmd, fd); err != nil {
			return n, wrong, err
		}
	}
}

// lintObject checks one object of a file; STIX 2.0 is told apart from what is broken.
func lintObject(raw []byte) error {
	if stix.IsSTIX20(raw) {
		return &stix.Error{ID: peekID(raw), Property: "spec_version", Text: `is missing: this is STIX 2.0; 2.1 asks for "2.1" (sharing it converts it)`}
	}
	_, err := checked(raw)
	return err
}

func report(cmd *cobra.Command, f finding) error {
	p := cli.Out(cmd)
	if p.AsJSON() {
		return p.JSON(f)
	}
	text := f.Error
	if f.ID != "" {
		text = f.ID + ": " + text
	}
	cli.Err(cmd).Printf("polder: %s:%d: %s\n", f.File, f.Line, text)
	return nil
}

// watcher follows a node's stream and takes it up again when it is cut.
type watcher struct {
	node  *cli.Node
	query url.Values
	last  string // the number to go on from; "" is now
	out   *cli.Printer
}

func (w *watcher) run(ctx context.Context) error {
	for {
		err := w.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && polder.KindOf(err) != polder.Unavailable && polder.KindOf(err) != polder.Internal:
			return err
		}
		if err := w.node.Pause(ctx); err != nil {
			return nil
		}
	}
}

func (w *watcher) once(ctx context.Context) error {
	q := url.Values{}
	for k, v := range w.query {
		q[k] = v
	}
	if w.last != "" {
		q.Set("since", w.last)
	}
	res, err := w.node.Send(ctx, http.MethodGet, "/api/v1/stream?"+q.Encode(), http.Header{"Accept": {"text/event-stream"}}, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return w.read(bufio.NewReaderSize(res.Body, 1<<16))
}

// read prints the events of one connection.
func (w *watcher) read(r *bufio.Reader) error {
	var event, id string
	var data []byte
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return polder.Errorf(polder.Unavailable, "the stream was cut: %w", err)
		}
		field, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(field) == 0 && len(value) == 0 && len(bytes.TrimRight(line, "\r\n")) == 0:
			if err := w.emit(event, data); err != nil {
				return err
			}
			if id != "" {
				w.last = id
			}
			event, data = "", nil
		case string(field) == "event":
			event = string(value)
		case string(field) == "id":
			id = string(value)
		case string(field) == "data":
			data = append(data, value...)
		}
	}
}

// emit prints {"event", …data}.
func (w *watcher) emit(event string, data []byte) error {
	if event != "object" && event != "withdrawn" {
		return nil
	}
	name, err := json.Marshal(event)
	if err != nil {
		return err
	}
	line := append([]byte(`{"event":`), name...)
	line = append(append(line, ','), bytes.TrimPrefix(data, []byte("{"))...)
	return w.out.JSON(json.RawMessage(line))
}
