package cases

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
)

// reportPerson is somebody at a terminal who is asked. Questions go to standard error, so that the result stays alone on
// standard output.
type reportPerson struct {
	in   *bufio.Reader
	out  *cli.Printer
	lang string
	hide func() ([]byte, error) // reads a line that is not shown; nil: as any other
}

// reportAsking is the person at the terminal of a command, nil where there is none.
func reportAsking(cmd *cobra.Command) *reportPerson {
	f, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &reportPerson{in: bufio.NewReader(f), out: cli.Err(cmd), lang: "en", hide: func() ([]byte, error) { return term.ReadPassword(int(f.Fd())) }}
}

var errReportLeft = errors.New("the questions were left; nothing was sent")

// line asks for one line.
func (p *reportPerson) line(prompt string) (string, error) {
	p.out.Printf("%s", prompt)
	p.out.Printf(" ")
	var b strings.Builder
	for {
		part, err := p.in.ReadSlice('\n')
		if b.Len() < maxAnswerText {
			b.Write(part)
		}
		if err == nil || errors.Is(err, io.EOF) && b.Len() > 0 {
			return strings.TrimSpace(strings.ToValidUTF8(b.String(), "")), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", errReportLeft
		}
	}
}

// text asks for lines until an empty one.
func (p *reportPerson) text(prompt string) (string, error) {
	p.out.Printf("%s\n", prompt)
	var lines []string
	for {
		l, err := p.line(">")
		if err != nil {
			return "", err
		}
		if l == "" {
			return strings.Join(lines, "\n"), nil
		}
		lines = append(lines, l)
	}
}

// choose asks for one of options, by number.
func (p *reportPerson) choose(prompt string, options []string) (int, error) {
	all, err := p.several(prompt, options, false)
	if err != nil {
		return 0, err
	}
	return all[0], nil
}

// several asks for numbers of options: one, or with many any of them, and none where the line stays empty.
func (p *reportPerson) several(prompt string, options []string, many bool) ([]int, error) {
	p.out.Printf("%s\n", prompt)
	for i, o := range options {
		p.out.Printf("  %d  %s\n", i+1, o)
	}
	for {
		l, err := p.line(reportPhrase(p.lang, map[bool]string{false: "number", true: "numbers"}[many]))
		if err != nil {
			return nil, err
		}
		var all []int
		wrong := false
		for _, word := range strings.FieldsFunc(l, func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
			n, err := strconv.Atoi(word)
			wrong = wrong || err != nil || n < 1 || n > len(options)
			if !wrong && !slices.Contains(all, n-1) {
				all = append(all, n-1)
			}
		}
		if !wrong && (many || len(all) == 1) {
			return all, nil
		}
		p.out.Printf("%s\n", reportPhrase(p.lang, "try again"))
	}
}

// yes asks for a yes; anything else is no.
func (p *reportPerson) yes(prompt string) (bool, error) {
	l, err := p.line(prompt)
	return slices.Contains([]string{"y", "yes", "j", "ja"}, strings.ToLower(l)), err
}

// secret asks for a line that is not shown.
func (p *reportPerson) secret(prompt string) (string, error) {
	if p.hide == nil {
		return p.line(prompt)
	}
	p.out.Printf("%s", prompt)
	p.out.Printf(" ")
	text, err := p.hide()
	p.out.Printf("\n")
	if err != nil {
		return "", errReportLeft
	}
	return string(text), nil
}

// reportParagraph prints text in lines that fit a terminal.
func reportParagraph(out *cli.Printer, text string) {
	width := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case width == 0:
		case width+1+n > 78:
			out.Printf("\n")
			width = 0
		default:
			out.Printf(" ")
			width++
		}
		out.Printf("%s", word)
		width += n
	}
	out.Printf("\n")
}

// reportWho prints who can read, with fingerprints.
func reportWho(out *cli.Printer, lang string, readers []Reader) {
	c := mailCatalogue(lang)
	head := c["before.readers.one"]
	if len(readers) != 1 {
		head = strings.ReplaceAll(c["before.readers.other"], "{n}", strconv.Itoa(len(readers)))
	}
	out.Printf("%s\n", head)
	for _, r := range readers {
		out.Printf("  %s\n      %s: %s\n", r.Name, c["before.fingerprint"], r.Public.Fingerprint())
	}
}

// ask asks what a report must say: three questions of somebody who is pressed, six of others.
func (f *reportFlags) ask(p *reportPerson, desk DeskView) (Answers, error) {
	p.lang = f.lang
	c := mailCatalogue(f.lang)
	p.out.Printf("%s · %s\n\n", desk.Name, desk.Organisation)
	reportParagraph(p.out, c["before.device"])
	reportWho(p.out, f.lang, desk.Readers)
	if desk.Phone != "" {
		p.out.Printf("%s %s\n", c["before.danger"], desk.Phone)
	}
	p.out.Printf("\n")
	if desk.Kind == DeskPressed {
		return f.askPressed(p, c)
	}
	a := Answers{Language: f.lang, MayKnow: "desk", Roads: []Road{}}
	for i, q := range mailQuestions(f.lang) {
		if err := f.askOne(p, &a, strconv.Itoa(i+1)+". ", q, desk); err != nil {
			return Answers{}, err
		}
	}
	if f.anonymous {
		return a, nil
	}
	name, err := p.line(reportPhrase(f.lang, "name"))
	a.Name = name
	f.anonymous = name == ""
	return a, err
}

// askOne asks one of the six questions.
func (f *reportFlags) askOne(p *reportPerson, a *Answers, number string, q mailQuestion, desk DeskView) (err error) {
	prompt := number + q.Text
	if q.Help != "" && q.Field != "call" {
		prompt += " (" + q.Help + ")"
	}
	if q.Field == "may_know" && desk.Team == nil {
		q.Options = slices.DeleteFunc(slices.Clone(q.Options), func(o mailOption) bool { return o.Value == "team" })
	}
	var options []string
	for _, o := range q.Options {
		options = append(options, o.Text)
	}
	var one int
	switch q.Field {
	case "what":
		for a.What == "" && err == nil {
			a.What, err = p.text(prompt + "\n" + reportPhrase(f.lang, "lines"))
		}
	case "noticed":
		a.Noticed, err = p.line(prompt)
	case "roads":
		var all []int
		all, err = p.several(prompt, options, true)
		for _, i := range all {
			a.Roads = append(a.Roads, Road(q.Options[i].Value))
		}
	case "ongoing":
		if one, err = p.choose(prompt, options); err == nil {
			a.Ongoing = q.Options[one].Value
		}
	case "call":
		a.Call, err = p.line(prompt)
	case "may_know":
		if one, err = p.choose(prompt, options); err == nil {
			a.MayKnow = q.Options[one].Value
		}
	}
	p.out.Printf("\n")
	return err
}

// askPressed asks the three questions of somebody who is pressed. No name is asked for.
func (f *reportFlags) askPressed(p *reportPerson, c map[string]string) (a Answers, err error) {
	f.anonymous = true
	a = Answers{Language: f.lang, MayKnow: "desk"}
	for a.What == "" && err == nil {
		a.What, err = p.text("1. " + c["pressed.q1"] + " (" + c["pressed.q1.help"] + ")\n" + reportPhrase(f.lang, "lines"))
	}
	if err != nil {
		return a, err
	}
	values := []string{"yes", "no", "unknown", "self"}
	var options []string
	for _, v := range values {
		options = append(options, c["pressed.q2."+v])
	}
	i, err := p.choose("2. "+c["pressed.q2"], options)
	if err != nil {
		return a, err
	}
	a.More = map[string]string{"danger": values[i]}
	a.Call, err = p.line("3. " + c["pressed.q3"] + " (" + c["pressed.q3.help"] + ")")
	return a, err
}

// confirm shows whom the report goes to, and asks for the word to send it.
func (f *reportFlags) confirm(p *reportPerson, desk DeskView, a Answers) (bool, error) {
	also := ""
	if a.MayKnow == "team" {
		also = "team"
	}
	readers, err := reportReaders(desk, also)
	if err != nil {
		return false, err
	}
	reportWho(p.out, f.lang, readers)
	if len(f.prints) == 0 {
		reportParagraph(p.out, mailCatalogue(f.lang)["readers.how.poster"])
	}
	return p.yes(reportPhrase(f.lang, "send"))
}

// reportPhrases is what the command says beside the texts of the report pages, by language.
var reportPhrases = map[string]map[string]string{
	"en": {
		"number": "Number:", "numbers": "Numbers, with commas between (Enter: none):", "try again": "Type a number from the list.",
		"lines": "End with an empty line.", "name": "Your name (Enter: stay unnamed, and get six words to come back with):",
		"send": "Seal and send it now? [y/N]", "kept back": "nothing was sent, and nothing was kept",
		"come back":  "Come back with: polder report show --node URL --receipt -",
		"receipt":    "Your six words:",
		"confirm":    "Is that the fingerprint that this person read to you? [y/N]",
		"passphrase": "Passphrase of your key:", "passphrase new": "New passphrase:", "passphrase again": "Once more:",
	},
	"nl": {
		"number": "Nummer:", "numbers": "Nummers, met komma's ertussen (Enter: geen):", "try again": "Typ een nummer uit de lijst.",
		"lines": "Sluit af met een lege regel.", "name": "Uw naam (Enter: onbekend blijven, en zes woorden krijgen om mee terug te komen):",
		"send": "Nu verzegelen en versturen? [j/N]", "kept back": "er is niets verstuurd, en niets bewaard",
		"come back":  "Kom terug met: polder report show --node URL --receipt -",
		"receipt":    "Uw zes woorden:",
		"confirm":    "Is dat de vingerafdruk die deze persoon u voorlas? [j/N]",
		"passphrase": "Wachtzin van uw sleutel:", "passphrase new": "Nieuwe wachtzin:", "passphrase again": "Nog een keer:",
	},
}

// reportPhrase is one of them; English where the language has none.
func reportPhrase(lang, key string) string {
	if text := reportPhrases[lang][key]; text != "" {
		return text
	}
	return reportPhrases["en"][key]
}

// reportSecretFrom is a secret from a file, or from the person at the terminal.
func reportSecretFrom(cmd *cobra.Command, file, prompt string) (string, error) {
	if file != "" {
		f, err := cli.Open(cmd, file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, 4096))
		if err != nil {
			return "", cli.At(file, 0, err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		if line = strings.TrimSpace(line); line == "" || !utf8.ValidString(line) {
			return "", cli.At(file, 1, polder.Errorf(polder.Invalid, "is empty, or no text; write it into the first line"))
		}
		return line, nil
	}
	p := reportAsking(cmd)
	if p == nil {
		return "", cli.Usagef("there is nobody to ask; give a file")
	}
	return p.secret(prompt)
}
