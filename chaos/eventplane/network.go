package eventplane

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is the connections between the processes, each through a proxy that
// can be told to fail.
type network struct {
	server *toxiproxy.ApiServer // of the library; it listens nowhere
	links  map[string]*toxiproxy.Proxy
}

// toxics of the kinds of faults, as toxiproxy describes them. A timeout of 0
// holds everything back until the toxic is taken away.
var toxics = map[kind]string{
	freeze: `{"name": "fault", "type": "timeout", "stream": "downstream", "toxicity": 1, "attributes": {"timeout": 0}}`,
	slow:   `{"name": "fault", "type": "latency", "stream": "downstream", "toxicity": 1, "attributes": {"latency": 150, "jitter": 100}}`,
}

func newNetwork() *network {
	return &network{
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
		links:  map[string]*toxiproxy.Proxy{},
	}
}

// link puts a proxy on a loopback port before a server, and gives the server's
// URL by way of the proxy.
func (n *network) link(name, to string, port int) (string, error) {
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

// disturb begins a fault of a link.
func (n *network) disturb(f fault) error {
	proxy := n.links[f.target]
	if f.kind == cut {
		proxy.Stop()
		return nil
	}
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxics[f.kind]))
	return err
}

// heal ends it.
func (n *network) heal(ctx context.Context, f fault) error {
	proxy := n.links[f.target]
	if f.kind == cut {
		return proxy.Start()
	}
	return proxy.Toxics.RemoveToxic(ctx, "fault")
}

// close ends all links.
func (n *network) close() error { return n.server.Collection.Clear() }
