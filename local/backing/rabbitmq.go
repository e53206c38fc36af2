package backing

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/local/process"
)

// RabbitMQConfig describes one private broker.
type RabbitMQConfig struct {
	Name     string
	Dir      string // absolute; its own folder, made when missing
	Port     int
	EpmdPort int    // of the Epmd server that it uses
	DistPort int    // Erlang's own protocol, for rabbitmqctl
	Password string // of the user and virtual host "tiffin"
	// ManagementPort switches the management plugin on: for tests, which make
	// virtual hosts through it. It slows stopping, so up does without.
	ManagementPort int
	TLS            *TLSFiles
}

const (
	rabbitUser  = "tiffin"
	rabbitVhost = "tiffin"
)

// Epmd returns Erlang's port mapper. RabbitMQ starts it as a daemon that outlives
// it, unless one runs already. So we run it, as a child.
func Epmd(name string, port int) (Server, error) {
	bin, err := lookup("epmd", "rabbitmq-server", "/usr/bin", "/usr/lib/erlang/bin")
	if err != nil {
		return Server{}, err
	}
	return Server{
		Name: name, Address: loopback(port),
		Command: process.Command{
			Name: name, Path: bin, Dir: "/",
			// Relaxed checking is what lets a stop through while a node is registered.
			Args: []string{"-address", "127.0.0.1", "-port", strconv.Itoa(port), "-relaxed_command_check"},
		},
		Probe: dialable(loopback(port)),
	}, nil
}

// RabbitMQ returns a broker that uses none of the machine's RabbitMQ settings.
func RabbitMQ(c RabbitMQConfig) (Server, error) {
	folders := append([]string{"/usr/lib/rabbitmq/bin"}, byVersion("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin")...)
	// Not the one on PATH, if it can be helped: Debian's wrapper there insists
	// on switching to a user of its own.
	bin, err := lookup("rabbitmq-server", "rabbitmq-server", folders...)
	if err != nil {
		return Server{}, err
	}
	scheme := "amqp"
	if c.TLS != nil {
		scheme = "amqps"
	}
	u := url.URL{Scheme: scheme, User: url.UserPassword(rabbitUser, c.Password), Host: loopback(c.Port), Path: "/" + rabbitVhost}
	return Server{
		Name: c.Name, Address: loopback(c.Port), URL: u.String(),
		Prepare: c.prepare,
		Command: process.Command{
			Name: c.Name, Path: bin, Dir: c.Dir, Env: c.env(), StopTimeout: 20 * time.Second,
		},
		Probe: func(ctx context.Context) error { return amqpPing(ctx, u.String(), c.TLS) },
	}, nil
}

// env replaces the whole environment, because /etc/rabbitmq and variables of
// the caller would otherwise reach into this broker.
func (c RabbitMQConfig) env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH") + ":/usr/bin:/bin", "LANG=C.UTF-8",
		"HOME=" + c.Dir, // the Erlang cookie is made there
		"RABBITMQ_NODENAME=" + c.Name + "@localhost",
		"RABBITMQ_MNESIA_BASE=" + filepath.Join(c.Dir, "data"),
		"RABBITMQ_LOG_BASE=" + filepath.Join(c.Dir, "log"), "RABBITMQ_LOGS=-",
		"RABBITMQ_CONFIG_FILE=" + filepath.Join(c.Dir, "rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + filepath.Join(c.Dir, "advanced.config"),
		"RABBITMQ_CONF_ENV_FILE=" + filepath.Join(c.Dir, "rabbitmq-env.conf"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(c.Dir, "enabled_plugins"),
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(c.DistPort),
		"ERL_EPMD_PORT=" + strconv.Itoa(c.EpmdPort), "ERL_EPMD_ADDRESS=127.0.0.1",
		// Erlang starts an epmd by itself where it finds none. When a stop comes during
		// the start, ours is gone by then, and that one would be left behind.
		"ERL_AFLAGS=-start_epmd false",
		// Idle schedulers sleep instead of spinning: two cores are shared by all.
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none",
		// Without a supervisor the start script stays as a parent that a kill -9
		// would have to miss; with one it becomes the broker.
		"RUNNING_UNDER_SYSTEMD=true",
	}
}

func (c RabbitMQConfig) prepare(ctx context.Context) error {
	plugins := "[]."
	conf := []string{
		"default_user = " + rabbitUser, "default_pass = " + c.Password, "default_vhost = " + rabbitVhost,
		"log.console = true", "log.console.level = warning", "log.file = false",
		"disk_free_limit.absolute = 200MB",
	}
	if t := c.TLS; t != nil {
		conf = append(conf, "listeners.tcp = none", "listeners.ssl.1 = "+loopback(c.Port), "ssl_options.verify = verify_none",
			"ssl_options.cacertfile = "+t.CA, "ssl_options.certfile = "+t.Cert, "ssl_options.keyfile = "+t.Key)
	} else {
		conf = append(conf, "listeners.tcp.1 = "+loopback(c.Port))
	}
	if c.ManagementPort != 0 {
		plugins = "[rabbitmq_management]."
		conf = append(conf, "management.tcp.ip = 127.0.0.1", fmt.Sprintf("management.tcp.port = %d", c.ManagementPort))
	}
	for _, dir := range []string{c.Dir, filepath.Join(c.Dir, "data"), filepath.Join(c.Dir, "log")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	files := map[string]string{
		"rabbitmq.conf":   strings.Join(conf, "\n") + "\n",
		"advanced.config": "[].\n", "rabbitmq-env.conf": "", "enabled_plugins": plugins + "\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	// Without its port mapper it would start a daemon of its own.
	return await(ctx, dialable(loopback(c.EpmdPort)), nil)
}

// amqpPing logs in and out. Between two bytes the broker may be starting, so
// the handshake has a deadline.
func amqpPing(ctx context.Context, address string, secure *TLSFiles) error {
	conf, err := secure.client()
	if err != nil {
		return err
	}
	conn, err := amqp.DialConfig(address, amqp.Config{
		TLSClientConfig: conf,
		Dial: func(network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return conn, conn.SetDeadline(time.Now().Add(probeTimeout))
		},
	})
	if err != nil {
		return err
	}
	return conn.Close()
}
