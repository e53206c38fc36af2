package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/bench/swarm"
)

// somewhere is a position that was due at a whole microsecond.
func somewhere() position {
	due := time.UnixMicro(1_795_000_000_123_456)
	return position{id: "0197a9c2-7b1c-8abc-9def-000000000001", at: due, sent: due}
}

// TestPositionsAreCountedInWhateverTheyCome: alone, and several in one message, as Centrifuge sends them.
func TestPositionsAreCountedInWhateverTheyCome(t *testing.T) {
	t.Parallel()
	p := somewhere()
	data := string(p.data())
	require.True(t, json.Valid(p.data()))
	a := &audience{size: 2, newest: make([]int64, rooms+1), got: make([]int, rooms), from: p.sent, until: time.Now().Add(time.Hour)}
	a.receive(&swarm.Conn{ID: 7}, []byte(`42["location-updated",`+data+`]`))
	require.Len(t, a.samples, 1)
	require.Equal(t, p.sent.UnixMicro(), a.newest[7])
	require.Empty(t, a.ready, "one of two has it")
	a.receive(&swarm.Conn{ID: 7}, []byte(data+"\n"+data))
	require.Len(t, a.samples, 3)
	require.Equal(t, []int{7}, a.ready)
	a.receive(&swarm.Conn{ID: 7}, []byte(`430[{"data":{}}]`))
	require.Len(t, a.samples, 3)
}

// TestEveryPeerGetsThePosition in a message of its own kind, with the same data where it is text.
func TestEveryPeerGetsThePosition(t *testing.T) {
	t.Parallel()
	p := somewhere()
	channel, message := liveMessage(p)
	require.Equal(t, "tracking:live:"+p.id, channel)
	var live struct {
		Event string
		Data  json.RawMessage
	}
	require.NoError(t, json.Unmarshal(message, &live))
	require.JSONEq(t, string(p.data()), string(live.Data))

	channel, message = brokerMessage(p)
	require.Equal(t, "centrifuge.client."+p.id, channel)
	require.True(t, bytes.HasSuffix(message, p.data()))
	require.Equal(t, byte(0x22), message[0], "field 4, bytes")

	channel, message = emitterMessage(p)
	require.Equal(t, "socket.io#/#"+p.id+"#", channel)
	require.Equal(t, byte(0x93), message[0], "an array of three")
	require.Contains(t, string(message), "\xb0location-updated\x89")
	require.Equal(t, byte(0x90), message[len(message)-1], "nobody is left out")
}

func TestDevicesNeverRepeatATime(t *testing.T) {
	t.Parallel()
	p := &publisher{server: &server{crowd: &crowd{orders: []string{"o"}}, encode: liveMessage}, last: make([]time.Time, 1)}
	now := time.Now()
	for i := range 5 {
		before := p.last[0]
		p.add(0, now)
		require.True(t, p.last[0].After(before), i)
	}
	require.Equal(t, 5, strings.Count(string(p.buf), "PUBLISH"))
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	p50, p99 := quantiles(nil)
	require.Zero(t, p50+p99)
	var all []time.Duration
	for i := 1000; i > 0; i-- {
		all = append(all, time.Duration(i))
	}
	p50, p99 = quantiles(all)
	require.Equal(t, []time.Duration{501, 991}, []time.Duration{p50, p99})
}

func TestPublishingIsPaced(t *testing.T) {
	t.Parallel()
	orders := make([]string, rooms)
	a := &audience{pub: &publisher{server: &server{crowd: &crowd{orders: orders}, encode: liveMessage}, last: make([]time.Time, rooms)}}
	start, published := time.Now(), 0
	for ms := range 100 {
		a.publishDue(start, &published, 1000, start.Add(time.Duration(ms)*time.Millisecond))
	}
	require.Equal(t, 100, published)
}
