package rig

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"tiffin"
	"tiffin/config"
	"tiffin/local/backing"
	"tiffin/local/process"
)

// NATSPassword is the password of a role of the rig's NATS server.
func NATSPassword(role string) string { return secret + role }

// NATSEnv names the passwords of all roles, as Tiffin's processes want them.
func NATSEnv() map[string]string {
	env := map[string]string{}
	for _, role := range config.NATSRoles {
		env["NATS_"+strings.ToUpper(role)+"_PASSWORD"] = NATSPassword(role)
	}
	return env
}

// BuildNATS compiles nats-server, in the version that go.mod says, into dir.
// root is the project's folder.
func BuildNATS(ctx context.Context, root, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "nats-server")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "github.com/nats-io/nats-server/v2")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building nats-server: %w\n%s", err, out)
	}
	return binary, nil
}

// NATS starts the given nats-server with the project's nats.conf.
func (r *Rig) NATS(ctx context.Context, binary string) (*Server, error) {
	s, err := r.natsServer("nats", binary, r.NATSStore())
	if err != nil {
		return nil, err
	}
	return r.Add(ctx, s)
}

// NATSStore is the folder of the stream's messages.
func (r *Rig) NATSStore() string { return filepath.Join(r.dir, "jetstream") }

// NATSCluster starts so many of the given nats-server as one cluster, with the
// project's nats.conf and, on the command line, what makes it a cluster, as
// compose.yaml does. Servers do not tell clients of each other: who may reach
// whom is the rig's affair.
func (r *Rig) NATSCluster(ctx context.Context, binary string, nodes int) ([]*Server, error) {
	routes := make([]string, nodes)
	for i := range routes {
		number, err := r.ports.Take(25500)
		if err != nil {
			return nil, err
		}
		routes[i] = (&url.URL{Scheme: "nats", User: url.UserPassword("route", secret), Host: loopback(number)}).String()
	}
	servers := make([]*Server, nodes)
	for i := range servers {
		name := fmt.Sprintf("nats-%d", i+1)
		s, err := r.natsServer(name, binary, filepath.Join(r.dir, name),
			"--name="+name, "--cluster_name=tiffin", "--cluster="+routes[i], "--routes="+strings.Join(routes, ","), "--no_advertise")
		if err != nil {
			return nil, err
		}
		if servers[i], err = r.Add(ctx, s); err != nil {
			return nil, err
		}
	}
	return servers, nil
}

// natsServer describes a nats-server with the project's nats.conf.
func (r *Rig) natsServer(name, binary, store string, args ...string) (backing.Server, error) {
	number, err := r.ports.Take(25000)
	if err != nil {
		return backing.Server{}, err
	}
	conf := filepath.Join(r.dir, "nats.conf")
	if err := os.WriteFile(conf, tiffin.NATSConf, 0o600); err != nil {
		return backing.Server{}, err
	}
	env := NATSEnv()
	env["NATS_HOST"], env["NATS_PORT"], env["NATS_STORE_DIR"] = `"127.0.0.1"`, strconv.Itoa(number), strconv.Quote(store)
	u := (&url.URL{Scheme: "nats", Host: loopback(number)}).String()
	return backing.Server{
		Name: name, URL: u,
		Command: process.Command{Name: name, Path: binary, Args: append([]string{"-c", conf}, args...), Dir: r.dir, Env: environ(env)},
		Probe: func(context.Context) error {
			conn, err := nats.Connect(u)
			if err != nil {
				return err
			}
			conn.Close()
			return nil
		},
	}, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
