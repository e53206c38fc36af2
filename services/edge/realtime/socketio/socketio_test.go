package socketio_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/realtime/socketio"
)

// TestPackets: the examples of the protocol's own specification, among others.
func TestPackets(t *testing.T) {
	t.Parallel()
	for wire, p := range map[string]socketio.Packet{
		`0`:                   {Type: socketio.Connect, Namespace: "/", Data: []byte{}},
		`0{"token":"123"}`:    {Type: socketio.Connect, Namespace: "/", Data: []byte(`{"token":"123"}`)},
		`0/admin,`:            {Type: socketio.Connect, Namespace: "/admin", Data: []byte{}},
		`0/admin,{"sid":"o"}`: {Type: socketio.Connect, Namespace: "/admin", Data: []byte(`{"sid":"o"}`)},
		`1`:                   {Type: socketio.Disconnect, Namespace: "/", Data: []byte{}},
		`2["hey","Jude"]`:     {Type: socketio.Event, Namespace: "/", Data: []byte(`["hey","Jude"]`)},
		`2/admin,12["foo"]`:   {Type: socketio.Event, Namespace: "/admin", ID: "12", Data: []byte(`["foo"]`)},
		`3/admin,13["bar"]`:   {Type: socketio.Ack, Namespace: "/admin", ID: "13", Data: []byte(`["bar"]`)},
		`30[]`:                {Type: socketio.Ack, Namespace: "/", ID: "0", Data: []byte(`[]`)},
		`4{"message":"no"}`:   {Type: socketio.ConnectError, Namespace: "/", Data: []byte(`{"message":"no"}`)},
		`51-["baz",{"_placeholder":true,"num":0}]`: {Type: socketio.BinaryEvent, Namespace: "/", Attachments: 1,
			Data: []byte(`["baz",{"_placeholder":true,"num":0}]`)},
		`62-/admin,15["b",{"_placeholder":true,"num":0}]`: {Type: socketio.BinaryAck, Namespace: "/admin", ID: "15", Attachments: 2,
			Data: []byte(`["b",{"_placeholder":true,"num":0}]`)},
	} {
		require.Equal(t, wire, string(socketio.Append(nil, p)))
		got, err := socketio.Parse([]byte(wire))
		require.NoError(t, err, wire)
		require.Equal(t, p, got)
	}
	short, err := socketio.Parse([]byte("1/admin"))
	require.NoError(t, err, "the comma may be missing")
	require.Equal(t, "/admin", short.Namespace)
}

func TestInvalidPackets(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{
		``, `7`, `x`, `2`, `2{}`, `2"a"`, `2[]`, `2[5]`, `2["a"`, `2["a"]x`, `2["a"],`, `2[null]`, `2["a",NaN]`,
		`0[]`, `0x`, `05{}`, `0{"a"`, `0null`, `1{}`, `15`, `3["a"]`, `3{}`, `31{}`, `4`, `4[]`, `4"x"`,
		`5["a"]`, `5-["a"]`, `51["a"]`, `59-["a"]`, `5999999999-["a"]`, `51-`, `6`, `61-["a"]`,
		`2` + strings.Repeat("1", 16) + `["a"]`, `2/` + strings.Repeat("n", 200) + `,["a"]`, `2["a","` + "\xff" + `"]`,
	} {
		_, err := socketio.Parse([]byte(wire))
		require.ErrorIs(t, err, socketio.ErrPacket, wire)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	name, args, err := socketio.Arguments([]byte(` [ "hé\u006c" , {"a":[1,2]}, "b", null, 3.0 ] `))
	require.NoError(t, err)
	require.Equal(t, "hél", name)
	require.Len(t, args, 4)
	require.JSONEq(t, `{"a":[1,2]}`, string(args[0]))
	require.Equal(t, `"b"`, string(args[1]))
	require.Equal(t, `null`, string(args[2]))
	require.Equal(t, `3.0`, string(args[3]))
	name, args, err = socketio.Arguments([]byte(`["alone"]`))
	require.NoError(t, err)
	require.Equal(t, "alone", name)
	require.Empty(t, args)
	for _, data := range []string{``, `{}`, `[]`, `[1]`, `["a",]`, `["a"`, `["a" "b"]`} {
		_, _, err := socketio.Arguments([]byte(data))
		require.ErrorIs(t, err, socketio.ErrPacket, data)
	}
}

func TestPacketsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := socketio.Packet{
			Type: socketio.Event, Namespace: rapid.SampledFrom([]string{"/", "/a", "/a/b?c=d"}).Draw(r, "namespace"),
			ID: rapid.StringMatching(`([1-9][0-9]{0,14})?`).Draw(r, "id"), Data: []byte(`["e",{}]`),
		}
		if n := rapid.IntRange(0, 8).Draw(r, "attachments"); n > 0 {
			p.Type, p.Attachments = socketio.BinaryEvent, n
		}
		got, err := socketio.Parse(socketio.Append(nil, p))
		require.NoError(r, err)
		require.Equal(r, p, got)
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`0{"token":"x"}`, `2/a,1["b",{}]`, `51-["a",{"_placeholder":true,"num":0}]`, `31[]`, `1`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		p, err := socketio.Parse(wire)
		if err != nil {
			return
		}
		again, err := socketio.Parse(socketio.Append(nil, p))
		require.NoError(t, err)
		require.Equal(t, p, again)
		if p.Type == socketio.Event {
			_, _, err := socketio.Arguments(p.Data)
			require.NoError(t, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	wire := []byte(`2/,12["rider-location-update",{"orderId":"x","latitude":37.7,"longitude":-122.4}]`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := socketio.Parse(wire[:1:1]); err == nil {
			b.Fatal("an event without data")
		}
		if _, err := socketio.Parse(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	p := socketio.Packet{Type: socketio.Event, Data: []byte(`["location-updated",{"orderId":"x","latitude":37.7,"longitude":-122.4}]`)}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = socketio.Append(buf[:0], p)
	}
}
