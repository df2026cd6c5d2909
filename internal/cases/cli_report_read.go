package cases

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases/triage"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

// reportDeskFlags are those of every command for who reads: the node, the token, and where the passphrase comes from.
type reportDeskFlags struct {
	node       func() (*cli.Node, error)
	passphrase string
	renewed    string // the file of the passphrase that takes its place
	lang       string
	random     io.Reader
}

func newReportDeskFlags(c *cobra.Command) *reportDeskFlags {
	f := &reportDeskFlags{node: cli.NodeFlags(c), random: rand.Reader}
	c.Flags().StringVar(&f.passphrase, "passphrase-file", "", "read the passphrase of your key from the first line of a `file`")
	c.Flags().StringVar(&f.lang, "lang", "en", "the `language` of words: en or nl")
	cli.JSONFlag(c)
	return f
}

// reportHolder is a reader at work: the node, and the private keys of the reader, which stay here.
type reportHolder struct {
	node   *cli.Node
	keys   []seal.PrivateKey // the current one first
	own    []OwnKey
	random io.Reader
	logs   map[string]DeskView // of desks that were verified
}

// holder opens the keys of whose token it is.
func (f *reportDeskFlags) holder(cmd *cobra.Command) (*reportHolder, error) {
	if _, ok := reportPhrases[f.lang]; !ok {
		return nil, cli.Usagef("--lang %q is not known; use en or nl", f.lang)
	}
	n, err := f.node()
	if err != nil {
		return nil, err
	}
	h := &reportHolder{node: n, random: f.random, logs: map[string]DeskView{}}
	if h.own, err = reportKeysOf(cmd.Context(), n); err != nil {
		return nil, err
	}
	if len(h.own) == 0 {
		return nil, polder.Errorf(polder.NotFound, "you have no key yet; make one with polder report key")
	}
	if f.passphrase == "" && reportAsking(cmd) == nil {
		return nil, cli.Usagef("no passphrase is given; give --passphrase-file")
	}
	words, err := reportSecretFrom(cmd, f.passphrase, reportPhrase(f.lang, "passphrase"))
	if err != nil {
		return nil, err
	}
	for _, k := range h.own {
		private, err := k.Locked.Unlock(words)
		if errors.Is(err, seal.ErrPassphrase) {
			continue // an earlier key may have had another one
		}
		if err != nil {
			return nil, err
		}
		h.keys = append(h.keys, private)
	}
	if len(h.keys) == 0 {
		return nil, polder.Errorf(polder.Forbidden, "that passphrase opens none of your keys; look how it is spelled")
	}
	return h, nil
}

// reportKeysOf are the locked keys of whose token it is, the current one first.
func reportKeysOf(ctx context.Context, n *cli.Node) ([]OwnKey, error) {
	var list reportKeyList
	if err := n.Do(ctx, http.MethodGet, reportPath("keys"), nil, &list); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Keys, func(a, b OwnKey) int {
		return cmp.Compare(map[bool]int{true: 0, false: 1}[a.Current], map[bool]int{true: 0, false: 1}[b.Current])
	})
	return list.Keys, nil
}

func reportKeyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "key --node URL --token T",
		Short: "Make your key for reading reports, and show its fingerprint",
		Long: "Make the key that opens reports sealed to you, lock it with a passphrase on this device, and give the node what it may have:\n" +
			"the public half, and the private half locked. Nobody can open it without the passphrase, and nobody can replace that.\n\n" +
			"At a terminal six words are offered as a passphrase; Enter takes them. Who has a key sees it; --new makes another one, and\n" +
			"what was sealed to the former one still opens with that one's passphrase.\n\n" +
			"--change-passphrase locks the keys that your passphrase opens with another one. They stay the same keys, and the old\n" +
			"passphrase opens none of them at the node any more. Who has a copy of the old lock still opens it with the old passphrase:\n" +
			"where somebody has learnt that, make another key with --new.",
		Example: "  polder report key --node https://desk.example\n  polder report key --node https://desk.example --passphrase-file words.txt --json\n" +
			"  polder report key --node https://desk.example --change-passphrase --passphrase-file old.txt --new-passphrase-file new.txt",
		Args: cobra.NoArgs,
	}
	f := newReportDeskFlags(c)
	fresh := c.Flags().Bool("new", false, "make another key, though there is one")
	change := c.Flags().Bool("change-passphrase", false, "lock the same key with another passphrase")
	c.Flags().StringVar(&f.renewed, "new-passphrase-file", "", "with --change-passphrase: read the new passphrase from the first line of a `file`")
	c.MarkFlagsMutuallyExclusive("new", "change-passphrase")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case *change:
			return f.relock(cmd)
		case f.renewed != "":
			return cli.Usagef("--new-passphrase-file is for --change-passphrase; give both, or --passphrase-file alone")
		}
		n, err := f.node()
		if err != nil {
			return err
		}
		have, err := reportKeysOf(cmd.Context(), n)
		if err != nil {
			return err
		}
		if len(have) > 0 && !*fresh {
			return reportShowKey(cmd, have[0])
		}
		locked, err := f.make(cmd)
		if err != nil {
			return err
		}
		var k OwnKey
		if err := n.Do(cmd.Context(), http.MethodPost, reportPath("keys"), locked, &k); err != nil {
			return err
		}
		if k.ID != locked.Public.ID() {
			return polder.Errorf(polder.Conflict, "the node answers with another key than it was given; do not use it")
		}
		return reportShowKey(cmd, k)
	}
	return c
}

// make draws a key and locks it.
func (f *reportDeskFlags) make(cmd *cobra.Command) (seal.LockedKey, error) {
	words, err := f.newPassphrase(cmd, f.passphrase, "--passphrase-file")
	if err != nil {
		return seal.LockedKey{}, err
	}
	if err := seal.CheckPassphrase(words); err != nil {
		return seal.LockedKey{}, err
	}
	k, err := seal.GenerateKey(f.random)
	if err != nil {
		return seal.LockedKey{}, err
	}
	return seal.Lock(f.random, k, words)
}

// newPassphrase is one from a file, or one that a person takes or makes and types twice.
func (f *reportDeskFlags) newPassphrase(cmd *cobra.Command, file, flag string) (string, error) {
	if file != "" {
		return reportSecretFrom(cmd, file, "")
	}
	p := reportAsking(cmd)
	if p == nil {
		return "", cli.Usagef("there is nobody to ask; give %s", flag)
	}
	offer, err := seal.NewPassphrase(f.random, f.lang)
	if err != nil {
		return "", err
	}
	p.out.Printf("\n  %s\n\n", offer)
	for {
		words, err := p.secret(reportPhrase(f.lang, "passphrase new"))
		if err != nil {
			return "", err
		}
		if words == "" {
			words = offer
		}
		again, err := p.secret(reportPhrase(f.lang, "passphrase again"))
		if err != nil {
			return "", err
		}
		if seal.Normalise(again) == seal.Normalise(words) {
			return words, nil
		}
	}
}

func reportShowKey(cmd *cobra.Command, k OwnKey) error {
	out := cli.Out(cmd)
	fingerprint := k.Locked.Public.Fingerprint()
	if out.AsJSON() {
		return out.JSON(map[string]any{"id": k.Locked.Public.ID(), "person": k.Person, "fingerprint": fingerprint, "made": k.Made})
	}
	out.Printf("key          %s\nfingerprint  %s\nperson       %s\n", string(k.Locked.Public.ID()), fingerprint, string(k.Person))
	return nil
}

// reportItem is a report in the queue, opened.
type reportItem struct {
	ID         string      `json:"id"`
	Desk       string      `json:"desk"`
	State      ReportState `json:"state"`
	Received   time.Time   `json:"received"`
	SealedBy   string      `json:"sealed_by"`
	Thread     bool        `json:"thread"`
	Files      int         `json:"files"`
	Messages   int         `json:"messages"`
	Report     *Answers    `json:"report"` // null where it is not sealed to one's own keys
	Duplicates []reportDup `json:"duplicates"`
}

// reportDup is another report that may speak of the same thing.
type reportDup struct {
	ID    string   `json:"id"`
	Score float64  `json:"score"`
	Why   []string `json:"why"`
}

func reportInboxCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "inbox --node URL --token T",
		Short: "List the reports that you read, opened on this device",
		Long: "List the reports of the desks that you read for, the oldest first, with the class and severity that were proposed on the\n" +
			"reporter's device and with reports that may speak of the same thing. Everything is opened and compared here.",
		Example: "  polder report inbox --node https://desk.example\n  polder report inbox --state closed --json",
		Args:    cobra.NoArgs,
	}
	f := newReportDeskFlags(c)
	desk := c.Flags().String("desk", "", "only those of one desk, by its `alias`")
	state := c.Flags().String("state", "", "only those in a `state`: new, acknowledged, in-case, closed; without it all that are not closed")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		h, err := f.holder(cmd)
		if err != nil {
			return err
		}
		all, err := h.queue(cmd.Context(), *desk, *state)
		if err != nil {
			return err
		}
		return printInbox(cmd, h.items(all, f.lang))
	}
	return c
}

// mostReports is how many reports of a queue are opened at once.
const mostReports = 2000

// queue are the reports of a queue, as the node has them.
func (h *reportHolder) queue(ctx context.Context, desk, state string) ([]ReportView, error) {
	q := url.Values{"limit": {"200"}}
	for key, value := range map[string]string{"desk": desk, "state": state} {
		if value != "" {
			q.Set(key, value)
		}
	}
	var all []ReportView
	for {
		var page reportInboxPage
		if err := h.node.Do(ctx, http.MethodGet, reportPath("inbox")+"?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Reports...)
		if page.Next == "" || len(all) >= mostReports || page.Next == q.Get("after") {
			return all, nil
		}
		q.Set("after", page.Next)
	}
}

// items opens reports and finds those that may speak of the same thing.
func (h *reportHolder) items(all []ReportView, lang string) []reportItem {
	var items []reportItem
	var texts []triage.Text
	for _, v := range all {
		it := reportItem{ID: v.ID, Desk: v.Desk, State: v.State, Received: v.Received, SealedBy: v.SealedBy, Thread: v.Thread,
			Files: len(v.Files), Messages: len(v.Messages), Report: openAnswers(v.Box, h.keys...), Duplicates: []reportDup{}}
		if it.Report != nil {
			texts = append(texts, triage.Text{ID: v.ID, Words: it.Report.What, At: v.Received})
		}
		items = append(items, it)
	}
	for _, pair := range triage.Duplicates(texts, lang) {
		var why []string
		for _, w := range pair.Why {
			why = append(why, reportWhy(w))
		}
		for i := range items {
			switch items[i].ID {
			case pair.A:
				items[i].Duplicates = append(items[i].Duplicates, reportDup{pair.B, pair.Score, why})
			case pair.B:
				items[i].Duplicates = append(items[i].Duplicates, reportDup{pair.A, pair.Score, why})
			}
		}
	}
	return items
}

func printInbox(cmd *cobra.Command, items []reportItem) error {
	out := cli.Out(cmd)
	var rows [][]string
	for _, it := range items {
		if out.AsJSON() {
			if err := out.JSON(it); err != nil {
				return err
			}
			continue
		}
		row := []string{it.ID, it.Received.Format("2006-01-02 15:04"), string(it.State), "-", "-", "not sealed to your key", ""}
		if a := it.Report; a != nil {
			row[5] = firstLine(a.What)
			if a.Proposed != nil {
				row[3], row[4] = a.Proposed.Class, string(a.Proposed.Severity)
			}
		}
		for _, d := range it.Duplicates {
			row[6] += " " + d.ID
		}
		rows = append(rows, row)
	}
	if out.AsJSON() {
		return nil
	}
	if len(rows) == 0 {
		cli.Err(cmd).Printf("there is no report here\n")
	}
	out.Table([]string{"ID", "RECEIVED", "STATE", "CLASS", "SEVERITY", "WHAT", "ALIKE"}, rows)
	return nil
}

// firstLine is the beginning of a text, for a row of a table.
func firstLine(text string) string {
	words := []rune(strings.Join(strings.Fields(text), " "))
	if len(words) > 60 {
		return string(words[:59]) + "…"
	}
	return string(words)
}

// reportOpened is one report, opened.
type reportOpened struct {
	reportItem
	Talk    []reportHeard `json:"talk"`
	Readers []reportName  `json:"readers"`
	Saved   []string      `json:"saved,omitempty"`
}

func reportReadCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "read ID",
		Short: "Read one report with its messages, opened on this device",
		Long: "Read one report and the conversation about it. --files DIR saves its attachments into a folder, under their own names; one\n" +
			"that is there already is not replaced. Open them with care: they come from somebody whom nobody has checked.",
		Example: "  polder report read --node https://desk.example 4rv6x2lqkz3hs7b5m2cdrw4eyq",
		Args:    cobra.ExactArgs(1),
	}
	f := newReportDeskFlags(c)
	dir := c.Flags().String("files", "", "save the attachments into this `folder`")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		h, err := f.holder(cmd)
		if err != nil {
			return err
		}
		v, err := h.report(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		r := reportOpened{reportItem: h.items([]ReportView{v}, f.lang)[0], Talk: openMessages(v.Messages, h.keys...), Readers: []reportName{}}
		for _, one := range v.Readers {
			r.Readers = append(r.Readers, reportName{one.Name, one.Public.Fingerprint()})
		}
		if *dir != "" {
			if r.Saved, err = h.save(cmd.Context(), v, *dir); err != nil {
				return err
			}
		}
		return r.print(cmd, f.lang)
	}
	return c
}

func (h *reportHolder) report(ctx context.Context, id string) (v ReportView, err error) {
	err = h.node.Do(ctx, http.MethodGet, reportPath("inbox", id), nil, &v)
	return v, err
}

// file is an attachment as the node keeps it.
func (h *reportHolder) file(ctx context.Context, id, file string) (b seal.Box, err error) {
	err = h.node.Do(ctx, http.MethodGet, reportPath("inbox", id, "files", file), nil, &b)
	return b, err
}

// save opens the attachments of a report into a folder. Names in them lead nowhere else, and replace nothing.
func (h *reportHolder) save(ctx context.Context, v ReportView, dir string) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	saved := []string{}
	for _, f := range v.Files {
		b, err := h.file(ctx, v.ID, f.ID)
		if err != nil {
			return saved, err
		}
		name, data, err := openAttachment(b, h.keys...)
		if err != nil {
			return saved, fmt.Errorf("attachment %s: %w", f.ID, err)
		}
		out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			name = f.ID + "-" + name
			out, err = root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
		if err != nil {
			return saved, err
		}
		_, err = out.Write(data)
		if err = errors.Join(err, out.Close()); err != nil {
			return saved, err
		}
		saved = append(saved, filepath.Join(dir, name))
	}
	return saved, nil
}

// openAttachment is what a sealed file holds, with a name that is safe to write.
func openAttachment(b seal.Box, keys ...seal.PrivateKey) (name string, data []byte, err error) {
	err = seal.ErrNotForKey
	var text []byte
	for _, k := range keys {
		if text, err = b.Open(PurposeFile, k); err == nil {
			break
		}
	}
	if err != nil {
		return "", nil, err
	}
	head, data, _ := bytes.Cut(text, []byte("\n"))
	var said struct{ Name string }
	if json.Unmarshal(head, &said) != nil {
		return "", nil, seal.ErrDamaged
	}
	return safeFileName(said.Name), data, nil
}

// safeFileName is a name from outside, made of what no file system and no terminal takes for something else.
func safeFileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(name, "_"))
	name = strings.TrimLeft(name, ".-")
	if len(name) > 100 {
		name = name[len(name)-100:]
	}
	if name == "" {
		return "attachment"
	}
	return name
}

func (r reportOpened) print(cmd *cobra.Command, lang string) error {
	out := cli.Out(cmd)
	if out.AsJSON() {
		return out.JSON(r)
	}
	c := mailCatalogue(lang)
	out.Printf("%s  %s  %s  %s\n\n", r.ID, r.Desk, string(r.State), r.Received.Format("2006-01-02 15:04"))
	if a := r.Report; a != nil {
		for _, row := range [][2]string{{c["q1"], a.What}, {c["q2"], a.Noticed}, {c["q3"], joinRoads(a.Roads)}, {c["q4"], a.Ongoing}, {c["q5"], a.Call}, {c["q6"], a.MayKnow}, {c["name.label"], a.Name}} {
			if row[1] != "" {
				out.Printf("%s\n", row[0])
				printLines(out, row[1])
			}
		}
		for _, k := range append([]string{"danger"}, reportLater...) {
			if a.More[k] != "" {
				out.Printf("%s\n", k)
				printLines(out, a.More[k])
			}
		}
		if p := a.Proposed; p != nil {
			out.Printf("\n%s, %s\n", p.Class, string(p.Severity))
			for _, w := range p.Why {
				out.Printf("  %s\n", w)
			}
		}
	} else {
		out.Printf("not sealed to your key; ask another reader to run polder report confirm with the id of your key\n")
	}
	reportPrintSaid(out, c, r.Talk)
	for _, s := range r.Saved {
		out.Printf("saved %s\n", s)
	}
	return nil
}

func joinRoads(roads []Road) string {
	var words []string
	for _, r := range roads {
		words = append(words, string(r))
	}
	return strings.Join(words, ", ")
}
