package screen

import (
	"errors"
	"io"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/names"
)

// textLine is an answer about a party of a text, as scripts read it.
type textLine struct {
	Found Mention `json:"found"`
	answerLine
}

// runText asks about the parties that are found in a text.
func (f *screenFlags) runText(cmd *cobra.Command, s *Screener, kind names.Type, o Options) (hits int, err error) {
	in, err := cli.Open(cmd, f.text)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	raw, err := io.ReadAll(io.LimitReader(in, MaxTextBytes+1))
	if err != nil {
		return 0, cli.At(f.text, 0, err)
	}
	if len(raw) > MaxTextBytes {
		return 0, cli.At(f.text, 0, errors.New("the text has more than 1 MiB; give it in parts"))
	}
	if !utf8.Valid(raw) {
		return 0, cli.At(f.text, 0, errors.New("it is no text in UTF-8; save it as plain text"))
	}
	found := Extract(string(raw))
	if len(found) == 0 {
		return 0, cli.At(f.text, 0, errors.New("no party was found in it; give names instead"))
	}
	out := cli.Out(cmd)
	asked := shownLists(s.Lists())
	for i, m := range found {
		if cmd.Context().Err() != nil {
			return hits, cmd.Context().Err()
		}
		q := m.Query()
		q.Type = kind
		a := s.Screen(q, o)
		a.Asked = f.Now().UTC()
		hits += len(a.Hits)
		if out.AsJSON() {
			if err := out.JSON(textLine{m, showAnswer(&a, asked)}); err != nil {
				return hits, err
			}
			continue
		}
		if i > 0 {
			out.Printf("\n")
		}
		out.Printf("Found “%s” at byte %d: %s.\n", m.Name, m.Start, m.Why)
		printAnswer(out, &a)
	}
	if !out.AsJSON() {
		printFoot(out, s, o.Threshold)
	}
	return hits, nil
}
