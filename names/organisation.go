package names

import "slices"

// orgRun is a run of a name's words that is a name of an organisation which the lexicon knows by several.
type orgRun struct {
	first, n int
	org      Concept
}

// findOrganisations notes the organisations that a name names. begins are, for each token of the name, the word that
// begins with it, or -1.
func (p *parser) findOrganisations(n *Name) {
	if n.Type == Person || n.Type == Vessel {
		return
	}
	for i := 0; i < len(p.begins); i++ {
		if p.begins[i] < 0 {
			continue
		}
		taken, org := organisation(p.texts[i:])
		if taken == 0 {
			continue
		}
		end := len(n.Words)
		for next := i + taken; next < len(p.begins); next++ { // a phrase that it ends within belongs to it
			if p.begins[next] >= 0 {
				end = p.begins[next]
				break
			}
		}
		if end <= p.begins[i] {
			continue
		}
		n.orgs = append(n.orgs, orgRun{p.begins[i], end - p.begins[i], org})
		i += taken - 1
	}
}

// takeOrganisations links runs of words that are two names of one organisation, as a whole, whatever their words.
func (s *scorer) takeOrganisations() {
	for _, ra := range s.a.orgs {
		for _, rb := range s.b.orgs {
			if ra.org != rb.org || !s.free(s.leftA, ra) || !s.free(s.leftB, rb) || sameRun(s.a, ra, s.b, rb) {
				continue
			}
			sim := min(orgSim(s.a, ra), orgSim(s.b, rb))
			s.link(link{ai: ra.first, an: ra.n, bi: rb.first, bn: rb.n, sim: sim, how: howOrganisation})
			break
		}
	}
}

// orgSim is how sure a run is to be the organisation: three letters are the short name of many.
func orgSim(n *Name, r orgRun) float64 {
	if r.n == 1 && len(n.Words[r.first].Latin) <= 3 && n.Words[r.first].Script != Han {
		return 0.75
	}
	return 0.97
}

// free says whether none of the words of a run has a partner yet.
func (s *scorer) free(left uint64, r orgRun) bool {
	run := lowBits(r.n) << r.first
	return left&run == run
}

// sameRun says whether two runs are the same words, which then meet one by one.
func sameRun(a *Name, ra orgRun, b *Name, rb orgRun) bool {
	return slices.EqualFunc(a.Words[ra.first:ra.first+ra.n], b.Words[rb.first:rb.first+rb.n], func(v, w *Word) bool {
		return v == w || v.Text == w.Text
	})
}
