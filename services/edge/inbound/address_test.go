package inbound_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/inbound"
)

func networks(t testing.TB, items ...string) inbound.Networks {
	t.Helper()
	n, err := inbound.ParseNetworks(items)
	require.NoError(t, err)
	return n
}

func TestWhoIsCalling(t *testing.T) {
	t.Parallel()
	trusted := networks(t, "10.0.0.0/8", "127.0.0.1", "fd00::/8")
	for _, c := range []struct{ name, peer, header, want string }{
		{"no proxy", "203.0.113.9", "", "203.0.113.9"},
		{"a stranger's header counts for nothing", "203.0.113.9", "198.51.100.1", "203.0.113.9"},
		{"one proxy", "10.0.0.1", "198.51.100.1", "198.51.100.1"},
		{"a forged beginning", "10.0.0.1", "1.1.1.1, 2.2.2.2, 198.51.100.1", "198.51.100.1"},
		{"two proxies", "10.0.0.1", "198.51.100.1, 10.9.9.9", "198.51.100.1"},
		{"only proxies", "10.0.0.1", "10.9.9.9, 10.8.8.8", "10.9.9.9"},
		{"a proxy without a header", "10.0.0.1", "", "10.0.0.1"},
		{"no address", "10.0.0.1", "unknown", "10.0.0.1"},
		{"no address behind a proxy", "10.0.0.1", "198.51.100.1, bogus, 10.9.9.9", "10.9.9.9"},
		{"empty items", "10.0.0.1", "198.51.100.1,,", "10.0.0.1"},
		{"with a port", "10.0.0.1", "198.51.100.1:51234", "198.51.100.1"},
		{"IPv6", "fd00::1", "2001:db8::5", "2001:db8::5"},
		{"IPv6 in brackets", "10.0.0.1", "[2001:db8::5]", "2001:db8::5"},
		{"IPv6 with a port", "10.0.0.1", "[2001:db8::5]:443", "2001:db8::5"},
		{"IPv4 written as IPv6", "::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"},
		{"a zone is no part of an address", "10.0.0.1", "fe80::1%eth0", "fe80::1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, trusted.Client(netip.MustParseAddr(c.peer), c.header).String())
		})
	}
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	t.Parallel()
	require.Equal(t, "127.0.0.1", networks(t).Client(netip.MustParseAddr("127.0.0.1"), "1.2.3.4").String())
}

func TestNetworksAreChecked(t *testing.T) {
	t.Parallel()
	for _, item := range []string{"", "everyone", "10.0.0.0/33", "10.0.0", "::1/129"} {
		_, err := inbound.ParseNetworks([]string{item})
		require.ErrorContains(t, err, "is no address or network")
	}
	n := networks(t, "192.0.2.77/24", "2001:db8::1")
	require.True(t, n.Contain(netip.MustParseAddr("192.0.2.1")), "host bits do not matter")
	require.True(t, n.Contain(netip.MustParseAddr("2001:db8::1")))
	require.False(t, n.Contain(netip.MustParseAddr("2001:db8::2")))
	require.False(t, n.Contain(netip.Addr{}))
}

// What a client writes into the header before it reaches the trusted proxy
// never changes the answer.
func TestForgedPrefixNeverCounts(t *testing.T) {
	t.Parallel()
	trusted := networks(t, "10.0.0.0/8")
	peer := netip.MustParseAddr("10.0.0.1")
	rapid.Check(t, func(t *rapid.T) {
		forged := rapid.String().Draw(t, "forged")
		client := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "client")))
		if trusted.Contain(client) {
			return // a client inside the trusted network is another proxy
		}
		require.Equal(t, client, trusted.Client(peer, forged+", "+client.String()))
	})
}

func FuzzClient(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", "1.2.3.4, 10.0.0.1", "[::1]:80", ",,,", strings.Repeat("10.0.0.1,", 100), "\x00"} {
		f.Add(seed)
	}
	trusted, err := inbound.ParseNetworks([]string{"10.0.0.0/8"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, header string) {
		proxy, stranger := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("203.0.113.9")
		require.True(t, trusted.Client(proxy, header).IsValid())
		require.Equal(t, stranger, trusted.Client(stranger, header))
	})
}
