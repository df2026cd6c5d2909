package event

import "slices"

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
