package detect

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder/sigma"
)

// Rules are the rules of now, which may be exchanged for others while events are judged: every batch and every run keeps
// those it began with, so no event is judged by half of them.
type Rules struct {
	dir string
	log *slog.Logger
	now atomic.Pointer[ruleSet]

	mu      sync.Mutex
	seen    [sha256.Size]byte // what the folder looked like
	sources []KnowledgeSource
}

// rulesEvery is how often the folder of rules is looked at.
const rulesEvery = 5 * time.Second

// maxRuleTrouble is how many rules that do not load are named.
const maxRuleTrouble = 20

// FixedRules are the rules of a collection.
func FixedRules(c *sigma.Collection, advise Advice) (*Rules, error) {
	set, err := newRuleSet(c, advise)
	if err != nil {
		return nil, err
	}
	r := &Rules{}
	r.now.Store(set)
	return r, nil
}

// OpenRules are Polder's own rules and those of a folder, "" for none. A rule that does not load is said and left out.
func OpenRules(dir string, log *slog.Logger) (*Rules, error) {
	r := &Rules{dir: dir, log: log}
	return r, r.reload(r.look())
}

// Now is the rules of now.
func (r *Rules) Now() *ruleSet { return r.now.Load() }

// Sources says where the rules come from, and what of it could not be loaded.
func (r *Rules) Sources() []KnowledgeSource {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sources
}

// Watch reloads the rules when the folder changes, until ctx ends. Rules that cannot be compiled leave those there are.
func (r *Rules) Watch(ctx context.Context) {
	if r.dir == "" {
		return
	}
	t := time.NewTicker(rulesEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		seen := r.look()
		r.mu.Lock()
		same := seen == r.seen
		r.mu.Unlock()
		if same {
			continue
		}
		if err := r.reload(seen); err != nil {
			r.log.Error("the rules were not exchanged for those of the folder", "folder", r.dir, "error", err)
		}
	}
}

// look is a digest of the names, sizes and times of the folder's files.
func (r *Rules) look() (seen [sha256.Size]byte) {
	if r.dir == "" {
		return seen
	}
	h := sha256.New()
	_ = filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be looked at is not loaded either, which says why
		}
		if info, err := d.Info(); err == nil {
			h.Write([]byte(path))
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(info.Size())))
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(info.ModTime().UnixNano())))
		}
		return nil
	})
	h.Sum(seen[:0])
	return seen
}

func (r *Rules) reload(seen [sha256.Size]byte) error {
	r.mu.Lock()
	r.seen = seen // the same folder is not tried again
	r.mu.Unlock()
	own, err := OwnRules()
	if err != nil {
		return err
	}
	sources := []KnowledgeSource{{Name: "Polder", Count: len(own.Rules) + len(own.Correlations)}}
	if r.dir != "" {
		if info, err := os.Stat(r.dir); err == nil {
			sources = append(sources, r.folder(own, info))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	set, err := newRuleSet(own, ownAdvice)
	if err != nil {
		return err
	}
	r.now.Store(set)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = sources
	return nil
}

// folder adds the rules of the folder to a collection.
func (r *Rules) folder(all *sigma.Collection, info fs.FileInfo) KnowledgeSource {
	o, err := loadOptions([]string{filepath.Join(r.dir, "placeholders")})
	if err != nil {
		o = sigma.LoadOptions{} // there are none
	}
	c, wrong := sigma.Load([]string{r.dir}, o)
	all.Rules = append(all.Rules, c.Rules...)
	all.Correlations = append(all.Correlations, c.Correlations...)
	all.Filters = append(all.Filters, c.Filters...)
	s := KnowledgeSource{Name: filepath.Base(r.dir), Count: len(c.Rules) + len(c.Correlations), Changed: info.ModTime()}
	for _, e := range wrong[:min(len(wrong), maxRuleTrouble)] {
		r.log.Warn("a rule does not load", "reason", e.Error())
		s.Trouble = append(s.Trouble, e.Error())
	}
	return s
}
