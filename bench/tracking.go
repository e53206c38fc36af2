package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"tiffin/bench/proc"
	"tiffin/bench/report"
	"tiffin/e2e/product"
)

// The size of the crowd every figure of live tracking but memory is measured
// with.
const (
	watchers         = 1000
	rooms            = 200
	customersOfCrowd = 4
)

// The cores: what is measured has one for itself, and everything else shares
// the other: load, Redis, the rest of the fleet.
const (
	serverCore = "0"
	loadCore   = "1"
	bothCores  = "0,1"
)

// trackingParts are the parts of the suite; all of one need the same servers.
var trackingParts = map[string]func(context.Context, stage) ([]report.Figure, error){
	"fanout":   fanoutPart,
	"overload": overloadPart,
	"memory":   memoryPart,
	"location": locationPart,
	"slow":     slowPart,
}

// trackingSuite measures all of live tracking, which takes a quarter of an
// hour.
func trackingSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	for _, name := range slices.Sorted(maps.Keys(trackingParts)) {
		part := s
		if part.Dir, err = os.MkdirTemp(s.Dir, name); err != nil {
			return figures, err
		}
		more, err := trackingParts[name](ctx, part)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", name, err)
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

// crowd is a fleet with as many orders as there are rooms, whose customers are
// who watches: one has fewer connections than a user may have.
type crowd struct {
	*product.Product

	stage  stage
	orders []string
	tokens []string // whose each order is
	stops  []func() error
}

// gather starts the fleet on the cores given and makes the orders.
func gather(ctx context.Context, s stage, cores string) (c *crowd, err error) {
	if err := proc.Pin(os.Getpid(), cores); err != nil {
		return nil, err
	}
	fleet, err := product.Start(product.Options{Binary: s.Binary, Home: filepath.Join(s.Dir, "tracking"), Env: s.environment(map[string]string{"ACCEPT_TTL": "24h"})})
	if err != nil {
		return nil, err
	}
	c = &crowd{Product: fleet, stage: s, stops: []func() error{fleet.Stop}}
	if err := c.order(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// order makes the orders.
func (c *crowd) order(ctx context.Context) error {
	shop, err := openShop(ctx, c.Product, sanFrancisco)
	if err != nil {
		return err
	}
	var body product.Object
	if err := unmarshal(shop.orderBody, &body); err != nil {
		return err
	}
	c.orders, c.tokens = []string{shop.order}, []string{shop.customer.Token}
	customer := shop.customer
	for n := 1; n < rooms; n++ {
		if n%(rooms/customersOfCrowd) == 0 {
			if customer, err = c.Register(ctx, "customer", shop.city); err != nil {
				return err
			}
		}
		order, err := customer.Want(ctx, http.StatusCreated, "POST", "/orders", body)
		if err != nil {
			return err
		}
		id, _ := order["id"].(string)
		c.orders, c.tokens = append(c.orders, id), append(c.tokens, customer.Token)
	}
	return nil
}

// close stops everything, the newest first.
func (c *crowd) close() (err error) {
	for _, stop := range slices.Backward(c.stops) {
		err = errors.Join(err, stop())
	}
	return errors.Join(err, proc.Pin(os.Getpid(), bothCores))
}

// edge starts one more edge of the fleet, a process of its own on the cores
// given, with more variables if there are.
func (c *crowd) edge(cores string, more ...string) (*server, error) {
	port, trackingPort := product.FreePort(), product.FreePort()
	cmd := exec.Command("taskset", "-c", cores, c.stage.Binary, "run", "edge")
	cmd.Dir = c.stage.Dir
	cmd.Env = append(os.Environ(), "API_GATEWAY_PORT="+strconv.Itoa(port), "TRACKING_SERVICE_PORT="+strconv.Itoa(trackingPort))
	for name, value := range c.stage.environment(c.Env) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, more...)
	return c.run("tiffin", cmd, port, socketIO(c.tokens...), liveMessage)
}

// socketIOPeer starts Socket.IO's own server.
func (c *crowd) socketIOPeer() (*server, error) {
	const dir = "bench/peers/socketio"
	if err := installed(dir); err != nil {
		return nil, err
	}
	port := product.FreePort()
	cmd := exec.Command("taskset", "-c", serverCore, "node", dir+"/server.mjs", strconv.Itoa(port), c.Env["REDIS_URL"])
	return c.run("socket.io", cmd, port, socketIO(), emitterMessage)
}

// centrifugePeer starts the server made of Centrifugo's library.
func (c *crowd) centrifugePeer(ctx context.Context) (*server, error) {
	binary, err := filepath.Abs(filepath.Join(c.stage.Dir, "centrifuge"))
	if err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-C", "bench/peers/centrifuge", "-buildvcs=false", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the centrifuge peer: %w\n%s", err, out)
	}
	port := product.FreePort()
	cmd := exec.Command("taskset", "-c", serverCore, binary, strconv.Itoa(port), c.Env["REDIS_URL"])
	return c.run("centrifuge", cmd, port, centrifugeClient, brokerMessage)
}

// barePeer starts the ceiling, a broadcast without Redis.
func (c *crowd) barePeer(ctx context.Context) (*server, error) {
	binary := filepath.Join(c.stage.Dir, "barews")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "./bench/peers/barews")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the bare broadcast: %w\n%s", err, out)
	}
	port, feed := product.FreePort(), product.FreePort()
	cmd := exec.Command("taskset", "-c", serverCore, binary, strconv.Itoa(port), strconv.Itoa(feed), strconv.Itoa(rooms))
	s, err := c.run("bare", cmd, port, bareClient, nil)
	if err != nil {
		return nil, err
	}
	s.feed = fmt.Sprintf("127.0.0.1:%d", feed)
	return s, nil
}

// run starts a server; it stops with the crowd.
func (c *crowd) run(name string, cmd *exec.Cmd, port int, join joiner, encode encoder) (*server, error) {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	stop, err := startPeer(cmd, strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	c.stops = append(c.stops, stop)
	return &server{name: name, addr: addr, pid: cmd.Process.Pid, join: join, encode: encode, crowd: c}, nil
}

// installed runs npm ci once.
func installed(dir string) error {
	if _, err := os.Stat(dir + "/node_modules"); err == nil {
		return nil
	}
	if out, err := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--prefix", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("installing %s: %w\n%s", dir, err, out)
	}
	return nil
}
