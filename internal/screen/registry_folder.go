package screen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// A folder holds one list: its last versions, and how it is kept up to date.
//
//	00000007.json      what is known of the version as a whole ([lists.Meta])
//	00000007.list.zst  its listings
//	state.json         the source, and how the last attempts went
//
// A version is there when both its files are; the highest is the current one. Files are written beside, made durable and
// renamed, the listings last, so that a crash leaves the version before or the new one, never a part.
type folder struct{ dir string }

// keptVersions is how many versions of a list stay, for the difference between them.
const keptVersions = 5

const listSuffix = ".list.zst"

// state is what is known of a list beyond its versions.
type state struct {
	Source    *Source   `json:"source,omitempty"`
	Confirmed time.Time `json:"confirmed,omitzero"` // the time as of which the current version is known to be current
	Checked   time.Time `json:"checked,omitzero"`   // when the source last answered
	Tried     time.Time `json:"tried,omitzero"`     // when it was last asked
	Failures  int       `json:"failures,omitempty"` // attempts since that failed
	Failed    string    `json:"failed,omitempty"`   // why the last one did
	ETag      string    `json:"etag,omitempty"`     // as the source gave it
	Modified  string    `json:"modified,omitempty"` // Last-Modified, as the source gave it
	Sum       string    `json:"sum,omitempty"`      // digest of the source's files, when it is a path
}

// versionMeta is what is known of a version as a whole.
type versionMeta struct {
	lists.Meta
	By string `json:"by,omitempty"` // who imported it; "" when it was refreshed by itself
}

// versions are the numbers of the whole versions, rising.
func (f folder) versions() ([]int, error) {
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []int
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), listSuffix)
		n, err := strconv.Atoi(digits)
		if !ok || err != nil {
			continue
		}
		if _, err := os.Stat(f.meta(n)); err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

// current is the number of the version in use; 0 when there is none.
func (f folder) current() (int, error) {
	all, err := f.versions()
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[len(all)-1], nil
}

// numberOf is the newest version with that digest.
func (f folder) numberOf(sha256 string) (int, error) {
	all, err := f.versions()
	if err != nil {
		return 0, err
	}
	for _, n := range slices.Backward(all) {
		if m, err := f.readMeta(n); err != nil || m.SHA256 == sha256 {
			return n, err
		}
	}
	return 0, polder.Errorf(polder.NotFound, "that version of list %s is not kept", filepath.Base(f.dir))
}

func (f folder) meta(n int) string { return filepath.Join(f.dir, fmt.Sprintf("%08d.json", n)) }
func (f folder) list(n int) string { return filepath.Join(f.dir, fmt.Sprintf("%08d%s", n, listSuffix)) }

// readMeta is what is known of a version as a whole.
func (f folder) readMeta(n int) (m versionMeta, err error) {
	text, err := os.ReadFile(f.meta(n))
	if errors.Is(err, fs.ErrNotExist) {
		return m, polder.Errorf(polder.NotFound, "version %d of list %s is not kept", n, filepath.Base(f.dir))
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

// readList is a version, whole.
func (f folder) readList(n int) (*lists.List, error) {
	file, err := os.Open(f.list(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, polder.Errorf(polder.NotFound, "version %d of list %s is not kept", n, filepath.Base(f.dir))
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	l, err := lists.ReadJSONL(f.list(n), file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.list(n), err)
	}
	return l, nil
}

// add makes l the current version and forgets the oldest; it returns its number.
func (f folder) add(l *lists.List, by string) (int, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return 0, err
	}
	all, err := f.versions()
	if err != nil {
		return 0, err
	}
	n := 1
	if len(all) > 0 {
		n = all[len(all)-1] + 1
	}
	err = replaceFile(f.meta(n), func(w io.Writer) error { return json.NewEncoder(w).Encode(versionMeta{l.Meta, by}) })
	if err == nil {
		err = replaceFile(f.list(n), func(w io.Writer) error { return lists.WriteJSONL(w, l) })
	}
	if err != nil {
		_ = os.Remove(f.meta(n))
		return 0, fmt.Errorf("keep list %s: %w", l.Name, err)
	}
	for len(all) >= keptVersions {
		_ = os.Remove(f.list(all[0]))
		_ = os.Remove(f.meta(all[0]))
		all = all[1:]
	}
	return n, nil
}

func (f folder) readState() (s state, err error) {
	text, err := os.ReadFile(filepath.Join(f.dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

func (f folder) writeState(s state) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	return replaceFile(filepath.Join(f.dir, "state.json"), func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
}

// remove takes the list away, its versions with it.
func (f folder) remove() error { return os.RemoveAll(f.dir) }

// replaceFile writes a file beside, makes it durable and gives it its name. On a full disk the error is [polder.Full].
func replaceFile(name string, write func(io.Writer) error) error {
	return onFullDisk(replace(name, write))
}

// onFullDisk gives the error of a full disk its kind.
func onFullDisk(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return polder.Errorf(polder.Full, "the disk is full; what is there stays: make room and try again: %w", err)
	}
	return err
}

func replace(name string, write func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if err := write(tmp); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	return db.SyncDir(filepath.Dir(name))
}
