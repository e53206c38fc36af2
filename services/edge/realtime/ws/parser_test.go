package ws_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/realtime/ws"
)

const limit = 16 << 10

// clientFrame builds a masked frame with the given first byte.
func clientFrame(first byte, payload []byte) []byte {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	out := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		out = append(out, 0x80|byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(n))
	}
	out = append(out, mask[:]...)
	for i, b := range payload {
		out = append(out, b^mask[i&3])
	}
	return out
}

// got is what a Parser reported.
type got struct {
	op   ws.Opcode
	text string
}

// parse feeds the bytes in pieces of the given size.
func parse(p *ws.Parser, data []byte, piece int) (all []got, err error) {
	for len(data) > 0 && err == nil {
		n := min(piece, len(data))
		chunk := bytes.Clone(data[:n])
		err = p.Feed(chunk, func(op ws.Opcode, payload []byte) error {
			all = append(all, got{op, string(payload)})
			return nil
		})
		clear(chunk) // the chunk is the caller's again: nothing may point into it
		data = data[n:]
	}
	return all, err
}

func deflated(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func TestParser(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", limit/2)
	for _, tt := range []struct {
		name    string
		frames  [][]byte
		deflate bool
		want    []got
		code    int
	}{
		{name: "text", frames: [][]byte{clientFrame(0x81, []byte("héllo"))}, want: []got{{ws.Text, "héllo"}}},
		{name: "empty", frames: [][]byte{clientFrame(0x81, nil)}, want: []got{{ws.Text, ""}}},
		{name: "binary", frames: [][]byte{clientFrame(0x82, []byte{0xff, 0})}, want: []got{{ws.Binary, "\xff\x00"}}},
		{name: "length of 16 bits", frames: [][]byte{clientFrame(0x81, []byte(strings.Repeat("x", 126)))}, want: []got{{ws.Text, strings.Repeat("x", 126)}}},
		{name: "as long as allowed", frames: [][]byte{clientFrame(0x81, []byte(long))}, want: []got{{ws.Text, long}}},
		{name: "fragments with a ping between", frames: [][]byte{
			clientFrame(0x01, []byte("a\xc3")), clientFrame(0x89, []byte("p")), clientFrame(0x00, []byte("\xa9b")), clientFrame(0x80, nil)},
			want: []got{{ws.Ping, "p"}, {ws.Text, "aéb"}}},
		{name: "two messages", frames: [][]byte{clientFrame(0x81, []byte("a")), clientFrame(0x81, []byte("b"))}, want: []got{{ws.Text, "a"}, {ws.Text, "b"}}},
		{name: "close", frames: [][]byte{clientFrame(0x88, []byte{3, 232})}, want: []got{{ws.Close, "\x03\xe8"}}},
		{name: "compressed", frames: [][]byte{clientFrame(0xC1, deflated(t, "hello"))}, deflate: true, want: []got{{ws.Text, "hello"}}},
		{name: "compressed fragments", frames: [][]byte{clientFrame(0x41, deflated(t, "hello")[:3]), clientFrame(0x80, deflated(t, "hello")[3:])},
			deflate: true, want: []got{{ws.Text, "hello"}}},

		{name: "too long", frames: [][]byte{clientFrame(0x81, make([]byte, limit+1))}, code: 1009},
		{name: "too long, in pieces", frames: [][]byte{clientFrame(0x01, make([]byte, limit)), clientFrame(0x80, []byte("x"))}, code: 1009},
		{name: "bomb", frames: [][]byte{clientFrame(0xC1, deflated(t, strings.Repeat("x", 1<<20)))}, deflate: true, code: 1009},
		{name: "broken deflate", frames: [][]byte{clientFrame(0xC1, []byte{0xff, 0xff, 0xff})}, deflate: true, code: 1007},
		{name: "no mask", frames: [][]byte{{0x81, 0x01, 'a'}}, code: 1002},
		{name: "reserved bit", frames: [][]byte{clientFrame(0xA1, nil)}, code: 1002},
		{name: "compressed uninvited", frames: [][]byte{clientFrame(0xC1, deflated(t, "x"))}, code: 1002},
		{name: "compressed ping", frames: [][]byte{clientFrame(0xC9, nil)}, deflate: true, code: 1002},
		{name: "compressed continuation", frames: [][]byte{clientFrame(0x01, []byte("a")), clientFrame(0xC0, []byte("b"))}, deflate: true, code: 1002},
		{name: "unknown opcode", frames: [][]byte{clientFrame(0x83, nil)}, code: 1002},
		{name: "unknown control opcode", frames: [][]byte{clientFrame(0x8B, nil)}, code: 1002},
		{name: "fragmented ping", frames: [][]byte{clientFrame(0x09, nil)}, code: 1002},
		{name: "long ping", frames: [][]byte{clientFrame(0x89, make([]byte, 126))}, code: 1002},
		{name: "continuation of nothing", frames: [][]byte{clientFrame(0x80, nil)}, code: 1002},
		{name: "message inside another", frames: [][]byte{clientFrame(0x01, nil), clientFrame(0x81, nil)}, code: 1002},
		{name: "bad UTF-8", frames: [][]byte{clientFrame(0x81, []byte{0xc3, 0x28})}, code: 1007},
	} {
		for _, piece := range []int{1, 2, 7, 1 << 20} {
			p := ws.Parser{Limit: limit, Deflate: tt.deflate}
			all, err := parse(&p, bytes.Join(tt.frames, nil), piece)
			if tt.code == 0 {
				require.NoError(t, err, "%s by %d", tt.name, piece)
				require.Equal(t, tt.want, all, "%s by %d", tt.name, piece)
				continue
			}
			var closing *ws.CloseError
			require.ErrorAs(t, err, &closing, "%s by %d", tt.name, piece)
			require.Equal(t, tt.code, closing.Code, "%s by %d", tt.name, piece)
		}
	}
}

// TestLongFramesAreRefusedByTheirHeader: nobody makes the server wait for, or keep, a gigabyte.
func TestLongFramesAreRefusedByTheirHeader(t *testing.T) {
	t.Parallel()
	for _, length := range []uint64{limit + 1, 1 << 31, 1 << 63, 1<<64 - 1} {
		p := ws.Parser{Limit: limit}
		_, err := parse(&p, binary.BigEndian.AppendUint64([]byte{0x81, 0xFF}, length), 3)
		var closing *ws.CloseError
		require.ErrorAs(t, err, &closing)
		require.Equal(t, 1009, closing.Code)
	}
}

func TestErrorsOfTheCallerPass(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	p := ws.Parser{Limit: limit}
	require.ErrorIs(t, p.Feed(clientFrame(0x81, nil), func(ws.Opcode, []byte) error { return enough }), enough)
}

// TestParserDoesNotCareHowBytesArrive: the same messages, whatever the pieces.
func TestParserDoesNotCareHowBytesArrive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var data []byte
		var want []got
		for _, text := range rapid.SliceOfN(rapid.StringN(0, 300, -1), 1, 8).Draw(r, "messages") {
			data = append(data, clientFrame(0x81, []byte(text))...)
			want = append(want, got{ws.Text, text})
		}
		p := ws.Parser{Limit: limit}
		all, err := parse(&p, data, rapid.IntRange(1, len(data)).Draw(r, "piece"))
		require.NoError(r, err)
		require.Equal(r, want, all)
	})
}

func FuzzParser(f *testing.F) {
	for _, seed := range [][]byte{
		clientFrame(0x81, []byte("hello")), clientFrame(0x88, []byte{3, 232}), {0x81}, {0x81, 0xFE, 0, 1},
		append(clientFrame(0x01, []byte("a")), clientFrame(0x80, []byte("b"))...),
	} {
		f.Add(seed, 3, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, piece int, compress bool) {
		whole := ws.Parser{Limit: limit, Deflate: compress}
		all, err := parse(&whole, data, len(data)+1)
		pieces := ws.Parser{Limit: limit, Deflate: compress}
		again, err2 := parse(&pieces, data, 1+(piece&0xff))
		require.Equal(t, all, again)
		require.Equal(t, err, err2)
		for _, m := range all {
			require.LessOrEqual(t, len(m.text), limit)
		}
	})
}

func BenchmarkParser(b *testing.B) {
	frame := clientFrame(0x81, []byte(strings.Repeat("x", 200)))
	chunk := make([]byte, len(frame))
	p := ws.Parser{Limit: limit}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		copy(chunk, frame)
		if err := p.Feed(chunk, func(ws.Opcode, []byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
