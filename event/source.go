package event

import (
	"slices"
	"strings"
	"sync"
)

// Source is what kind of log an event comes from, in the words of Sigma's logsource: product windows, category
// process_creation, service sysmon. One event may be of several categories and services (a Sysmon event 13 is
// registry_set and registry_event). The zero value is a log of which nothing is known.
type Source struct {
	Product    string
	Categories []string
	Services   []string
}

// Is says whether the source is of this product, category and service; empty ones are not asked.
func (s *Source) Is(product, category, service string) bool {
	return (product == "" || product == s.Product) &&
		(category == "" || slices.Contains(s.Categories, category)) &&
		(service == "" || slices.Contains(s.Services, service))
}

// Known says whether anything is known of the source.
func (s *Source) Known() bool { return s.Product != "" || len(s.Categories)+len(s.Services) > 0 }

// nothing is the source of events of which nothing is known.
var nothing Source

// maxSources bounds the sources that logs can make a process remember.
const maxSources = 1 << 12

var sources = struct {
	sync.RWMutex
	byWords map[string]*Source
}{byWords: map[string]*Source{}}

// knownSource is the one pointer for these words. Words that come out of a log are bounded in number: beyond it, and
// when there are none, nothing is known of the source. Call it when a record brings new words and keep the answer.
func knownSource(product string, categories, services []string) *Source {
	key := strings.Join([]string{product, strings.Join(categories, ","), strings.Join(services, ",")}, "\x00")
	sources.RLock()
	s := sources.byWords[key]
	sources.RUnlock()
	if s != nil {
		return s
	}
	sources.Lock()
	defer sources.Unlock()
	if s := sources.byWords[key]; s != nil {
		return s
	}
	s = &Source{Product: product, Categories: slices.Clone(categories), Services: slices.Clone(services)}
	if !s.Known() || len(sources.byWords) >= maxSources {
		return &nothing
	}
	sources.byWords[key] = s
	return s
}
