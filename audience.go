package polder

import (
	"slices"
	"strings"
)

// Audience is a set of organisations: those listed, or every one but those listed.
// The zero value is nobody, so a forgotten audience leaks nothing. Audiences are values: no method changes one.
type Audience struct {
	except bool
	orgs   []OrgID // sorted, distinct
}

// Everyone is the audience of all organisations.
func Everyone() Audience { return Audience{except: true} }

// Only is the audience of the organisations named.
func Only(orgs ...OrgID) Audience { return Audience{orgs: set(orgs)} }

// AllBut is the audience of all organisations but those named.
func AllBut(orgs ...OrgID) Audience { return Audience{except: true, orgs: set(orgs)} }

func set(orgs []OrgID) []OrgID {
	s := slices.Clone(orgs)
	slices.Sort(s)
	return slices.Compact(s)
}

// Contains tells whether o belongs to a. The node itself ("") belongs to no audience.
func (a Audience) Contains(o OrgID) bool {
	_, listed := slices.BinarySearch(a.orgs, o)
	return o != "" && listed != a.except
}

// Empty tells whether a is nobody.
func (a Audience) Empty() bool { return !a.except && len(a.orgs) == 0 }

// Except tells whether a lists those who do not belong to it.
func (a Audience) Except() bool { return a.except }

// Listed returns the organisations that a names: its members, or those it leaves out.
func (a Audience) Listed() []OrgID { return slices.Clone(a.orgs) }

// Equal tells whether a and b are the same set.
func (a Audience) Equal(b Audience) bool { return a.except == b.except && slices.Equal(a.orgs, b.orgs) }

// Complement is everyone who is not in a.
func (a Audience) Complement() Audience { return Audience{!a.except, a.orgs} }

// Intersect is everyone in both a and b.
func (a Audience) Intersect(b Audience) Audience {
	switch {
	case a.except && b.except:
		return AllBut(append(slices.Clone(a.orgs), b.orgs...)...)
	case a.except:
		return b.Intersect(a)
	default:
		var both []OrgID
		for _, o := range a.orgs {
			if b.Contains(o) {
				both = append(both, o)
			}
		}
		return Audience{orgs: both}
	}
}

// Union is everyone in a or in b.
func (a Audience) Union(b Audience) Audience {
	return a.Complement().Intersect(b.Complement()).Complement()
}

// Minus is everyone in a who is not in b.
func (a Audience) Minus(b Audience) Audience { return a.Intersect(b.Complement()) }

// String is a stable form of a, fit as a key: "*" for everyone, "*-x,y" for all but x and y, "x,y" for x and y, "" for nobody.
func (a Audience) String() string {
	names := make([]string, len(a.orgs))
	for i, o := range a.orgs {
		names[i] = string(o)
	}
	list := strings.Join(names, ",")
	switch {
	case a.except && list == "":
		return "*"
	case a.except:
		return "*-" + list
	}
	return list
}

// ParseAudience reads what [Audience.String] wrote.
func ParseAudience(s string) Audience {
	rest, except := strings.CutPrefix(s, "*")
	rest = strings.TrimPrefix(rest, "-")
	var orgs []OrgID
	for o := range strings.SplitSeq(rest, ",") {
		if o != "" {
			orgs = append(orgs, OrgID(o))
		}
	}
	return Audience{except, set(orgs)}
}
