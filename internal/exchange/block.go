package exchange

import "github.com/polder-exchange/polder/indicator"

// Stops says why a value must never become a block (X22): special-use networks, top resolvers, names that everybody
// needs, members' own domains and networks, and what lists that the node has loaded hold. Empty for a value that may. Addresses and names that are set
// aside for documentation are nobody's: blocking them harms nobody, and exercises use them, so they pass.
func (s *Service) Stops(kind indicator.Kind, value string) (reasons []string) {
	for _, w := range s.warnings.Check(kind, value) {
		if w.List != indicator.ListDocumentation {
			reasons = append(reasons, "is on the list "+w.List+": "+w.Reason)
		}
	}
	if s.shield.Load().covers(kind, value) {
		reasons = append(reasons, "is a member's own, and is not to be blocked")
	}
	return reasons
}
