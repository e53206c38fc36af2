package frame_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/socketio"
	"tiffin/services/edge/realtime/ws"
)

func TestLiveMessagesInBothForms(t *testing.T) {
	t.Parallel()
	message := `{"event":"location-updated","data":{"orderId":"x","a":"b\"}"}}`
	f, ok := frame.Live(message)
	require.True(t, ok)
	require.Nil(t, f.Framed(frame.JSON), "made only when somebody needs it")
	f.Ensure(frame.JSON)
	f.Ensure(frame.SocketIO)
	require.Equal(t, message, string(f.Packet(frame.JSON)))
	require.Equal(t, ws.AppendFrame(nil, ws.Text, []byte(message)), f.Framed(frame.JSON))
	packet := `42["location-updated",{"orderId":"x","a":"b\"}"}]`
	require.Equal(t, packet, string(f.Packet(frame.SocketIO)))
	require.Equal(t, ws.AppendFrame(nil, ws.Text, []byte(packet)), f.Framed(frame.SocketIO))
	require.Equal(t, message, f.Live())

	same := &f.Framed(frame.JSON)[0]
	f.Ensure(frame.JSON)
	require.Same(t, same, &f.Framed(frame.JSON)[0], "made once")
}

func TestEvent(t *testing.T) {
	t.Parallel()
	f := frame.Event("error", []byte(`{"message":"no"}`))
	f.Ensure(frame.JSON)
	require.JSONEq(t, `{"event":"error","data":{"message":"no"}}`, string(f.Packet(frame.JSON)))
}

func TestSplitRefusesOtherShapes(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		``, `{}`, `{"event":"x"}`, `{"data":1,"event":"x"}`, `{"event":"x","data":`, `{"event":"x","data":}`, ` {"event":"x","data":1}`,
		`{"event":"a\"b","data":1}`, `[]`,
	} {
		_, ok := frame.Live(message)
		require.False(t, ok, message)
	}
	event, data, ok := frame.Split(`{"event":"x","data":[1]}`)
	require.True(t, ok)
	require.Equal(t, "x", event)
	require.Equal(t, "[1]", data)
}

func TestOtherFrames(t *testing.T) {
	t.Parallel()
	text := frame.Text(frame.SocketIO, []byte("2"))
	text.Ensure(frame.JSON) // has no other form
	require.Nil(t, text.Framed(frame.JSON))
	require.Equal(t, []byte{0x81, 1, '2'}, text.Framed(frame.SocketIO))
	require.Empty(t, text.Live())
	ping := frame.Control(frame.JSON, ws.Ping, nil)
	require.Equal(t, []byte{0x89, 0}, ping.Framed(frame.JSON))
	long := strings.Repeat("x", 2000)
	compressed := frame.Compressed([]byte(long))
	require.Less(t, len(compressed.Framed(frame.JSON)), 200)
	require.Equal(t, `41`, string(frame.Packet(socketio.Packet{Type: socketio.Disconnect})))
}

func FuzzSplit(f *testing.F) {
	f.Add(`{"event":"location-updated","data":{"a":1}}`)
	f.Fuzz(func(t *testing.T, message string) {
		event, data, ok := frame.Split(message)
		if ok {
			require.Equal(t, message, `{"event":"`+event+`","data":`+data+`}`)
		}
	})
}

func BenchmarkLiveBothForms(b *testing.B) {
	message := `{"event":"location-updated","data":{"timestamp":"2026-11-22T14:08:39.000Z","orderId":"0197a9c2-7b1c-8abc-9def-0123456789ab","deliveryPartnerId":"0197a9c2-7b1c-8abc-9def-0123456789ab","latitude":37.7749,"longitude":-122.4194,"etaMinutes":7}}`
	b.ReportAllocs()
	for b.Loop() {
		f, _ := frame.Live(message)
		f.Ensure(frame.JSON)
		f.Ensure(frame.SocketIO)
	}
}
