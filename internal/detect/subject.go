package detect

import (
	"slices"
	"sync"

	"github.com/polder-exchange/polder/event"
)

// hostNames and accountNames are the fields that say where an event happened and under whose account, in the names of
// Sigma's taxonomy, ECS and OCSF, the most telling first. Where no machine is named, the address that
// began a connection stands for it.
var (
	hostNames = []string{
		"Computer", "ComputerName", "Hostname", "host.hostname", "host.name", "device.hostname", "hostname",
		"dvchost", "devname", "observer.name", "node", "id.orig_h", "src_ip", "source.ip", "src_endpoint.ip", "c-ip", "sourceIPAddress", "ClientIP",
	}
	accountNames = []string{
		"User", "SubjectUserName", "TargetUserName", "AccountName", "UserId", "UserPrincipalName", "userPrincipalName",
		"userIdentity.arn", "user.name", "actor.user.name", "user", "username", "cs-username", "auid",
	}
)

// subjects finds whom events are about. It remembers, for each name of a field, which of the two it tells and how well;
// it is asked for events that matched only. Any goroutine may use it.
type subjects struct {
	mu    sync.RWMutex
	ranks map[fieldOf]subjectRank
}

// webHost is what Sigma calls the site of a request, which some logs write as host too.
const webHost = "cs-host"

type fieldOf struct {
	mapping *event.Mapping
	name    event.Name
}

// subjectRank is how early a field stands in the two lists; 0 is not at all.
type subjectRank struct{ host, account int }

// of is the host and the account that an event names; "" where it does not.
func (s *subjects) of(ev *event.Event) (host, account string) {
	var hostRank, accountRank int
	for i := range ev.Fields {
		f := &ev.Fields[i]
		if f.Name == event.Other || len(f.Value) == 0 || string(f.Value) == "-" {
			continue
		}
		r := s.rank(ev.Mapping, f.Name)
		if r.host > 0 && (hostRank == 0 || r.host < hostRank) {
			host, hostRank = string(f.Text(nil)), r.host
		}
		if r.account > 0 && (accountRank == 0 || r.account < accountRank) {
			account, accountRank = string(f.Text(nil)), r.account
		}
	}
	return host, account
}

func (s *subjects) rank(m *event.Mapping, n event.Name) subjectRank {
	key := fieldOf{m, n}
	s.mu.RLock()
	r, ok := s.ranks[key]
	s.mu.RUnlock()
	if ok {
		return r
	}
	names := m.Names(n.String())
	for _, name := range names {
		r.host = earlier(r.host, slices.Index(hostNames, name)+1)
		r.account = earlier(r.account, slices.Index(accountNames, name)+1)
	}
	if slices.Contains(names, webHost) && !slices.Contains(names, hostNames[0]) {
		r.host = 0 // the site that was asked for, not the machine that asked
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ranks == nil {
		s.ranks = map[fieldOf]subjectRank{}
	}
	s.ranks[key] = r
	return r
}

// earlier is the smaller of two ranks that are not 0.
func earlier(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
