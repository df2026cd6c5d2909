package screen

import (
	"cmp"
	"context"
	"io"
	"os"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// staleAfter is the age from which a list of the node is called old when its source says nothing else.
const staleAfter = 7 * 24 * time.Hour

// Lists are those that by's organisation asks; see [ListKeeper].
func (r *Registry) Lists(ctx context.Context, by polder.Actor) ([]KeptList, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	return r.Kept(ctx, by.Org)
}

// Kept are the lists that an organisation asks, with "" those of the node: restricted before verified ones, then by name.
func (r *Registry) Kept(ctx context.Context, org polder.OrgID) ([]KeptList, error) {
	all, err := r.asked(org)
	if err != nil {
		return nil, err
	}
	var out []KeptList
	for _, p := range all {
		f, err := r.folder(p)
		if err != nil {
			return nil, err
		}
		k, err := r.keptAt(p, f)
		if err != nil {
			return nil, err
		}
		if k.Versions > 0 || k.Origin != "" {
			out = append(out, k)
		}
	}
	shared, _, err := r.shared(ctx, org)
	for _, l := range shared {
		out = append(out, KeptList{Meta: l.Meta, Owner: OwnedByMember, From: l.Source, Checked: r.o.Now(), Versions: 1})
	}
	slices.SortStableFunc(out, func(a, b KeptList) int {
		return cmp.Or(cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Name, b.Name))
	})
	return out, err
}

// keptAt is a list as it stands.
func (r *Registry) keptAt(p place, f folder) (k KeptList, err error) {
	s, err := f.readState()
	if err != nil {
		return k, err
	}
	numbers, err := f.versions()
	if err != nil {
		return k, err
	}
	k.Owner, k.Versions = OwnedByNode, len(numbers)
	if p.owner != "" {
		k.Owner = OwnedByOrg
	}
	if n := len(numbers); n > 0 {
		m, err := f.readMeta(numbers[n-1])
		if err != nil {
			return k, err
		}
		k.Meta = m.Meta
		k.Age = max(0, r.o.Now().Sub(s.Confirmed))
		if p.owner == "" {
			k.StaleAt = s.Confirmed.Add(s.Source.stale())
			k.Stale = r.o.Now().After(k.StaleAt)
		}
	}
	k.Name = p.name
	k.Checked, k.Failures, k.Failure = s.Checked, s.Failures, s.Failed
	if s.Failures > 0 {
		k.Failed = s.Tried
	}
	if s.Source != nil {
		k.Origin, k.Every, k.Next = s.Source.shown(), s.Source.every(), s.Source.due(s)
		k.Purpose = cmp.Or(k.Purpose, s.Source.Purpose, lists.Restricted)
	}
	return k, nil
}

// sharedList is a list that members share, as org sees it.
func (r *Registry) sharedList(ctx context.Context, org polder.OrgID, name string) (*lists.List, error) {
	all, _, err := r.shared(ctx, org)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(l *lists.List) bool { return l.Name == name }); i >= 0 {
		return all[i], nil
	}
	return nil, polder.Errorf(polder.NotFound, "there is no list %s", name)
}

// Versions are those of one list that are kept, the newest first; see [ListKeeper].
func (r *Registry) Versions(ctx context.Context, by polder.Actor, name string) ([]ListVersion, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	if !listName.MatchString(name) {
		l, err := r.sharedList(ctx, by.Org, name)
		if err != nil {
			return nil, err
		}
		return []ListVersion{{Meta: l.Meta, Now: true}}, nil
	}
	_, f, err := r.find(by.Org, name)
	if err != nil {
		return nil, err
	}
	numbers, err := f.versions()
	if err != nil {
		return nil, err
	}
	out := make([]ListVersion, 0, len(numbers))
	for i, n := range slices.Backward(numbers) {
		m, err := f.readMeta(n)
		if err != nil {
			return nil, err
		}
		out = append(out, ListVersion{Meta: m.Meta, By: m.By, Now: i == len(numbers)-1})
	}
	return out, nil
}

// Difference is what changed from one kept version to another; see [ListKeeper].
func (r *Registry) Difference(ctx context.Context, by polder.Actor, name, old, new string, limit int) (d ListDifference, err error) {
	versions, err := r.Versions(ctx, by, name)
	if err != nil {
		return d, err
	}
	at := func(sha256 string) (int, error) {
		if i := slices.IndexFunc(versions, func(v ListVersion) bool { return v.SHA256 == sha256 }); i >= 0 {
			return i, nil
		}
		return 0, polder.Errorf(polder.NotFound, "that version of list %s is not kept", name)
	}
	to := 0
	if new != "" {
		if to, err = at(new); err != nil {
			return d, err
		}
	}
	from := to + 1
	if old != "" {
		if from, err = at(old); err != nil {
			return d, err
		}
	}
	d.New = versions[to]
	now, err := r.Version(ctx, by.Org, name, d.New.SHA256)
	if err != nil {
		return d, err
	}
	was := &lists.List{}
	if from < len(versions) {
		d.Old = versions[from]
		if was, err = r.Version(ctx, by.Org, name, d.Old.SHA256); err != nil {
			return d, err
		}
	}
	d.fill(lists.Compare(was, now), limit)
	return d, nil
}

// fill takes at most limit of each kind of difference.
func (d *ListDifference) fill(all lists.Difference, limit int) {
	d.AddedCount, d.RemovedCount, d.ChangedCount = len(all.Added), len(all.Removed), len(all.Changed)
	for _, e := range all.Added[:min(limit, len(all.Added))] {
		d.Added = append(d.Added, *e)
	}
	for _, e := range all.Removed[:min(limit, len(all.Removed))] {
		d.Removed = append(d.Removed, *e)
	}
	for _, c := range all.Changed[:min(limit, len(all.Changed))] {
		d.Changed = append(d.Changed, ChangedEntry{Old: *c.Old, New: *c.New})
	}
}

// Entry is a listing as the list has it now; see [ListKeeper].
func (r *Registry) Entry(ctx context.Context, by polder.Actor, name, id string) (lists.Entry, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return lists.Entry{}, err
	}
	s, err := r.Screener(ctx, by.Org)
	if err != nil {
		return lists.Entry{}, err
	}
	if e := s.Entry(name, id); e != nil {
		return *e, nil
	}
	return lists.Entry{}, polder.Errorf(polder.NotFound, "list %s has no entry %s", name, id)
}

// Import makes a file a list of by's organisation; see [ListKeeper].
func (r *Registry) Import(ctx context.Context, by polder.Actor, o ListImport, file io.Reader) (k KeptList, err error) {
	if err := mayScreen(by, polder.RoleSteward); err != nil {
		return k, err
	}
	if r.o.DB != nil {
		if err := r.o.DB.Room(); err != nil {
			return k, err
		}
	}
	read := lists.ReadOptions{As: o.Name, Form: o.Form, Purpose: o.Purpose, Title: o.Title, Source: o.Source, Licence: o.Licence, Date: o.Date, At: r.o.Now()}
	if len(o.Mapping) > 0 {
		if read.Mapping, err = lists.ParseMapping("mapping", o.Mapping); err != nil {
			return k, polder.Errorf(polder.Invalid, "%w", err)
		}
	}
	l, err := r.readSent(o.File, file, read)
	if err != nil {
		return k, err
	}
	if err := r.Put(ctx, by, by.Org, l, false); err != nil {
		return k, err
	}
	p := place{by.Org, l.Name}
	f, err := r.folder(p)
	if err != nil {
		return k, err
	}
	return r.keptAt(p, f)
}

// readSent reads a list that somebody sends. What comes waits on disk until it is whole, however slowly that is; then one
// list is read at a time, since a list in the making takes memory.
func (r *Registry) readSent(name string, sent io.Reader, o lists.ReadOptions) (*lists.List, error) {
	tmp, err := os.CreateTemp(r.o.Dir, ".sent-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = tmp.Close()
		_ = os.Remove(tmp.Name())
	}()
	if _, err := io.Copy(tmp, sent); err != nil {
		return nil, onFullDisk(err)
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r.fetches.Lock()
	defer r.fetches.Unlock()
	l, err := lists.Read(name, tmp, o)
	if err != nil {
		return nil, polder.Errorf(polder.Invalid, "%w", err)
	}
	return l, nil
}

// Refresh asks the origin of a list now; see [ListKeeper].
func (r *Registry) Refresh(ctx context.Context, by polder.Actor, name string) (k KeptList, err error) {
	if err := mayScreen(by, polder.RoleSteward); err != nil {
		return k, err
	}
	p, f, err := r.find(by.Org, name)
	if err != nil {
		return k, err
	}
	if err := r.refresh(ctx, p); err != nil {
		return k, err
	}
	return r.keptAt(p, f)
}
