package cases

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

// reportThreadTalk is a thread as a reporter reads it, opened on the device.
type reportThreadTalk struct {
	State    ReportState   `json:"state"`
	Received time.Time     `json:"received"`
	Ends     time.Time     `json:"ends"`
	Desk     string        `json:"desk"`
	SealedBy string        `json:"sealed_by"`
	Readers  []reportName  `json:"readers"`
	Report   *Answers      `json:"report"` // null where it was sealed to the readers alone
	Messages []reportHeard `json:"messages"`
	Files    int           `json:"files"`
}

// reportName is a reader as the command names one.
type reportName struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// reportHeard is a message that was opened; Text is null where it does not open with one's own key.
type reportHeard struct {
	From string    `json:"from"`
	At   time.Time `json:"at"`
	Text *string   `json:"text"`
}

// reportShowFlags are what `polder report show` is told.
type reportShowFlags struct {
	receipt, reply, to, lang string
	attach, prints           []string
	strip                    bool
	random                   io.Reader
}

func reportShowCommand() *cobra.Command {
	f := reportShowFlags{random: rand.Reader}
	c := &cobra.Command{
		Use:   "show --node URL --receipt -",
		Short: "Read the answers to an anonymous report, and write back",
		Long: "Open the thread of an anonymous report with its six words. They are asked for at the terminal, or read from standard input\n" +
			"with --receipt -; given as --receipt WORDS they stay in the history of your shell. The words never leave this device: what is\n" +
			"derived from them asks for the thread, and opens it here.",
		Example: "  polder report show --node https://desk.example --receipt -\n  polder report show --node https://desk.example --reply 'It happened again today.'",
		Args:    cobra.NoArgs,
	}
	node := cli.NodeFlag(c)
	fl := c.Flags()
	fl.StringVar(&f.receipt, "receipt", "", "the six `words`, or - to read them from standard input")
	fl.StringVar(&f.reply, "reply", "", "write back this `text`, sealed; - reads it from standard input")
	fl.StringArrayVar(&f.attach, "attach", nil, "send a `file` with the reply, sealed")
	fl.BoolVar(&f.strip, "strip", false, "take out of attachments what they say about you")
	fl.StringVar(&f.to, "to", "", "the `alias` of the desk, where the node lists none")
	fl.StringVar(&f.lang, "lang", "en", "the `language` of words: en or nl")
	fl.StringArrayVar(&f.prints, "fingerprint", nil, "a reader's `fingerprint` from the poster; a reply is sealed to no other")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		return f.run(cmd, n)
	}
	return c
}

func (f *reportShowFlags) run(cmd *cobra.Command, n *cli.Node) error {
	if _, ok := reportPhrases[f.lang]; !ok {
		return cli.Usagef("--lang %q is not known; use en or nl", f.lang)
	}
	if f.receipt == "-" && f.reply == "-" {
		return cli.Usagef("--receipt and --reply both read standard input; give one of them otherwise")
	}
	if len(f.attach) > 0 && f.reply == "" {
		return cli.Usagef("--attach goes with a message; give --reply too")
	}
	receipt, err := f.words(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	salt, err := reportSalt(ctx, n, f.to)
	if err != nil {
		return err
	}
	access, err := receipt.Access(salt)
	if err != nil {
		return err
	}
	proof := base64.StdEncoding.EncodeToString(access.Proof[:])
	var v ReportThreadView
	if err := n.Do(ctx, http.MethodPost, reportPath("thread"), ReportProof{proof}, &v); err != nil {
		return err
	}
	if f.reply != "" {
		if v, err = f.answer(cmd, n, proof, v); err != nil {
			return err
		}
	}
	return f.print(cmd, openTalk(v, access.Key), v)
}

// words are those of the receipt, from where the flags say.
func (f *reportShowFlags) words(cmd *cobra.Command) (seal.Receipt, error) {
	words := f.receipt
	if words == "" || words == "-" {
		var err error
		if words == "" && reportAsking(cmd) == nil {
			return "", cli.Usagef("no receipt is given; give --receipt - and the six words on standard input")
		}
		if p := reportAsking(cmd); p != nil {
			words, err = p.secret(reportPhrase(f.lang, "receipt"))
		} else {
			words, err = reportSecretFrom(cmd, "-", "")
		}
		if err != nil {
			return "", err
		}
	}
	r := seal.Receipt(words)
	return r, r.Check()
}

// reportSalt is the node's salt of receipts, which every desk shows.
func reportSalt(ctx context.Context, n *cli.Node, to string) ([]byte, error) {
	d := reportDesks{node: n}
	if to != "" {
		v, err := d.named(ctx, to)
		return v.Salt, err
	}
	all, err := d.all(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, cli.Usagef("no desk of %s is listed; give --to with the alias of the desk that you reported to", n.URL)
	}
	return all[0].Salt, nil
}

// answer seals a message of the reporter and adds it to the thread.
func (f *reportShowFlags) answer(cmd *cobra.Command, n *cli.Node, proof string, v ReportThreadView) (ReportThreadView, error) {
	text, err := reportMessage(cmd, f.reply)
	if err != nil {
		return v, err
	}
	files, err := reportAttach(cmd, f.attach, f.strip)
	if err != nil {
		return v, err
	}
	if err := reportTrustDesk(v.Desk); err != nil {
		return v, err
	}
	random := f.random
	said := ReportSaid{Proof: proof, Once: reportOnce(random)}
	for range reportTries {
		readers, err := reportReaders(v.Desk, v.Also)
		if err == nil {
			err = reportCompare(readers, f.prints)
		}
		if err != nil {
			return v, err
		}
		_, keys := readerKeys(readers)
		to := keys
		if v.Box != nil { // who cannot read the report again had a reason
			to = append(append([]seal.PublicKey{}, keys...), v.Public)
		}
		if said.Box, err = seal.Seal(random, PurposeMessage, []byte(text), reportLeast(v.Desk), to...); err != nil {
			return v, err
		}
		if said.Files, err = reportSealFiles(random, files, v.Desk, keys); err != nil {
			return v, err
		}
		var out ReportThreadView
		changed, err := reportPut(cmd.Context(), n, reportPath("thread", "message"), said, func(s *ReportSaid, pad string) { s.Pad = pad }, &out)
		if err != nil {
			return v, err
		}
		if changed == nil {
			return out, nil
		}
		if v.Desk, err = reportNext(v.Desk, *changed); err != nil {
			return v, err
		}
	}
	return v, polder.Errorf(polder.Unavailable, "the readers of this desk change just now, so nothing was sent; try again in a minute")
}

// reportMessage is the text of a message: as given, or from standard input.
func reportMessage(cmd *cobra.Command, text string) (string, error) {
	if text == "-" {
		f, err := cli.Open(cmd, "-")
		if err != nil {
			return "", err
		}
		all, err := io.ReadAll(io.LimitReader(f, maxPlainMessage+1))
		if err != nil {
			return "", err
		}
		text = string(all)
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	switch {
	case text == "":
		return "", cli.Usagef("the message is empty; write something")
	case len(text) > maxPlainMessage:
		return "", polder.Errorf(polder.TooLarge, "the message is longer than %d bytes; send it in parts", maxPlainMessage)
	}
	return text, nil
}

// openTalk opens what a thread holds for its reporter.
func openTalk(v ReportThreadView, k seal.PrivateKey) reportThreadTalk {
	t := reportThreadTalk{State: v.State, Received: v.Received, Ends: v.Ends, Desk: v.Desk.Name, SealedBy: v.SealedBy, Readers: []reportName{}, Messages: []reportHeard{}, Files: len(v.Files)}
	readers := v.Desk.Readers
	if v.Also != "" && v.Desk.Team != nil {
		readers = append(append([]Reader{}, readers...), v.Desk.Team.Readers...)
	}
	for _, r := range readers {
		t.Readers = append(t.Readers, reportName{r.Name, r.Public.Fingerprint()})
	}
	if v.Box != nil {
		t.Report = openAnswers(*v.Box, k)
	}
	t.Messages = openMessages(v.Messages, k)
	return t
}

// openAnswers are the answers in a box, nil where no key opens it or it holds something else.
func openAnswers(b seal.Box, keys ...seal.PrivateKey) *Answers {
	for _, k := range keys {
		text, err := b.Open(PurposeReport, k)
		var a Answers
		if err == nil && json.Unmarshal(text, &a) == nil {
			return &a
		}
	}
	return nil
}

func openMessages(messages []Message, keys ...seal.PrivateKey) []reportHeard {
	out := []reportHeard{}
	for _, m := range messages {
		said := reportHeard{From: m.From, At: m.At}
		for _, k := range keys {
			if text, err := m.Box.Open(PurposeMessage, k); err == nil {
				words := strings.ToValidUTF8(string(text), "\uFFFD")
				said.Text = &words
				break
			}
		}
		out = append(out, said)
	}
	return out
}

func (f *reportShowFlags) print(cmd *cobra.Command, t reportThreadTalk, v ReportThreadView) error {
	out := cli.Out(cmd)
	if out.AsJSON() {
		return out.JSON(t)
	}
	c := mailCatalogue(f.lang)
	out.Printf("%s\n\n", c["thread.state."+string(t.State)])
	if t.Report != nil {
		out.Printf("%s, %s\n", c["thread.from.reporter"], t.Received.Format("2006-01-02"))
		printLines(out, t.Report.What)
	} else {
		out.Printf("%s\n", c["thread.own"])
	}
	reportPrintSaid(out, c, t.Messages)
	if len(t.Messages) == 0 {
		out.Printf("\n%s\n", c["thread.none"])
	}
	out.Printf("\n%s\n", strings.ReplaceAll(c["thread.ends"], "{date}", t.Ends.Format("2006-01-02")))
	out.Printf("\n%s:\n", c["thread.readers"])
	for _, r := range t.Readers {
		out.Printf("  %s\n      %s: %s\n", r.Name, c["before.fingerprint"], r.Fingerprint)
	}
	if err := reportTrustDesk(v.Desk); err != nil {
		cli.Err(cmd).Printf("%s\n", err)
	}
	return nil
}

// reportPrintSaid prints messages, a paragraph each.
func reportPrintSaid(out *cli.Printer, c map[string]string, messages []reportHeard) {
	for _, m := range messages {
		out.Printf("\n%s, %s\n", c["thread.from."+m.From], m.At.Format("2006-01-02"))
		switch {
		case m.Text != nil:
			printLines(out, *m.Text)
		case m.From == "desk":
			out.Printf("  %s\n", c["thread.unopened"])
		default:
			out.Printf("  %s\n", c["thread.own"])
		}
	}
}

// printLines prints a text of several lines, set in.
func printLines(out *cli.Printer, text string) {
	for l := range strings.SplitSeq(text, "\n") {
		out.Printf("  %s\n", strings.TrimRight(l, "\r"))
	}
}
