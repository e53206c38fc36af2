// Command barews is the ceiling of live tracking: a bare Fiber broadcast with a
// queue and a writer for each socket, and nothing else: no Redis, no rooms that
// come and go, no checks. A socket belongs to the group its URL names; a line
// "<group> <message>" on the second port goes to all sockets of the group.
//
// Usage: barews PORT FEED_PORT GROUPS
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// queue is how many messages wait for a socket before new ones are dropped.
const queue = 256

// group is the sockets that get the same messages.
type group struct {
	mu     sync.RWMutex
	queues []chan []byte
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(port, feedPort, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	groups := make([]group, n)
	feed, err := net.Listen("tcp", "127.0.0.1:"+feedPort)
	if err != nil {
		return err
	}
	go accept(feed, groups)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ws/:group", websocket.New(func(c *websocket.Conn) {
		i, err := strconv.Atoi(c.Params("group"))
		if err != nil || i < 0 || i >= len(groups) {
			return
		}
		groups[i].serve(c)
	}))
	return app.Listen("127.0.0.1:" + port)
}

// serve writes what is queued for the socket while another goroutine reads it.
func (g *group) serve(c *websocket.Conn) {
	messages := make(chan []byte, queue)
	g.mu.Lock()
	g.queues = append(g.queues, messages)
	g.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
		}
	}()
	defer func() {
		g.mu.Lock()
		g.queues = slices.DeleteFunc(g.queues, func(q chan []byte) bool { return q == messages })
		g.mu.Unlock()
		<-gone
	}()
	for {
		select {
		case <-gone:
			return
		case m := <-messages:
			if c.WriteMessage(websocket.TextMessage, m) != nil {
				_ = c.Close() // ends the reader; the connection is lost either way
				return
			}
		}
	}
}

func accept(feed net.Listener, groups []group) {
	for {
		conn, err := feed.Accept()
		if err != nil {
			return
		}
		go read(conn, groups)
	}
}

// read broadcasts the lines of a feed.
func read(conn net.Conn, groups []group) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		name, message, ok := bytes.Cut(lines.Bytes(), []byte{' '})
		i, err := strconv.Atoi(string(name))
		if !ok || err != nil || i < 0 || i >= len(groups) {
			continue
		}
		groups[i].broadcast(bytes.Clone(message))
	}
}

func (g *group) broadcast(message []byte) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, q := range g.queues {
		select {
		case q <- message:
		default:
		}
	}
}
