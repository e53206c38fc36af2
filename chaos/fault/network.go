package fault

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Network is the connections between the processes, each through a proxy that
// can be told to fail.
type Network struct {
	server *toxiproxy.ApiServer // of the library; it listens nowhere
	links  map[string]*toxiproxy.Proxy
}

// toxics of the kinds of faults, as toxiproxy describes them. A timeout of 0
// holds everything back until the toxic is taken away.
var toxics = map[Kind]string{
	Freeze: `{"name": "fault", "type": "timeout", "stream": "downstream", "toxicity": 1, "attributes": {"timeout": 0}}`,
	Slow:   `{"name": "fault", "type": "latency", "stream": "downstream", "toxicity": 1, "attributes": {"latency": 150, "jitter": 100}}`,
}

// NewNetwork makes a network without links.
func NewNetwork() *Network {
	return &Network{
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
		links:  map[string]*toxiproxy.Proxy{},
	}
}

// Link puts a proxy on a loopback port before a server, and gives the server's
// URL by way of the proxy.
func (n *Network) Link(name, to string, port int) (string, error) {
	u, err := url.Parse(to)
	if err != nil {
		return "", err
	}
	proxy := toxiproxy.NewProxy(n.server, name, net.JoinHostPort("127.0.0.1", fmt.Sprint(port)), u.Host)
	if err := n.server.Collection.Add(proxy, true); err != nil {
		return "", fmt.Errorf("link %s: %w", name, err)
	}
	n.links[name] = proxy
	u.Host = proxy.Listen
	return u.String(), nil
}

// Disturb begins a fault of the link that is the fault's target: Cut, Freeze or
// Slow.
func (n *Network) Disturb(f Fault) error {
	proxy := n.links[f.Target]
	if f.Kind == Cut {
		proxy.Stop()
		return nil
	}
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxics[f.Kind]))
	return err
}

// Heal ends it.
func (n *Network) Heal(ctx context.Context, f Fault) error {
	proxy := n.links[f.Target]
	if f.Kind == Cut {
		return proxy.Start()
	}
	return proxy.Toxics.RemoveToxic(ctx, "fault")
}

// Close ends all links.
func (n *Network) Close() error { return n.server.Collection.Clear() }
