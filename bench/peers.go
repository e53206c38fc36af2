package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiffin/e2e/product"
)

// startBareHop builds and runs the ceiling, in three processes as services are
// deployed or in one as `tiffin up` is; it returns the edge's address.
func startBareHop(ctx context.Context, dir, dbURL string, apart bool) (addr string, stop func() error, err error) {
	binary := filepath.Join(dir, "barehop")
	if out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "./bench/peers/barehop").CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("building the bare hop: %w\n%s", err, out)
	}
	nats, edge := strconv.Itoa(product.FreePort()), strconv.Itoa(product.FreePort())
	parts := [][]string{{"all", nats, dbURL, edge}}
	if apart {
		parts = [][]string{{"nats", nats}, {"service", nats, dbURL}, {"edge", nats, edge}}
	}
	var stops []func() error
	stop = func() (err error) {
		for _, stop := range slices.Backward(stops) {
			err = errors.Join(err, stop())
		}
		return err
	}
	for _, args := range parts {
		listens := map[string]string{"all": edge, "nats": nats, "edge": edge}[args[0]]
		one, err := startPeer(exec.CommandContext(ctx, binary, args...), listens)
		if err != nil {
			return "", nil, errors.Join(err, stop())
		}
		stops = append(stops, one)
	}
	return "127.0.0.1:" + edge, stop, nil
}

// startExpress runs the peer's service and gateway; it returns the gateway's
// address.
func startExpress(ctx context.Context, dbURL string) (addr string, stop func() error, err error) {
	const dir = "bench/peers/express"
	if _, err := os.Stat(dir + "/node_modules"); err != nil {
		if out, err := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--prefix", dir).CombinedOutput(); err != nil {
			return "", nil, fmt.Errorf("installing express: %w\n%s", err, out)
		}
	}
	service, gateway := strconv.Itoa(product.FreePort()), strconv.Itoa(product.FreePort())
	stopService, err := startPeer(exec.CommandContext(ctx, "node", dir+"/service.mjs", service, dbURL), service)
	if err != nil {
		return "", nil, err
	}
	stopGateway, err := startPeer(exec.CommandContext(ctx, "node", dir+"/gateway.mjs", gateway, "http://127.0.0.1:"+service), gateway)
	if err != nil {
		return "", nil, errors.Join(err, stopService())
	}
	return "127.0.0.1:" + gateway, func() error { return errors.Join(stopGateway(), stopService()) }, nil
}

// startPeer starts a process and returns once its port answers. A process
// without a port is given its time by whoever asks it first.
func startPeer(cmd *exec.Cmd, port string) (stop func() error, err error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var said strings.Builder
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
		}
	}()
	stop = func() error {
		if err := cmd.Process.Kill(); err != nil {
			return err
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			return err
		}
		return nil
	}
	if port == "" {
		return stop, nil
	}
	for range 800 {
		if conn, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second); err == nil {
			return stop, conn.Close()
		}
		time.Sleep(25 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("%s did not listen on %s: %s", cmd.Path, port, said.String()), stop())
}

func unmarshal(text string, into any) error { return json.Unmarshal([]byte(text), into) }
