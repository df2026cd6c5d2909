package cases

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases/triage"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/seal"
)

// reportFlags are what `polder report` is told.
type reportFlags struct {
	to, file, lang   string
	attach, prints   []string
	strip, anonymous bool
	random           io.Reader
}

func reportCommand(func() time.Time) *cobra.Command {
	f := reportFlags{random: rand.Reader}
	c := &cobra.Command{
		Use:   "report --node URL",
		Short: "Report an incident, an approach or a suspicion",
		Long: "Report something to a desk of a node, without an account. It asks six questions at a terminal, or reads the answers from a\n" +
			"file: JSON, or the text that `polder report template` prints. The report is sealed on this device: only the readers that are\n" +
			"named before it is sent can open it, and the node cannot.\n\n" +
			"An anonymous report gives six words. They are shown once and kept nowhere; `polder report show` reads the answer with them.\n" +
			"Where standard output is no terminal, the result is {\"receipt\"} or {\"id\"}.\n\n" +
			"The list of the desk's keys is verified first, and a reader whose key does not stand in it is refused. Who has the poster of\n" +
			"the desk gives the fingerprints on it with --fingerprint, one for each reader: others are refused then.",
		Example: "  polder report --node https://desk.example\n" +
			"  polder report --node https://desk.example --to acme --file answers.json --attach picture.jpg --strip --anonymous\n" +
			"  polder report template --lang nl > mail.txt",
		Args: cobra.NoArgs,
	}
	node := cli.NodeFlag(c)
	fl := c.Flags()
	fl.StringVar(&f.to, "to", "", "the `alias` of the desk; not needed where there is one")
	fl.StringVar(&f.file, "file", "", "read the answers from a `file`: JSON, or the filled-in text of polder report template; - is standard input")
	fl.StringArrayVar(&f.attach, "attach", nil, "send a `file` along, sealed; at most 5 of 10 MiB")
	fl.BoolVar(&f.strip, "strip", false, "take out of attachments what they say about you: author, place, device, earlier versions")
	fl.BoolVar(&f.anonymous, "anonymous", false, "name nobody, and get six words to come back with")
	fl.StringVar(&f.lang, "lang", "en", "the `language` of questions and words: en or nl")
	fl.StringArrayVar(&f.prints, "fingerprint", nil, "a reader's `fingerprint` from the poster of the desk; once for each reader")
	cli.JSONFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := node()
		if err != nil {
			return err
		}
		return f.run(cmd, n)
	}
	c.AddCommand(reportTemplateCommand(), reportShowCommand(), reportKeyCommand(), reportInboxCommand(), reportReadCommand(),
		reportReplyCommand(), reportConfirmCommand(), reportDeskCommand())
	return c
}

// reportSent is what a script reads: the receipt of an anonymous report, or the id of another one.
type reportSent struct {
	Receipt string `json:"receipt,omitempty"`
	ID      string `json:"id,omitempty"`
}

func (f *reportFlags) run(cmd *cobra.Command, n *cli.Node) error {
	if _, ok := reportPhrases[f.lang]; !ok {
		return cli.Usagef("--lang %q is not known; use en or nl", f.lang)
	}
	ctx := cmd.Context()
	person := reportAsking(cmd)
	if f.file == "" && person == nil {
		return cli.Usagef("there is nobody to ask; give --file answers.json, or `polder report template` filled in")
	}
	d := reportDesks{node: n}
	desk, err := d.choose(ctx, f.to, person, f.lang)
	if err != nil {
		return err
	}
	if err := reportTrustDesk(desk); err != nil {
		return err
	}
	var a Answers
	if f.file != "" {
		a, err = f.read(cmd)
	} else {
		a, err = f.ask(person, desk)
	}
	if err != nil {
		return err
	}
	files, err := reportAttach(cmd, f.attach, f.strip)
	if err != nil {
		return err
	}
	if person != nil && f.file == "" {
		if sure, err := f.confirm(person, desk, a); err != nil || !sure {
			return firstError(err, polder.Errorf(polder.Invalid, "%s", reportPhrase(f.lang, "kept back")))
		}
	}
	sent, err := f.send(ctx, n, desk, a, files)
	if err != nil {
		return err
	}
	return f.tell(cmd, sent, desk)
}

// read are the answers of a file.
func (f *reportFlags) read(cmd *cobra.Command) (Answers, error) {
	a, err := readReportFile(cmd, f.file)
	if err != nil {
		return Answers{}, err
	}
	if a.Language == "" {
		a.Language = f.lang
	}
	if f.anonymous && a.Name != "" {
		return Answers{}, cli.At(f.file, 0, cli.Usagef("name: is given, and --anonymous asks for none; take one of them away"))
	}
	return a, nil
}

// send seals a report and posts it. Where the readers changed meanwhile it verifies them again, and sends it once more.
func (f *reportFlags) send(ctx context.Context, n *cli.Node, desk DeskView, a Answers, files [][]byte) (reportSent, error) {
	pressed := desk.Kind == DeskPressed
	if !pressed && a.Proposed == nil {
		a.Proposed = reportPropose(a)
	}
	if err := a.Check(); err != nil {
		return reportSent{}, err
	}
	var receipt seal.Receipt
	post := ReportPost{To: desk.Alias, Once: reportOnce(f.random)}
	var own []seal.PublicKey
	if f.anonymous {
		var err error
		if receipt, err = seal.NewReceipt(f.random, a.Language); err != nil {
			return reportSent{}, err
		}
		access, err := receipt.Access(desk.Salt)
		if err != nil {
			return reportSent{}, err
		}
		post.Thread = &ReportThread{Proof: base64.StdEncoding.EncodeToString(access.Proof[:]), Public: access.Key.Public()}
		a.Reply = post.Thread.Public.String()
		if !pressed { // who is pressed may be made to give the words away
			own = append(own, access.Key.Public())
		}
	}
	if a.MayKnow == "team" && !pressed {
		post.Also = "team"
	}
	for range reportTries {
		readers, err := reportReaders(desk, post.Also)
		if err != nil {
			return reportSent{}, err
		}
		if err := reportCompare(readers, f.prints); err != nil {
			return reportSent{}, err
		}
		if err := f.seal(&post, desk, a, files, readers, own); err != nil {
			return reportSent{}, err
		}
		var out ReportPosted
		changed, err := reportPut(ctx, n, "/api/v1/reports", post, func(p *ReportPost, pad string) { p.Pad = pad }, &out)
		if err != nil {
			return reportSent{}, err
		}
		if changed == nil {
			return reportSent{Receipt: receipt.Words(), ID: out.ID}, nil
		}
		if desk, err = reportNext(desk, *changed); err != nil {
			return reportSent{}, err
		}
	}
	return reportSent{}, polder.Errorf(polder.Unavailable, "the readers of this desk change just now, so nothing was sent; try again in a minute")
}

// seal fills post with the answers and files, sealed to readers; the answers to own keys too.
func (f *reportFlags) seal(post *ReportPost, desk DeskView, a Answers, files [][]byte, readers []Reader, own []seal.PublicKey) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, keys := readerKeys(readers)
	box, err := seal.Seal(f.random, PurposeReport, text, reportLeast(desk), append(slices.Clone(keys), own...)...)
	if err != nil {
		return err
	}
	post.Box = &box
	post.Files, err = reportSealFiles(f.random, files, desk, keys)
	return err
}

func reportSealFiles(random io.Reader, files [][]byte, desk DeskView, keys []seal.PublicKey) ([]seal.Box, error) {
	var out []seal.Box
	for _, text := range files {
		b, err := seal.Seal(random, PurposeFile, text, reportLeast(desk), keys...)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// reportLeast is the smallest size that texts to a desk are padded to; a node cannot make it smaller.
func reportLeast(desk DeskView) int { return max(SealLeast, min(desk.Limits.Least, maxReportText)) }

// reportPropose is what the answers suggest, made here, since the node cannot read them.
func reportPropose(a Answers) *Proposal {
	t := triage.Answers{What: a.What, Ongoing: a.Ongoing, Kind: string(a.Kind), Language: a.Language}
	for _, r := range a.Roads {
		t.Roads = append(t.Roads, string(r))
	}
	p := triage.Propose(t)
	out := &Proposal{Class: p.Class, Severity: Severity(p.Severity), Why: []string{}}
	for _, w := range p.Why {
		out.Why = append(out.Why, reportWhy(w))
	}
	return out
}

// reportWhy is a reason as one text: the words, and what they speak for.
func reportWhy(r triage.Reason) string {
	if r.Words == "" {
		return r.Says
	}
	return r.Words + ": " + r.Says
}

// reportOnce is a word that tells one post from another, drawn here.
func reportOnce(random io.Reader) string {
	b := make([]byte, 20)
	if _, err := io.ReadFull(random, b); err != nil {
		return "" // the post is then not recognised a second time
	}
	return hex.EncodeToString(b)
}

// tell prints what came of a report: for a person with what to do now, for a script as JSON.
func (f *reportFlags) tell(cmd *cobra.Command, sent reportSent, desk DeskView) error {
	out := cli.Out(cmd)
	if out.AsJSON() || !cli.OnTerminal(cmd) {
		return out.JSON(sent)
	}
	c := mailCatalogue(f.lang)
	out.Printf("%s\n%s\n\n", c["sent.title"], c["sent.lede"])
	if sent.Receipt != "" {
		out.Printf("  %s\n\n", sent.Receipt)
		reportParagraph(out, c["sent.receipt.help"]+" "+c["sent.write"])
		reportParagraph(out, reportPhrase(f.lang, "come back"))
		return nil
	}
	reportParagraph(out, strings.ReplaceAll(c["sent.named"], "{id}", sent.ID)+" "+c["sent.named.text"])
	return nil
}

// reportStep is what the length of a post is a multiple of, so that it tells little.
const reportStep = 16 << 10

// reportPut posts v, made as long as the next step, and reads the answer into out. Where the node says that the readers
// are others now, it is the desk as it is now that comes back.
func reportPut[T any](ctx context.Context, n *cli.Node, path string, v T, pad func(*T, string), out any) (*DeskView, error) {
	pad(&v, "0")
	bare, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if rest := len(bare) % reportStep; rest > 0 {
		pad(&v, strings.Repeat("0", 1+reportStep-rest))
		if bare, err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}
	res, err := n.SendFor(ctx, http.MethodPost, path, header, bare, http.StatusConflict)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	in := json.NewDecoder(io.LimitReader(res.Body, maxReportBody))
	if res.StatusCode == http.StatusConflict {
		var c ReportConflict
		if err := in.Decode(&c); err != nil || c.Desk.Alias == "" {
			return nil, polder.Errorf(polder.Conflict, "%s", firstText(c.Detail, "the node refused this as contradicting what it has"))
		}
		return &c.Desk, nil
	}
	if err := in.Decode(out); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", n.URL, err)
	}
	return nil, nil
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func reportTemplateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "template",
		Short: "Print the questions as a text to fill in",
		Long: "Print the six questions as a text: fill it in with any editor and send it with `polder report --file`, or by e-mail where the\n" +
			"desk takes that. An e-mail is not sealed.",
		Example: "  polder report template > report.txt\n  polder report template --lang nl",
		Args:    cobra.NoArgs,
	}
	lang := c.Flags().String("lang", "en", "the `language`: en or nl")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, ok := reportPhrases[*lang]; !ok {
			return cli.Usagef("--lang %q is not known; use en or nl", *lang)
		}
		_, err := io.WriteString(cmd.OutOrStdout(), mailTemplate(*lang))
		return err
	}
	return c
}

// reportPath is the address of something of reports, whatever is in its name.
func reportPath(parts ...string) string {
	out := "/api/v1/reports"
	for _, p := range parts {
		out += "/" + url.PathEscape(p)
	}
	return out
}
