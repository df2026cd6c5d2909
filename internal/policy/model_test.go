package policy_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/internal/policy/sightmodel"
	"github.com/polder-exchange/polder/stix"
)

// store is the smallest journal: it does what Plan and Withdraw say.
type store struct {
	live []policy.Delivery
	seq  polder.Seq
}

func (s *store) share(by polder.OrgID, to []polder.OrgID, level stix.Marking, v, content string, revoked bool) sightmodel.Verdict {
	d := sha256.Sum256([]byte(content))
	sh := policy.Share{By: by, To: to, Level: level, Version: v, Digest: d, BareDigest: d, Revoked: revoked, Created: "c"}
	out, err := policy.Plan(s.live, sh)
	if err != nil {
		return sightmodel.Refused
	}
	if !out.Append {
		return sightmodel.Duplicate
	}
	s.seq++
	line, custodian := out.Line, by
	if line == 0 {
		line = int64(s.seq)
	}
	for _, l := range s.live {
		if l.Line == line {
			custodian = l.Custodian
		}
	}
	s.change(out.Older)
	s.live = append(s.live, policy.Delivery{Seq: s.seq, Line: line, Custodian: custodian, Sharer: by, Version: v, Digest: d, BareDigest: d,
		Level: level, Nominal: out.Nominal, Reached: out.Reached, Last: out.Last, Revoked: revoked, Created: "c"})
	return sightmodel.Stored
}

func (s *store) withdraw(by polder.OrgID, steward bool, which func(policy.Delivery) bool) bool {
	e, err := policy.Withdraw(s.live, policy.Withdrawal{By: by, Steward: steward, Which: which}, false)
	if err != nil {
		return false
	}
	old := slices.Clone(s.live)
	for _, r := range e.Removed {
		s.live = slices.DeleteFunc(s.live, func(d policy.Delivery) bool { return slices.Contains(r.Deliveries, d.Seq) })
	}
	s.change(e.Last)
	for _, a := range e.Again {
		i := slices.IndexFunc(old, func(d policy.Delivery) bool { return d.Seq == a.Of })
		d := old[i]
		s.seq++
		d.Seq, d.Nominal, d.Reached, d.Last = s.seq, a.Audience, a.Audience, a.Last
		s.live = append(s.live, d)
	}
	return true
}

func (s *store) change(cs []policy.Change) {
	for _, c := range cs {
		for i := range s.live {
			if s.live[i].Seq == c.Seq {
				s.live[i].Last = c.Last
			}
		}
	}
}

func (s *store) sees(r polder.OrgID, id string) (map[sightmodel.Key]stix.Marking, string, error) {
	out, last := map[sightmodel.Key]stix.Marking{}, ""
	for _, d := range s.live {
		if d.Last.Contains(r) {
			if last != "" {
				return nil, "", fmt.Errorf("two last versions for %s", r)
			}
			last = d.Version
		}
		if !d.Reached.Contains(r) {
			continue
		}
		k := sightmodel.Key{ID: id, Version: d.Version}
		if _, twice := out[k]; twice {
			return nil, "", fmt.Errorf("%s got %v twice", r, k)
		}
		var same []policy.Delivery
		for _, x := range s.live {
			if x.Line == d.Line && x.Version == d.Version {
				same = append(same, x)
			}
		}
		out[k] = policy.LevelFor(r, same)
	}
	return out, last, nil
}

// TestSightModel (X6, X9, X13, X14, X18): whatever is shared, widened and withdrawn by whom, everybody sees what the
// model says, each version once, from one line.
func TestSightModel(t *testing.T) {
	orgs := []polder.OrgID{"a", "b", "c", "d"}
	readers := append(slices.Clone(orgs), "z") // z is never named: it stands for everybody else
	rapid.Check(t, func(t *rapid.T) {
		m, s := sightmodel.New(readers...), &store{}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			by := rapid.SampledFrom(orgs).Draw(t, "by")
			v := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "version")
			if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
				steward := rapid.Bool().Draw(t, "steward")
				var versions []string
				var which func(policy.Delivery) bool
				if rapid.Bool().Draw(t, "one") {
					versions, which = []string{v}, func(d policy.Delivery) bool { return d.Version == v }
				}
				want := m.Withdraw(by, steward, "x", versions...)
				if got := s.withdraw(by, steward, which); got != want {
					t.Fatalf("withdraw by %s: got %v, the model says %v; %v", by, got, want, s.live)
				}
			} else {
				to := rapid.SliceOfNDistinct(rapid.SampledFrom(orgs), 0, 2, rapid.ID[polder.OrgID]).Draw(t, "to")
				level := rapid.SampledFrom([]stix.Marking{stix.Green, stix.Amber, stix.Red}).Draw(t, "level")
				content := rapid.SampledFrom([]string{"p", "p", "p", "q"}).Draw(t, "content")
				revoked := rapid.IntRange(0, 9).Draw(t, "revoked") == 0
				want := m.Share(by, "x", v, content+fmt.Sprint(revoked), revoked, policy.Nominal(by, to, level), level)
				if got := s.share(by, to, level, v, content+fmt.Sprint(revoked), revoked); got != want {
					t.Fatalf("share by %s to %v %v %s: got %v, the model says %v; %v", by, to, level, v, got, want, s.live)
				}
			}
			for _, r := range readers {
				got, last, err := s.sees(r, "x")
				want := m.Sees(r)
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || last != m.Last(r)["x"] {
					t.Fatalf("%s sees %v, last %q; the model says %v, last %q; %v %v", r, got, last, want, m.Last(r)["x"], err, s.live)
				}
			}
		}
	})
}
