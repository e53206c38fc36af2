package micro

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

// ConnConfig says how a role connects. Role is the NATS user and, as _INBOX_<role>, the prefix of its private inboxes.
type ConnConfig struct {
	URL      string
	Role     string
	Password string
	Log      *slog.Logger
	// TLS, when set, is required: a server that offers none is refused.
	TLS *tls.Config
	// OnLost, when set, is called once the connection is closed for good, with the reason.
	OnLost func(error)
	// Options are appended last, for tests: an in-process connection, for example.
	Options []nats.Option
}

// InboxPrefix gives the prefix of a role's private inboxes. nats.conf lets nobody else subscribe there.
func InboxPrefix(role string) string { return "_INBOX_" + role }

// Connect opens a role's connection. It fails when no server answers now; afterwards it reconnects for ever, and while
// disconnected every publish fails at once instead of being sent later, when its caller has long given up.
func Connect(cfg ConnConfig) (*nats.Conn, error) {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("role", cfg.Role)
	opts := append([]nats.Option{
		nats.Name(connName(cfg.Role)),
		nats.UserInfo(cfg.Role, cfg.Password),
		nats.CustomInboxPrefix(InboxPrefix(cfg.Role)),
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.Timeout(3 * time.Second),
		// With the library's 2 minutes a paused server is noticed after 4. Three seconds keep that under ten: until then
		// every request that goes there is lost.
		nats.PingInterval(3 * time.Second),
		nats.MaxPingsOutstanding(2),
		// A password that was rotated while disconnected must not end the process: keep trying.
		nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("nats disconnected", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("nats reconnected", "url", nc.ConnectedUrlRedacted()) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if sub != nil {
				log.Warn("nats subscription error", "subject", sub.Subject, "error", err)
				return
			}
			log.Warn("nats error", "error", err)
		}),
		nats.ClosedHandler(func(nc *nats.Conn) {
			if cfg.OnLost != nil {
				cfg.OnLost(nc.LastError())
			}
		}),
	}, cfg.Options...)
	if cfg.TLS != nil {
		opts = append(opts, nats.Secure(cfg.TLS))
	}
	nc, err := nats.Connect(cfg.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to nats as %s: %w", cfg.Role, err)
	}
	return nc, nil
}

// connName shows up in `nats server report connections`.
func connName(role string) string { return fmt.Sprintf("tiffin-%s-%d", role, os.Getpid()) }
