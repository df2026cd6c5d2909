package policy

import (
	"cmp"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Given is what a share says about levels beside the object itself.
type Given struct {
	By       polder.OrgID
	Level    stix.Marking // of --tlp or the form; None when none was given
	Unmarked stix.Marking // the community's level for objects without one; None refuses them
	Widest   stix.Marking // of the organisation (X4)
	Bytes    bool         // the bytes must stay as they came (TAXII)
}

// Level is the level of a share (X1–X4), and whether it is to be written into the object. An object without a level
// is refused, unless it is of a kind that needs none or a level is given.
func Level(o stix.Object, g Given) (level stix.Marking, write bool, err error) {
	mark, err := o.Level()
	if err != nil {
		return stix.None, false, polder.Errorf(polder.Invalid, "%w", err)
	}
	switch {
	case mark != stix.None:
		level, err = narrowed(mark, g.Level)
	case o.IsMarkingFree():
		return max(stix.Clear, g.Level), false, nil
	default:
		level, write, err = given(o, g)
	}
	if err != nil {
		return stix.None, false, err
	}
	if widest := min(mark, level); level.Wider(g.Widest) || widest != stix.None && widest.Wider(g.Widest) {
		return stix.None, false, polder.Errorf(polder.Forbidden, "object_marking_refs: %s is wider than %s, the widest that your organisation may use", cmp.Or(widest, level).Label(), g.Widest.Label())
	}
	return level, write, nil
}

func narrowed(mark, to stix.Marking) (stix.Marking, error) {
	if to == stix.None {
		return mark, nil
	}
	if to.Wider(mark) {
		return stix.None, polder.Errorf(polder.Forbidden, "object_marking_refs: the object is %s and cannot be shared as %s; share it as %s or stricter", mark.Label(), to.Label(), mark.Label())
	}
	return to, nil
}

func given(o stix.Object, g Given) (level stix.Marking, write bool, err error) {
	level = g.Level
	if level == stix.None {
		level = g.Unmarked
	}
	if level == stix.None {
		return stix.None, false, polder.Errorf(polder.Invalid, "object_marking_refs: has no TLP marking; add one, or say the level of this share (--tlp)")
	}
	own := o.CreatedByRef == "" || o.CreatedByRef == string(g.By)
	if own && !g.Bytes {
		return level, true, nil
	}
	if level > stix.Green {
		return stix.None, false, polder.Errorf(polder.Forbidden, "object_marking_refs: another's object without a TLP marking can be shared as TLP:CLEAR or TLP:GREEN only, since %s would not be written in it", level.Label())
	}
	return level, false, nil
}
