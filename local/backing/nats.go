package backing

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"tiffin"
	"tiffin/config"
)

// NATSConfig describes the NATS server inside this process.
type NATSConfig struct {
	Host     string
	Port     int    // server.RANDOM_PORT chooses one
	StoreDir string // absolute; JetStream's folder, made when missing
	// Password returns the password of a role of nats.conf.
	Password func(role string) string
	TLS      *TLSFiles
	// Logger, when set, gets the server's messages.
	Logger server.Logger
}

// natsReady is how long the server may take until it accepts clients; it
// recovers its streams first.
const natsReady = 30 * time.Second

// natsHandshake is how long a client may take for TLS, in seconds.
const natsHandshake = 5

// StartNATS starts the server that nats.conf describes and returns when it
// accepts clients. Stop it with Shutdown and WaitForShutdown.
func StartNATS(c NATSConfig) (*server.Server, error) {
	opts, err := natsOptions(c)
	if err != nil {
		return nil, fmt.Errorf("nats.conf: %w", err)
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	log := &fatalLog{next: c.Logger, fatal: make(chan string, 1)}
	srv.SetLoggerV2(log, false, false, false)
	srv.Start()
	if err := log.awaitReady(srv); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	return srv, nil
}

// fatalLog passes messages on and hears of what cannot work: an embedded
// server tells it nowhere else.
type fatalLog struct {
	next  server.Logger // may be nil
	fatal chan string
}

// awaitReady returns once clients are accepted.
func (l *fatalLog) awaitReady(srv *server.Server) error {
	for deadline := time.Now().Add(natsReady); time.Now().Before(deadline); {
		if srv.ReadyForConnections(50 * time.Millisecond) {
			return nil
		}
		select {
		case reason := <-l.fatal:
			return errors.New("nats: " + reason)
		default:
		}
	}
	return fmt.Errorf("nats: not ready within %s", natsReady)
}

// Fatalf keeps the first message for awaitReady.
func (l *fatalLog) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
	l.pass(server.Logger.Fatalf, format, v)
}

// Noticef and the others only pass on.
func (l *fatalLog) Noticef(format string, v ...any) { l.pass(server.Logger.Noticef, format, v) }

// Warnf passes on.
func (l *fatalLog) Warnf(format string, v ...any) { l.pass(server.Logger.Warnf, format, v) }

// Errorf passes on.
func (l *fatalLog) Errorf(format string, v ...any) { l.pass(server.Logger.Errorf, format, v) }

// Debugf passes on.
func (l *fatalLog) Debugf(format string, v ...any) { l.pass(server.Logger.Debugf, format, v) }

// Tracef passes on.
func (l *fatalLog) Tracef(format string, v ...any) { l.pass(server.Logger.Tracef, format, v) }

func (l *fatalLog) pass(method func(server.Logger, string, ...any), format string, v []any) {
	if l.next != nil {
		method(l.next, format, v...)
	}
}

// natsOptions lets nats-server itself read nats.conf. Its variables are
// normally the process's environment; here they are defined at the top of a
// copy, because the environment of a process that runs many things is not ours
// to change. The copy holds the passwords, so it is gone at once.
func natsOptions(c NATSConfig) (*server.Options, error) {
	if err := os.MkdirAll(c.StoreDir, 0o700); err != nil {
		return nil, err
	}
	var conf bytes.Buffer
	define := func(name, value string) { fmt.Fprintf(&conf, "%s: %s\n", name, value) }
	define("NATS_HOST", strconv.Quote(c.Host))
	define("NATS_PORT", strconv.Itoa(c.Port))
	define("NATS_STORE_DIR", strconv.Quote(c.StoreDir))
	for _, role := range config.NATSRoles {
		define("NATS_"+strings.ToUpper(role)+"_PASSWORD", strconv.Quote(c.Password(role)))
	}
	conf.Write(tiffin.NATSConf)
	dir, err := os.MkdirTemp("", "tiffin-nats-") // 0700
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "nats.conf")
	err = os.WriteFile(path, conf.Bytes(), 0o600)
	var opts *server.Options
	if err == nil {
		opts, err = server.ProcessConfigFile(path)
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		return nil, err
	}
	if t := c.TLS; t != nil {
		opts.TLSConfig, err = server.GenTLSConfig(&server.TLSConfigOpts{CertFile: t.Cert, KeyFile: t.Key})
		if err != nil {
			return nil, err
		}
		opts.TLS, opts.TLSTimeout = true, natsHandshake
	}
	// Signals are the supervisor's, and the log is the caller's.
	opts.NoSigs, opts.NoLog = true, c.Logger == nil
	return opts, nil
}
