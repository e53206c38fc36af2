package edge

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"
)

// Server is an edge whose listeners are open. Make it with New, then Run it.
type Server struct {
	cfg      Config
	log      *slog.Logger
	main     *fiber.App
	tracking *fiber.App

	mainLn, trackingLn net.Listener
}

// New opens both listeners, so that a port in use is an error here, before anything else starts. Connections wait in
// the kernel until Run serves them.
func New(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, log: cfg.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.main = fiber.New(fiber.Config{DisableStartupMessage: true})
	s.tracking = fiber.New(fiber.Config{DisableStartupMessage: true})
	var err error
	if s.mainLn, err = net.Listen("tcp", net.JoinHostPort(cfg.BindAddress, strconv.Itoa(cfg.Port))); err != nil {
		return nil, fmt.Errorf("API_GATEWAY_PORT: %w", err)
	}
	if s.trackingLn, err = net.Listen("tcp", net.JoinHostPort(cfg.BindAddress, strconv.Itoa(cfg.TrackingPort))); err != nil {
		return nil, fmt.Errorf("TRACKING_SERVICE_PORT: %w", err)
	}
	return s, nil
}

// Addr is where REST, realtime and the web app are served.
func (s *Server) Addr() net.Addr { return s.mainLn.Addr() }

// TrackingAddr is where realtime alone is served.
func (s *Server) TrackingAddr() net.Addr { return s.trackingLn.Addr() }

// Run serves until ctx ends, finishes what is in flight and returns nil. It returns an error when a listener fails.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.main.Listener(s.mainLn) })
	g.Go(func() error { return s.tracking.Listener(s.trackingLn) })
	g.Go(func() error {
		<-ctx.Done()
		return s.main.ShutdownWithTimeout(10 * time.Second)
	})
	g.Go(func() error {
		<-ctx.Done()
		return s.tracking.ShutdownWithTimeout(10 * time.Second)
	})
	return g.Wait()
}
