package detect

import (
	"errors"

	"github.com/polder-exchange/polder/internal/detect/rules"
	"github.com/polder-exchange/polder/sigma"
)

// OwnRules are the rules that come with the program.
func OwnRules() (*sigma.Collection, error) {
	c, wrong := sigma.Load([]string{"."}, sigma.LoadOptions{FS: rules.FS()})
	errs := make([]error, 0, len(wrong))
	for _, e := range wrong {
		errs = append(errs, e)
	}
	return c, errors.Join(errs...)
}

// ownAdvice is what to do about a finding of one of Polder's own rules.
func ownAdvice(rule string) string { return rules.Next(rule, "en") }
