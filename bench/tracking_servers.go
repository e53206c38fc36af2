package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"tiffin/bench/swarm"
)

// server is one of those compared.
type server struct {
	name string
	addr string
	pid  int
	feed string // where positions are published, "" for Redis

	join   joiner
	encode encoder // nil: the feed takes lines
	crowd  *crowd
}

// joiner connects a client and has it follow an order.
type joiner func(s *server, order int) (*swarm.Conn, error)

// encoder makes the channel and the message by which a position reaches the
// server over Redis.
type encoder func(p position) (channel string, message []byte)

// follow connects n clients, spread over the orders.
func (s *server) follow(n int) ([]*swarm.Conn, error) {
	conns, errs := make([]*swarm.Conn, n), make([]error, n)
	var all sync.WaitGroup
	const dialers = 16
	for d := range dialers {
		all.Go(func() {
			for i := d; i < n; i += dialers {
				if conns[i], errs[i] = s.join(s, i%rooms); errs[i] != nil {
					return
				}
				conns[i].ID = i
			}
		})
	}
	all.Wait()
	return conns, errors.Join(errs...)
}

// socketIO connects as socket.io-client does with the transport websocket, to a server that asks who it is with the
// token of whose the order is: one for all, or one for each.
func socketIO(tokens ...string) joiner {
	return func(s *server, order int) (*swarm.Conn, error) {
		auth := "40"
		if len(tokens) > 0 {
			auth += `{"token":"` + tokens[order%len(tokens)] + `"}`
		}
		return talk(s.addr, "/socket.io/?EIO=4&transport=websocket",
			"", "0{", auth, "40{", `420["subscribe-order","`+s.crowd.orders[order]+`"]`, `430[{"data"`)
	}
}

// connectSocketIO connects somebody who follows nothing.
func connectSocketIO(addr, token string) (*swarm.Conn, error) {
	return talk(addr, "/socket.io/?EIO=4&transport=websocket", "", "0{", `40{"token":"`+token+`"}`, "40{")
}

// centrifugeClient connects as centrifuge-js does.
func centrifugeClient(s *server, order int) (*swarm.Conn, error) {
	return talk(s.addr, "/ws", `{"id":1,"connect":{}}`, `{"id":1,"connect"`,
		`{"id":2,"subscribe":{"channel":"`+s.crowd.orders[order]+`"}}`, `{"id":2,"subscribe"`)
}

// bareClient only connects.
func bareClient(s *server, order int) (*swarm.Conn, error) {
	return swarm.Open(s.addr, "/ws/"+strconv.Itoa(order), "")
}

// talk opens a connection and goes through a script: what is said ("" for
// nothing) and how the answer begins, in turn.
func talk(addr, path string, script ...string) (*swarm.Conn, error) {
	c, err := swarm.Open(addr, path, "")
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(script) && err == nil; i += 2 {
		err = exchange(c, script[i], script[i+1])
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func exchange(c *swarm.Conn, say, expect string) error {
	if say != "" {
		if err := c.Send([]byte(say)); err != nil {
			return err
		}
	}
	for {
		answer, err := c.Next()
		switch {
		case err != nil:
			return err
		case bytes.HasPrefix(answer, []byte(expect)):
			return nil
		case string(answer) != "2" && string(answer) != "{}": // heartbeats come when they come
			return fmt.Errorf("answer to %.40q: %q", say, answer)
		}
		if err := heartbeat(c, answer); err != nil {
			return err
		}
	}
}

// heartbeat answers the servers that ask in messages whether a client lives;
// WebSocket's own pings are the swarm's. Centrifuge puts its question, {}, on a
// line of its own among others.
func heartbeat(c *swarm.Conn, payload []byte) error {
	switch {
	case string(payload) == "2":
		return c.Send([]byte("3"))
	case bytes.HasPrefix(payload, []byte("{}")), bytes.HasSuffix(payload, []byte("\n{}")), bytes.Contains(payload, []byte("\n{}\n")):
		return c.Send([]byte("{}"))
	default:
		return nil
	}
}

// position is what is published: the same for all servers.
type position struct {
	order int // its number
	id    string
	at    time.Time // of the device; grows with every position of an order
	sent  time.Time // when it was due to be published
}

// sentAt finds the time of sending in what clients get, in µs since 1970: more
// digits would not survive a server that reads numbers as JavaScript does.
const sentAt = `"sentAt":`

// data is the position as JSON.
func (p position) data() []byte {
	return fmt.Appendf(nil, `{"timestamp":"%s","orderId":"%s","deliveryPartnerId":"%s","latitude":37.774912,"longitude":-122.419415,"heading":271.5,"speed":6.25,"etaMinutes":12,`+sentAt+`%d}`,
		p.at.UTC().Format("2006-01-02T15:04:05.000Z"), p.id, p.id, p.sent.UnixMicro())
}

// liveMessage is how the tracking service publishes.
func liveMessage(p position) (string, []byte) {
	return "tracking:live:" + p.id, append(append([]byte(`{"event":"location-updated","data":`), p.data()...), '}')
}

// brokerMessage is how a node of centrifuge publishes: Publication.data of its
// protocol buffers.
func brokerMessage(p position) (string, []byte) {
	const dataField = 4<<3 | 2
	data := p.data()
	return "centrifuge.client." + p.id, append(binary.AppendUvarint([]byte{dataField}, uint64(len(data))), data...)
}

// emitterMessage is how another server, or @socket.io/redis-emitter, publishes:
// [uid, packet, options] in MessagePack.
func emitterMessage(p position) (string, []byte) {
	b := packText([]byte{0x93}, "emitter")
	b = packText(append(b, 0x83), "type") // {type: EVENT, nsp: "/", data: ["location-updated", {...}]}
	b = packText(append(b, 2), "nsp")
	b = packText(b, "/")
	b = packText(b, "data")
	b = packText(append(b, 0x92), "location-updated")
	b = append(b, 0x89)
	for _, field := range [][2]string{
		{"timestamp", p.at.UTC().Format("2006-01-02T15:04:05.000Z")}, {"orderId", p.id}, {"deliveryPartnerId", p.id},
	} {
		b = packText(packText(b, field[0]), field[1])
	}
	for _, field := range []struct {
		name  string
		value float64
	}{{"latitude", 37.774912}, {"longitude", -122.419415}, {"heading", 271.5}, {"speed", 6.25}, {"etaMinutes", 12}, {"sentAt", float64(p.sent.UnixMicro())}} {
		b = binary.BigEndian.AppendUint64(append(packText(b, field.name), 0xcb), math.Float64bits(field.value))
	}
	b = packText(append(b, 0x83), "rooms") // {rooms: [id], flags: {}, except: []}
	b = packText(append(b, 0x91), p.id)
	b = packText(b, "flags")
	b = packText(append(b, 0x80), "except")
	return "socket.io#/#" + p.id + "#", append(b, 0x90)
}

// packText adds a short string in MessagePack.
func packText(b []byte, s string) []byte {
	if len(s) < 32 {
		b = append(b, 0xa0|byte(len(s)))
	} else {
		b = append(b, 0xd9, byte(len(s)))
	}
	return append(b, s...)
}

// publisher sends positions to a server's feed, many in one write.
type publisher struct {
	server *server
	conn   net.Conn
	buf    []byte
	last   []time.Time // of each order's newest position
}

func (s *server) publisher() (*publisher, error) {
	feed, hello := s.feed, ""
	if feed == "" {
		redis, err := url.Parse(s.crowd.Env["REDIS_URL"])
		if err != nil {
			return nil, err
		}
		password, _ := redis.User.Password()
		feed, hello = redis.Host, fmt.Sprintf("AUTH default %s\r\n", password)
	}
	conn, err := net.Dial("tcp", feed)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, hello); err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }() // Redis counts receivers; it ends with the connection
	return &publisher{server: s, conn: conn, last: make([]time.Time, rooms)}, nil
}

// add puts a position of the order into the next write. Devices' clocks tell
// milliseconds, and no two positions of one have the same.
func (p *publisher) add(order int, sent time.Time) {
	at := sent.Truncate(time.Millisecond)
	if !at.After(p.last[order]) {
		at = p.last[order].Add(time.Millisecond)
	}
	p.last[order] = at
	pos := position{order: order, id: p.server.crowd.orders[order], at: at, sent: sent}
	if p.server.encode == nil {
		p.buf = append(strconv.AppendInt(p.buf, int64(order), 10), ' ')
		p.buf = append(append(p.buf, pos.data()...), '\n')
		return
	}
	channel, message := p.server.encode(pos)
	p.buf = fmt.Appendf(p.buf, "*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n", len(channel), channel, len(message))
	p.buf = append(append(p.buf, message...), "\r\n"...)
}

// flush writes what was added.
func (p *publisher) flush() error {
	if len(p.buf) == 0 {
		return nil
	}
	_, err := p.conn.Write(p.buf)
	p.buf = p.buf[:0]
	return err
}
