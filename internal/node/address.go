package node

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// addresses finds the address that asks: the connection's, or, when that is one of the listed proxies, the last address
// in X-Forwarded-For that is none of them. What anybody else says in that header is ignored (trust.md S23).
func addresses(proxies []string) func(*http.Request) netip.Addr {
	var known []netip.Addr
	for _, p := range proxies {
		if a, err := netip.ParseAddr(p); err == nil {
			known = append(known, a.Unmap())
		}
	}
	return func(r *http.Request) netip.Addr {
		at, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return netip.Addr{}
		}
		from := at.Addr().Unmap()
		said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(said) - 1; i >= 0 && slices.Contains(known, from); i-- {
			next, err := netip.ParseAddr(strings.TrimSpace(said[i]))
			if err != nil {
				break
			}
			from = next.Unmap()
		}
		return from
	}
}
