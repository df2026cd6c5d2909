package cases

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

func reportReplyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reply ID --text TEXT",
		Short: "Answer who reported, sealed on this device",
		Long: "Answer the reporter of a report that has a thread. The answer is sealed to the reporter and to all who read for the desk now,\n" +
			"once their keys were found in the desk's list, and the reporter's in the sealed report, which your key opens for that. It tells\n" +
			"the reporter that the report was read.",
		Example: "  polder report reply --node https://desk.example 4rv6x2lqkz3hs7b5m2cdrw4eyq --text 'Thank you. Do you still have the badge?'",
		Args:    cobra.ExactArgs(1),
	}
	f := newReportDeskFlags(c)
	text := c.Flags().String("text", "", "what to say; - reads the `text` from standard input")
	_ = c.MarkFlagRequired("text")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		words, err := reportMessage(cmd, *text)
		if err != nil {
			return err
		}
		h, err := f.holder(cmd)
		if err != nil {
			return err
		}
		v, err := h.answer(cmd.Context(), args[0], words)
		if err != nil {
			return err
		}
		out := cli.Out(cmd)
		if out.AsJSON() {
			return out.JSON(map[string]any{"id": v.ID, "state": v.State, "messages": len(v.Messages)})
		}
		out.Printf("%s is answered\n", v.ID)
		return nil
	}
	return c
}

// answer seals a message to the reporter and all readers, whose keys it verifies first.
func (h *reportHolder) answer(ctx context.Context, id, text string) (ReportView, error) {
	v, err := h.report(ctx, id)
	if err != nil {
		return v, err
	}
	if v.Reporter == nil {
		return v, polder.Errorf(polder.Conflict, "nobody can read an answer to this report, since its reporter kept no receipt; the answers may say how to call")
	}
	if err := h.trust(ctx, v); err != nil {
		return v, err
	}
	if err := h.trustReporter(v); err != nil {
		return v, err
	}
	_, keys := readerKeys(v.Readers)
	box, err := seal.Seal(h.random, PurposeMessage, []byte(text), SealLeast, append(keys, *v.Reporter)...)
	if err != nil {
		return v, err
	}
	err = h.node.Do(ctx, http.MethodPost, reportPath("inbox", id, "messages"), ReportAnswer{Box: box, Once: reportOnce(h.random)}, &v)
	return v, err
}

// trustReporter holds the key that the node shows as the reporter's to the one that the sealed report names.
func (h *reportHolder) trustReporter(v ReportView) error {
	a := openAnswers(v.Box, h.keys...)
	switch {
	case a == nil:
		return polder.Errorf(polder.Conflict, "your keys do not open this report, so nobody can say whose key is shown as the reporter's, and nothing was sealed; ask another reader")
	case a.Reply != v.Reporter.String():
		return polder.Errorf(polder.Conflict, "the key that is shown as the reporter's is not the one that the report itself names, so nothing was sealed; the node may have put in a key of its own")
	}
	return nil
}

// trust holds the readers of a report to the lists of keys of its desk and team.
func (h *reportHolder) trust(ctx context.Context, v ReportView) error {
	desk, ok := h.logs[v.Desk]
	if !ok {
		var err error
		if desk, err = (reportDesks{node: h.node}).named(ctx, v.Desk); err != nil {
			return err
		}
		if err := reportTrustDesk(desk); err != nil {
			return err
		}
		h.logs[v.Desk] = desk
	}
	also := v.Also
	if desk.Team == nil {
		also = ""
	}
	listed, err := reportReaders(desk, also)
	if err != nil {
		return err
	}
	for _, r := range v.Readers {
		if !slices.ContainsFunc(listed, func(l Reader) bool { return l.Public == r.Public }) {
			return polder.Errorf(polder.Conflict, "%s is shown as a reader of this report, and the key (%s) does not stand in the list of its desk, so nothing was sealed", r.Name, r.Public.Fingerprint())
		}
	}
	return nil
}

func reportConfirmCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "confirm KEY",
		Short: "Let somebody who waits read too, and give that key what came before",
		Long: "Confirm, as a reader of a desk, the key of one who waits to read. Compare the fingerprint with that person first: who confirms\n" +
			"answers for it that the key is theirs. Then everything that the desk holds is wrapped for the new key on this device. Run it\n" +
			"again at any time: it goes on where it was cut off.",
		Example: "  polder report confirm --node https://desk.example 0b5c6f2a77d84e10934be0f2a1c3d5e7",
		Args:    cobra.ExactArgs(1),
	}
	f := newReportDeskFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := seal.ParseKeyID(args[0])
		if err != nil {
			return cli.Usagef("%q: %w", args[0], err)
		}
		h, err := f.holder(cmd)
		if err != nil {
			return err
		}
		desk, reader, err := h.waiting(cmd.Context(), id)
		if err != nil {
			return err
		}
		if reader.State == DeskReaderWaiting {
			if sure, err := f.sure(cmd, desk, reader); err != nil || !sure {
				return firstError(err, polder.Errorf(polder.Invalid, "nothing was confirmed"))
			}
			path := "/api/v1/desks/" + url.PathEscape(desk.Alias) + "/readers/" + url.PathEscape(string(id)) + "/confirm"
			if err := h.node.Do(cmd.Context(), http.MethodPost, path, nil, &desk); err != nil {
				return err
			}
		}
		n, err := h.rewrap(cmd, desk.Alias, id)
		if err != nil {
			return err
		}
		out := cli.Out(cmd)
		if out.AsJSON() {
			return out.JSON(map[string]any{"desk": desk.Alias, "key": id, "name": reader.Name, "fingerprint": reader.Public.Fingerprint(), "reports": n})
		}
		out.Printf("%s reads for %s, and %d earlier reports\n", reader.Name, desk.Name, n)
		return nil
	}
	return c
}

// waiting finds the key that is to be confirmed, among those of the desks of one's organisation.
func (h *reportHolder) waiting(ctx context.Context, id seal.KeyID) (DeskDetail, DeskReader, error) {
	var list reportOwnDesks
	if err := h.node.Do(ctx, http.MethodGet, "/api/v1/desks", nil, &list); err != nil {
		return DeskDetail{}, DeskReader{}, err
	}
	for _, d := range list.Desks {
		for _, r := range d.Readers {
			if r.Key != id || r.State == DeskReaderGone || !d.Reads {
				continue
			}
			if err := seal.VerifyLog(d.Log); err != nil {
				return d, r, polder.Errorf(polder.Conflict, "%s: its list of keys does not hold together (%w), so nothing was confirmed", d.Name, err)
			}
			known := append(seal.InForce(d.Log), seal.Waiting(d.Log)...)
			if r.Public.ID() != id || !slices.Contains(known, id) {
				return d, r, polder.Errorf(polder.Conflict, "%s: the key does not stand in its list of keys, so nothing was confirmed", d.Name)
			}
			return d, r, nil
		}
	}
	return DeskDetail{}, DeskReader{}, polder.Errorf(polder.NotFound, "no key %s waits at a desk that you read for; ask for its id once more", id)
}

// sure asks a person at a terminal whether the fingerprint was compared. Whoever runs a script has named the key, which is
// as good.
func (f *reportDeskFlags) sure(cmd *cobra.Command, desk DeskDetail, r DeskReader) (bool, error) {
	p := reportAsking(cmd)
	if p == nil || f.passphrase != "" {
		return true, nil
	}
	p.out.Printf("%s · %s\n  %s: %s\n", desk.Name, r.Name, mailCatalogue(f.lang)["before.fingerprint"], r.Public.Fingerprint())
	return p.yes(reportPhrase(f.lang, "confirm"))
}

// rewrap wraps for a key everything of a desk that is not sealed to it yet, and counts the reports.
func (h *reportHolder) rewrap(cmd *cobra.Command, alias string, id seal.KeyID) (int, error) {
	ctx := cmd.Context()
	var todo []ReportView
	for _, state := range []string{"", string(ReportClosed)} {
		all, err := h.queue(ctx, alias, state)
		if err != nil {
			return 0, err
		}
		todo = append(todo, slices.DeleteFunc(all, func(v ReportView) bool {
			return !slices.ContainsFunc(v.Missing, func(r Reader) bool { return r.Key == id })
		})...)
	}
	bar := cli.NewProgress(cmd, "wrapping reports", int64(len(todo)))
	defer bar.Done()
	for i, v := range todo {
		if err := h.rewrapOne(ctx, v.ID, id); err != nil {
			return i, err
		}
		bar.Set(int64(i + 1))
	}
	return len(todo), nil
}

func (h *reportHolder) rewrapOne(ctx context.Context, report string, id seal.KeyID) error {
	v, err := h.report(ctx, report)
	if err != nil {
		return err
	}
	if err := h.trust(ctx, v); err != nil {
		return err
	}
	i := slices.IndexFunc(v.Readers, func(r Reader) bool { return r.Key == id })
	if i < 0 {
		return nil // removed meanwhile
	}
	to := v.Readers[i].Public
	w := ReportWraps{Messages: map[string][]seal.Wrap{}, Files: map[string][]seal.Wrap{}}
	if w.Report, err = h.wraps(v.Box, PurposeReport, to); err != nil {
		return err
	}
	for _, m := range v.Messages {
		if w.Messages[m.ID], err = h.wraps(m.Box, PurposeMessage, to); err != nil {
			return err
		}
	}
	for _, f := range v.Files {
		b, err := h.file(ctx, report, f.ID)
		if err != nil {
			return err
		}
		if w.Files[f.ID], err = h.wraps(b, PurposeFile, to); err != nil {
			return err
		}
	}
	return h.node.Do(ctx, http.MethodPost, reportPath("inbox", report, "wraps"), w, nil)
}

// wraps are those of a box for a further key; none where one's own keys do not open it.
func (h *reportHolder) wraps(b seal.Box, purpose string, to seal.PublicKey) ([]seal.Wrap, error) {
	for _, k := range h.keys {
		if w, err := b.For(h.random, purpose, k, to); err == nil {
			return w, nil
		}
	}
	return nil, nil
}
