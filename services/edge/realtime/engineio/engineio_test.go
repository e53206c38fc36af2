package engineio_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/realtime/engineio"
)

func text(typ engineio.Type, data string) engineio.Packet {
	return engineio.Packet{Type: typ, Data: []byte(data)}
}

func binary(data string) engineio.Packet {
	return engineio.Packet{Type: engineio.Message, Binary: true, Data: []byte(data)}
}

// TestPackets: the examples of the protocol's own specification, among others.
func TestPackets(t *testing.T) {
	t.Parallel()
	for wire, p := range map[string]engineio.Packet{
		"1": text(engineio.Close, ""), "2": text(engineio.Ping, ""), "2probe": text(engineio.Ping, "probe"),
		"3probe": text(engineio.Pong, "probe"), "4hello": text(engineio.Message, "hello"), "4": text(engineio.Message, ""),
		"4€": text(engineio.Message, "€"), "5": text(engineio.Upgrade, ""), "6": text(engineio.Noop, ""),
	} {
		require.Equal(t, wire, string(engineio.Append(nil, p)))
		got, err := engineio.Parse([]byte(wire))
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
	for _, wire := range []string{"", "7", "x", "hello", "\x00", "b4"} {
		_, err := engineio.Parse([]byte(wire))
		require.ErrorIs(t, err, engineio.ErrPacket, wire)
	}
	require.Equal(t, "\x01\x02", string(engineio.Append(nil, binary("\x01\x02"))), "binary travels bare in its own frame")
}

func payload(packets ...engineio.Packet) string {
	var b []byte
	for _, p := range packets {
		b = engineio.AppendPayload(b, p)
	}
	return string(b)
}

func parse(b string) (all []engineio.Packet, err error) {
	err = engineio.ParsePayload([]byte(b), func(p engineio.Packet) error {
		p.Data = bytes.Clone(p.Data)
		if p.Data == nil {
			p.Data = []byte{}
		}
		all = append(all, p)
		return nil
	})
	return all, err
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string][]engineio.Packet{
		"4hello\x1e2\x1e4world":  {text(engineio.Message, "hello"), text(engineio.Ping, ""), text(engineio.Message, "world")},
		"4hello\x1ebAQIDBA==":    {text(engineio.Message, "hello"), binary("\x01\x02\x03\x04")},
		"4€\x1eb":                {text(engineio.Message, "€"), binary("")},
		"40{\"token\":\"\\x1e\"": {text(engineio.Message, "0{\"token\":\"\\x1e\"")},
	} {
		require.Equal(t, wire, payload(want...))
		got, err := parse(wire)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, wire := range []string{
		"", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "b!", "bAQ", "9", "4\xff", "4a\x1ex",
		strings.Repeat("2\x1e", engineio.MaxPackets) + "2",
	} {
		_, err := parse(wire)
		require.ErrorIs(t, err, engineio.ErrPacket, "%q", wire)
	}
}

func TestErrorsOfTheCallerPass(t *testing.T) {
	t.Parallel()
	calls := 0
	err := engineio.ParsePayload([]byte("2\x1e2"), func(engineio.Packet) error { calls++; return engineio.ErrPacket })
	require.ErrorIs(t, err, engineio.ErrPacket)
	require.Equal(t, 1, calls)
}

func TestPayloadsComeBack(t *testing.T) {
	t.Parallel()
	packet := rapid.Custom(func(r *rapid.T) engineio.Packet {
		if rapid.Bool().Draw(r, "binary") {
			return engineio.Packet{Type: engineio.Message, Binary: true, Data: rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")}
		}
		data := strings.ReplaceAll(rapid.String().Draw(r, "text"), "\x1e", "")
		return text(engineio.Type(rapid.ByteRange('0', '6').Draw(r, "type")), data)
	})
	rapid.Check(t, func(r *rapid.T) {
		packets := rapid.SliceOfN(packet, 1, 20).Draw(r, "packets")
		got, err := parse(payload(packets...))
		require.NoError(r, err)
		require.Len(r, got, len(packets))
		for i := range packets {
			require.Equal(r, packets[i].Type, got[i].Type)
			require.Equal(r, packets[i].Binary, got[i].Binary)
			require.True(r, bytes.Equal(packets[i].Data, got[i].Data))
		}
	})
}

func FuzzPayload(f *testing.F) {
	f.Add("4hello\x1e2\x1ebAQID")
	f.Add("\x1e\x1e")
	f.Fuzz(func(t *testing.T, wire string) {
		got, err := parse(wire)
		if err != nil {
			return
		}
		again, err := parse(payload(got...))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("4hello"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		if p, err := engineio.Parse(wire); err == nil {
			require.Equal(t, wire, engineio.Append(nil, p))
		}
	})
}

func BenchmarkParsePayload(b *testing.B) {
	wire := []byte(payload(text(engineio.Message, strings.Repeat("x", 200)), text(engineio.Pong, "")))
	b.ReportAllocs()
	for b.Loop() {
		if err := engineio.ParsePayload(wire, func(engineio.Packet) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
