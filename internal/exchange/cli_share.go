package exchange

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// sharer is one run of `polder share`.
type sharer struct {
	cmd       *cobra.Command
	node      *cli.Node
	community string
	query     url.Values
	preview   bool
	parts     []part
}

// part is what goes to the node in one request: a batch of STIX objects, or a whole file of another format.
type part struct {
	file  string
	kind  string // content type
	body  []byte
	lines []int // of each object in the file; nil for other formats
}

// mostTold is how many refusals are told one by one on standard error; --json has them all.
const mostTold = 50

// The most that one part holds. A batch is stored whole or not at all.
const partBytes = 8 << 20

func shareCommand() *cobra.Command {
	s := &sharer{query: url.Values{}}
	var tlp, derive, override string
	var to []string
	var named, confirm bool
	c := &cobra.Command{
		Use:   "share --community ALIAS FILE...",
		Short: "Share files with a community",
		Long: "Share files with a community: STIX 2.1 or 2.0 (bundle, object, list, JSON lines), MISP event JSON, CSV, or free text in which\n" +
			"indicators are found. Everything is checked first; one object that is refused means exit status 1 and nothing stored.\n" +
			"Sharing the same again is harmless. What Polder makes of a file names no contributor unless you say --named.",
		Example: "  polder share --node http://127.0.0.1:8080 --community chips --tlp amber report.json\n  polder share --community chips --preview notes.txt",
		Args:    cobra.MinimumNArgs(1),
	}
	node := cli.NodeFlags(c)
	f := c.Flags()
	f.StringVar(&s.community, "community", "", "the community's `alias`")
	f.StringVar(&tlp, "tlp", "", "the `level` of this share: clear, green, amber, amber+strict or red")
	f.StringArrayVar(&to, "to", nil, "only these members, by identity `id`; repeatable")
	f.BoolVar(&named, "named", false, "name your organisation in what is made of the file")
	f.BoolVar(&s.preview, "preview", false, "show what would be shared, and store nothing")
	f.StringVar(&derive, "derive", "", "take out what is marked stricter than this `level`; what is left is another object, derived from this one")
	f.StringVar(&override, "override", "", "send it although a value in it stops it, for this `reason`, which stands in the audit")
	f.BoolVar(&confirm, "confirm", false, "share although a warning asks you to look twice")
	cli.JSONFlag(c)
	_ = c.MarkFlagRequired("community")
	c.RunE = func(cmd *cobra.Command, files []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		s.cmd, s.node = cmd, n
		if tlp != "" {
			if _, err := stix.ParseMarking(tlp); err != nil {
				return cli.Usagef("--tlp: %w", err)
			}
			s.query.Set("tlp", tlp)
		}
		if derive != "" {
			if _, err := stix.ParseMarking(derive); err != nil {
				return cli.Usagef("--derive: %w", err)
			}
			s.query.Set("derive", derive)
		}
		if override != "" {
			s.query.Set("override", override)
		}
		s.query["to"] = to
		s.flag("named", named)
		s.flag("confirm", confirm)
		for _, file := range files {
			if err := s.readFile(file); err != nil {
				return err
			}
		}
		return s.run()
	}
	return c
}

func (s *sharer) flag(name string, on bool) {
	if on {
		s.query.Set(name, "1")
	}
}

// readFile cuts a file into parts.
func (s *sharer) readFile(file string) error {
	f, err := cli.Open(s.cmd, file)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	head, err := in.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) {
		return cli.At(file, 0, err)
	}
	if LooksLikeSTIX(head) {
		return s.readBundle(file, in)
	}
	body, err := io.ReadAll(io.LimitReader(in, MaxShare+1))
	if err != nil {
		return cli.At(file, 0, err)
	}
	if len(body) > MaxShare {
		return cli.At(file, 0, fmt.Errorf("is larger than %d MiB; share it in parts", MaxShare>>20))
	}
	s.parts = append(s.parts, part{file: file, kind: "application/octet-stream", body: body})
	return nil
}

func (s *sharer) readBundle(file string, in io.Reader) error {
	r := stix.NewReader(in, stix.Limits{})
	p := part{file: file, kind: "application/stix+json"}
	var b bytes.Buffer
	flush := func() {
		if len(p.lines) > 0 {
			p.body = append([]byte(`{"objects":[`), b.Bytes()...)
			p.body = append(p.body, "]}"...)
			s.parts = append(s.parts, p)
		}
		b.Reset()
		p = part{file: file, kind: p.kind}
	}
	for {
		raw, pos, err := r.NextRaw()
		if errors.Is(err, io.EOF) {
			flush()
			return nil
		}
		if err != nil {
			return cli.At(file, pos.Line, err)
		}
		if len(p.lines) == Batch || b.Len()+len(raw) > partBytes && b.Len() > 0 {
			flush()
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
		p.lines = append(p.lines, pos.Line)
	}
}

// run checks everything first when there is more than one part, and then shares part by part.
func (s *sharer) run() error {
	total := Result{Refused: []Refusal{}}
	var items []Item
	rounds := []bool{s.preview}
	if len(s.parts) > 1 && !s.preview {
		rounds = []bool{true, false}
	}
	for _, dry := range rounds {
		bar := cli.NewProgress(s.cmd, map[bool]string{true: "checking", false: "sharing"}[dry], int64(len(s.parts)))
		sum := Result{Refused: []Refusal{}}
		for _, p := range s.parts {
			out, err := s.send(p, dry)
			if err != nil {
				bar.Done()
				return cli.At(p.file, 0, err)
			}
			sum.add(out.Result)
			items = append(items, out.Objects...)
			bar.Add(1)
		}
		bar.Done()
		total = sum
		if len(total.Refused) > 0 || s.waits(total) {
			if !s.preview {
				total.Stored, total.Duplicates, total.Seq = 0, 0, 0
			}
			break
		}
	}
	return s.tell(total, items)
}

// waits tells whether the share waits for a confirmation, or for a reason.
func (s *sharer) waits(r Result) bool {
	return r.Stopped() || held(r) && !s.query.Has("confirm")
}

func held(r Result) bool {
	for _, w := range r.Warnings {
		if w.Held {
			return true
		}
	}
	return false
}

func (r *Result) add(o Result) {
	r.Stored += o.Stored
	r.Duplicates += o.Duplicates
	r.Seq = max(r.Seq, o.Seq)
	r.Refused = append(r.Refused, o.Refused...)
	r.Warnings = append(r.Warnings, o.Warnings...)
	if o.Note != "" {
		r.Note = o.Note
	}
	for _, name := range o.Readers {
		if !slices.Contains(r.Readers, name) {
			r.Readers = append(r.Readers, name)
		}
	}
}

func (s *sharer) send(p part, dry bool) (out shareOutcome, err error) {
	q := url.Values{}
	for k, v := range s.query {
		q[k] = v
	}
	if dry {
		q.Set("preview", "1")
	}
	q.Set("name", p.file)
	path := "/api/v1/communities/" + url.PathEscape(s.community) + "/share?" + q.Encode()
	res, err := s.node.SendFor(s.cmd.Context(), http.MethodPost, path, http.Header{"Content-Type": {p.kind}}, p.body, http.StatusUnprocessableEntity, http.StatusConflict)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("read the node's answer: %w", err)
	}
	if out.Refused == nil && len(out.Warnings) == 0 {
		return out, polder.Errorf(polder.Conflict, "%s", out.Detail)
	}
	for i := range out.Refused {
		r := &out.Refused[i]
		r.Where = Where{p.file, r.Line}
		if r.Index < len(p.lines) {
			r.Where.Line = p.lines[r.Index]
		}
	}
	return out, nil
}

// tell prints what came of it and says how the command ends.
func (s *sharer) tell(r Result, items []Item) error {
	p := cli.Out(s.cmd)
	errs := cli.Err(s.cmd)
	for _, w := range r.Warnings {
		errs.Printf("polder: warning: %s\n", strings.Join(slices.DeleteFunc([]string{w.ID, w.Path, w.Value, w.Reason}, func(t string) bool { return t == "" }), " "))
	}
	for i, f := range r.Refused {
		if i == mostTold {
			errs.Printf("polder: … and %d more\n", len(r.Refused)-i)
			break
		}
		errs.Printf("polder: %s: %s\n", f.Where, withID(f))
	}
	if r.Note != "" {
		errs.Printf("polder: note: %s\n", r.Note)
	}
	if p.AsJSON() {
		if err := p.JSON(scriptResult(r)); err != nil {
			return err
		}
	} else {
		s.tellPeople(p, r, items)
	}
	switch {
	case len(r.Refused) > 0:
		return fmt.Errorf("%d refused, so nothing was stored", len(r.Refused))
	case r.Stopped():
		return fmt.Errorf("nothing was stored: a value in it does not leave by itself; take it out, or say why it has to leave (--override REASON)")
	case s.waits(r):
		return fmt.Errorf("nothing was stored: read the warnings, and share again with --confirm if it is right")
	}
	return nil
}

// scriptResult is the form that scripts rely on (X25).
func scriptResult(r Result) any {
	type refusal struct {
		ID    string `json:"id"`
		Error string `json:"error"`
	}
	refused := []refusal{}
	for _, f := range r.Refused {
		refused = append(refused, refusal{f.ID, f.Error})
	}
	return struct {
		Stored     int        `json:"stored"`
		Duplicates int        `json:"duplicates"`
		Refused    []refusal  `json:"refused"`
		Seq        polder.Seq `json:"seq"`
	}{r.Stored, r.Duplicates, refused, r.Seq}
}

func withID(f Refusal) string {
	if f.ID == "" || strings.HasPrefix(f.Error, f.ID) {
		return f.Error
	}
	return f.ID + ": " + f.Error
}

func (s *sharer) tellPeople(p *cli.Printer, r Result, items []Item) {
	if s.preview {
		var rows [][]string
		for _, it := range items {
			names := ""
			if it.NamesYou {
				names = "names you"
			}
			rows = append(rows, []string{it.Type, clip(it.Name, 60), it.TLP, fmt.Sprintf("%d readers", len(it.Readers)), names, it.ID})
		}
		p.Table([]string{"TYPE", "NAME", "TLP", "WHO SEES IT", "", "ID"}, rows)
		tellChanges(p, items)
		tellReaders(p, r)
		p.Printf("nothing was stored; %d would be new, %d are held already\n", r.Stored, r.Duplicates)
		return
	}
	if len(r.Refused) == 0 && !s.waits(r) {
		p.Printf("%d shared, %d were held already\n", r.Stored, r.Duplicates)
	}
}
