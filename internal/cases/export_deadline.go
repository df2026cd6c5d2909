package cases

import (
	"context"
	"errors"
	"strings"

	"github.com/polder-exchange/polder"
)

// exportDeadlines are the duties of a case as they stand, without those that the rules no longer ask.
func (s *Service) exportDeadlines(ctx context.Context, by polder.Actor, id CaseID, lang string) (out []exportDeadline, err error) {
	all, err := s.Deadlines(ctx, by, id)
	if errors.Is(err, polder.ErrForbidden) {
		return nil, nil
	}
	for _, d := range all.Deadlines {
		if d.Gone {
			continue
		}
		out = append(out, exportDeadline{Regulation: d.Regulation, What: d.Said(lang), Recipient: d.Recipient, State: string(d.State), Source: strings.TrimSpace(d.Article + " " + d.Source), Due: d.Due, Sent: d.Sent})
	}
	return out, err
}
