package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases/strip"
	"github.com/polder-exchange/polder/internal/cli"
)

// Bounds of files that answers and attachments are read from.
const (
	maxReportAnswers = 256 << 10
	maxReportAttach  = 10 << 20
)

// readReportFile reads answers as JSON, or as the text of `polder report template`, filled in.
func readReportFile(cmd *cobra.Command, name string) (Answers, error) {
	f, err := cli.Open(cmd, name)
	if err != nil {
		return Answers{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxReportAnswers+1))
	if err != nil {
		return Answers{}, cli.At(name, 0, err)
	}
	if len(text) > maxReportAnswers {
		return Answers{}, cli.At(name, 0, polder.Errorf(polder.TooLarge, "is longer than %d bytes; send what does not fit as an attachment", maxReportAnswers))
	}
	a, line, err := parseReportText(text)
	return a, cli.At(name, line, err)
}

// parseReportText tells JSON from a filled-in text. line is where something is wrong, 0 where that is not known.
func parseReportText(text []byte) (a Answers, line int, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		return Answers{}, 0, polder.Errorf(polder.Invalid, "is not UTF-8; save the text as UTF-8")
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		a, line, err = parseReportJSON(text)
	} else {
		a, line, err = parseReportMail(string(text))
	}
	if err == nil {
		err = reportWordsOf(a)
	}
	if err == nil {
		err = a.Check()
	}
	if err != nil {
		return Answers{}, line, err
	}
	return a, 0, nil
}

var reportAnswerKeys = []string{"what", "noticed", "roads", "ongoing", "call", "may_know", "name", "kind", "language", "more", "proposed"}

// parseReportJSON reads answers strictly: a key that is not known is refused, so that nobody believes something was said.
func parseReportJSON(text []byte) (Answers, int, error) {
	lineAt := func(at int64) int { return 1 + bytes.Count(text[:min(int(at), len(text))], []byte("\n")) }
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			return Answers{}, lineAt(s.Offset), polder.Errorf(polder.Invalid, "is no JSON: %w", err)
		}
		return Answers{}, 0, polder.Errorf(polder.Invalid, "is no JSON object: %w", err)
	}
	for k := range keys {
		if !slices.Contains(reportAnswerKeys, k) {
			return Answers{}, 0, polder.Errorf(polder.Invalid, "the key %.40q is not known; known are %s", k, strings.Join(reportAnswerKeys, ", "))
		}
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	var a Answers
	if err := in.Decode(&a); err != nil {
		line := 0
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			line = lineAt(t.Offset)
			err = polder.Errorf(polder.Invalid, "%s: is a %s, and must be a %s", t.Field, t.Value, map[bool]string{true: "list of words", false: "text"}[t.Field == "roads"])
		}
		return Answers{}, line, polder.Errorf(polder.Invalid, "%w", err)
	}
	known := append([]string{"danger"}, reportLater...)
	for k := range a.More {
		if !slices.Contains(known, k) {
			return Answers{}, 0, polder.Errorf(polder.Invalid, "more: the key %.40q is not known; known are %s", k, strings.Join(known, ", "))
		}
	}
	return a, 0, nil
}

// reportWordsOf refuses answers to questions with options that are none of them.
func reportWordsOf(a Answers) error {
	for _, f := range []struct {
		name, value string
		known       []string
	}{
		{"ongoing", a.Ongoing, []string{"yes", "no", "unknown"}},
		{"may_know", a.MayKnow, []string{"desk", "team", "members", "police"}},
		{"kind", string(a.Kind), []string{string(KindIncident), string(KindNearMiss), string(KindApproach), string(KindSuspicion)}},
		{"language", a.Language, []string{"en", "nl"}},
	} {
		if f.value != "" && !slices.Contains(f.known, f.value) {
			return polder.Errorf(polder.Invalid, "%s: %.40q is not known; use %s", f.name, f.value, strings.Join(f.known, ", "))
		}
	}
	return nil
}

// reportQuestion begins a question of the text: its number and its words.
var reportQuestion = regexp.MustCompile(`^[>\s]*([1-9])\s*[.)]\s*(\S.*?)\s*$`)

// reportBox is an option of the text, with what stands between its brackets.
var reportBox = regexp.MustCompile(`\[([^\[\]\n]{0,5})\]`)

// parseReportMail reads the text of a mail template, in whatever language it is, filled in, and perhaps quoted.
func parseReportMail(text string) (Answers, int, error) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for _, lang := range []string{"en", "nl"} {
		questions := mailQuestions(lang)
		at := reportQuestionsAt(lines, questions)
		if len(at) == 0 {
			continue
		}
		a := Answers{Language: lang, MayKnow: "desk", Roads: []Road{}}
		for i, q := range questions {
			begin, there := at[i]
			if !there {
				return Answers{}, 0, polder.Errorf(polder.Invalid, "question %d, “%s”, is missing; leave the questions as they are, and write below each", i+1, q.Text)
			}
			end := len(lines)
			if next, there := at[i+1]; there {
				end = next
			}
			if end <= begin {
				return Answers{}, end + 1, polder.Errorf(polder.Invalid, "the questions stand in another order; leave them as they are, and write below each")
			}
			if err := a.takeMail(q, lines[begin+1:end], i+1 == len(questions)); err != nil {
				return Answers{}, begin + 1, err
			}
		}
		return a, 0, nil
	}
	return Answers{}, 0, polder.Errorf(polder.Invalid, "is neither JSON, such as {\"what\":\"A visitor photographed the machine hall\"}, nor the text of polder report template")
}

// reportQuestionsAt are the lines where questions begin, by their place.
func reportQuestionsAt(lines []string, questions []mailQuestion) map[int]int {
	at := map[int]int{}
	for n, l := range lines {
		m := reportQuestion.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		i, err := strconv.Atoi(m[1])
		if err != nil || i > len(questions) {
			continue
		}
		if _, seen := at[i-1]; !seen && strings.EqualFold(strings.Join(strings.Fields(m[2]), " "), questions[i-1].Text) {
			at[i-1] = n
		}
	}
	return at
}

// takeMail takes the answer that stands below a question; of the last one up to the line that ends the text.
func (a *Answers) takeMail(q mailQuestion, lines []string, last bool) error {
	var said []string
	for _, l := range lines {
		l = strings.TrimSpace(strings.TrimLeft(l, "> \t"))
		if last && l == "--" {
			break
		}
		said = append(said, l)
	}
	text := strings.TrimSpace(strings.Join(said, "\n"))
	if q.Help != "" {
		text = strings.TrimSpace(cutWords(text, "("+q.Help+")"))
	}
	if q.Options == nil {
		switch q.Field {
		case "what":
			a.What = text
		case "noticed":
			a.Noticed = strings.Join(strings.Fields(text), " ")
		case "call":
			a.Call = strings.Join(strings.Fields(text), " ")
		}
		return nil
	}
	chosen, err := mailChosen(q, text)
	if err != nil {
		return err
	}
	switch {
	case q.Field == "roads":
		for _, c := range chosen {
			a.Roads = append(a.Roads, Road(c))
		}
	case len(chosen) > 1:
		return polder.Errorf(polder.Invalid, "“%s” has %d answers; choose one", q.Text, len(chosen))
	case len(chosen) == 1 && q.Field == "ongoing":
		a.Ongoing = chosen[0]
	case len(chosen) == 1:
		a.MayKnow = chosen[0]
	}
	return nil
}

// cutWords takes words off the beginning of text, however a mail program has broken its lines.
func cutWords(text, words string) string {
	rest := text
	for _, w := range strings.Fields(words) {
		rest = strings.TrimLeft(rest, " \t\n")
		cut, ok := strings.CutPrefix(rest, w)
		if !ok {
			return text
		}
		rest = cut
	}
	return rest
}

// mailChosen are the values of the options that have something between their brackets.
func mailChosen(q mailQuestion, text string) ([]string, error) {
	var chosen []string
	marks := reportBox.FindAllStringSubmatchIndex(text, -1)
	for i, m := range marks {
		if strings.TrimSpace(text[m[2]:m[3]]) == "" {
			continue
		}
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		words := strings.Join(strings.Fields(text[m[1]:end]), " ")
		n := slices.IndexFunc(q.Options, func(o mailOption) bool { return strings.EqualFold(o.Text, words) })
		if n < 0 {
			return nil, polder.Errorf(polder.Invalid, "“%.60s” is no answer to “%s”; leave the words behind the brackets as they are", words, q.Text)
		}
		if !slices.Contains(chosen, q.Options[n].Value) {
			chosen = append(chosen, q.Options[n].Value)
		}
	}
	return chosen, nil
}

// reportAttach reads attachments as they are sealed: a line with name and type, and the bytes.
func reportAttach(cmd *cobra.Command, names []string, clean bool) ([][]byte, error) {
	if len(names) > maxReportFiles {
		return nil, cli.Usagef("--attach is given %d times; at most %d files go with a report, others with messages afterwards", len(names), maxReportFiles)
	}
	var out [][]byte
	total := 0
	for _, name := range names {
		data, err := reportReadAttached(cmd, name)
		if err != nil {
			return nil, err
		}
		if clean {
			if data, err = reportClean(cmd, name, data); err != nil {
				return nil, err
			}
		}
		if total += len(data); total > 2*maxReportAttach {
			return nil, polder.Errorf(polder.TooLarge, "the attachments have more than 20 MiB together; send some with a message afterwards")
		}
		f := ReportAttachment{Name: strings.ToValidUTF8(filepath.Base(name), "_"), Type: http.DetectContentType(data), Data: data}
		text, err := f.fileText()
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

func reportReadAttached(cmd *cobra.Command, name string) ([]byte, error) {
	f, err := cli.Open(cmd, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxReportAttach+1))
	if err != nil {
		return nil, cli.At(name, 0, err)
	}
	if len(data) > maxReportAttach {
		return nil, cli.At(name, 0, polder.Errorf(polder.TooLarge, "is larger than 10 MiB; cut it, or make it smaller"))
	}
	return data, nil
}

// reportClean takes out of an attachment what tells of its maker, and says what that was.
func reportClean(cmd *cobra.Command, name string, data []byte) ([]byte, error) {
	out, removed, err := strip.Strip(name, data)
	if err != nil {
		return nil, cli.At(name, 0, polder.Errorf(polder.Invalid, "%w, so nothing was sent; leave --strip away to send it as it is", err))
	}
	if len(removed) > 0 {
		cli.Err(cmd).Printf("%s: removed %s\n", filepath.Base(name), strings.Join(removed, ", "))
	}
	return out, nil
}
