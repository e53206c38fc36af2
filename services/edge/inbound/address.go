package inbound

import (
	"fmt"
	"net/netip"
	"strings"
)

// maxHops bounds how many addresses of an X-Forwarded-For are looked at. Real
// chains have one to three.
const maxHops = 32

// Networks is a set of addresses.
type Networks []netip.Prefix

// ParseNetworks reads addresses ("10.0.0.1", "::1") and networks
// ("10.0.0.0/8"). The error names the faulty item.
func ParseNetworks(items []string) (Networks, error) {
	networks := make(Networks, 0, len(items))
	for _, item := range items {
		if addr, err := netip.ParseAddr(item); err == nil {
			addr = addr.Unmap().WithZone("")
			networks = append(networks, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(item)
		if err != nil {
			return nil, fmt.Errorf("%q is no address or network", item)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// Contain reports whether addr is one of them.
func (n Networks) Contain(addr netip.Addr) bool {
	for _, network := range n {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Client finds who is calling: the peer of the connection, unless that is a
// trusted proxy. Then X-Forwarded-For is read from its end, which is the part
// that trusted proxies wrote, up to the first address that is not a trusted
// proxy. What stands before it may be anything a client has made up. An item
// that is no address ends the search too: the last good one is the proxy that
// let it pass.
func (n Networks) Client(peer netip.Addr, forwardedFor string) netip.Addr {
	client := peer.Unmap().WithZone("")
	for hop := 0; hop < maxHops && forwardedFor != "" && n.Contain(client); hop++ {
		item := forwardedFor
		if comma := strings.LastIndexByte(forwardedFor, ','); comma >= 0 {
			forwardedFor, item = forwardedFor[:comma], forwardedFor[comma+1:]
		} else {
			forwardedFor = ""
		}
		addr, ok := parseHop(strings.TrimSpace(item))
		if !ok {
			break
		}
		client = addr
	}
	return client
}

// parseHop reads an address, with a port and in brackets as some proxies write
// it.
func parseHop(item string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(item, "["), "]"))
	if err != nil {
		withPort, perr := netip.ParseAddrPort(item)
		if perr != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}
