package screen

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// localLists are the lists of the node alone, for whoever holds its folder.
type localLists struct {
	*Registry
	by  polder.Actor
	end func() error
}

// ForCommands are the lists of the node, changed in the name of by; end is what closing them ends.
func (r *Registry) ForCommands(by polder.Actor, end func() error) NodeLists {
	return localLists{r, by, end}
}

// Screener answers from all of them; it is nil when there are none.
func (l localLists) Screener(ctx context.Context) (*Screener, error) {
	s, err := l.Registry.Screener(ctx, "")
	if err != nil || len(s.Lists()) == 0 {
		return nil, err
	}
	return s, nil
}

// Kept are the lists as they stand.
func (l localLists) Kept(ctx context.Context) ([]KeptList, error) { return l.Registry.Kept(ctx, "") }

// Import makes a file or a folder a list of the node, or the next version of one, and says how it differs from the
// version before it.
func (l localLists) Import(ctx context.Context, path string, o lists.ReadOptions, force bool) (out Imported, err error) {
	now, err := lists.ReadPath(path, o)
	if err != nil {
		return out, err
	}
	p := place{"", now.Name}
	f, err := l.folder(p)
	if err != nil {
		return out, err
	}
	n, err := f.current()
	if err != nil {
		return out, err
	}
	var old *lists.List
	if out.First = n == 0; !out.First {
		if old, err = f.readList(n); err != nil && !force {
			return out, err
		}
	}
	if err := l.Put(ctx, l.by, "", now, force); err != nil {
		return out, err
	}
	d := lists.Compare(old, now)
	out.Added, out.Removed, out.Changed = len(d.Added), len(d.Removed), len(d.Changed)
	out.List, err = l.keptAt(p, f)
	return out, err
}

// Close ends the use of the folder.
func (l localLists) Close() error { return l.end() }
