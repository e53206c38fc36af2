package ws_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge/realtime/ws"
)

func TestAppendFrame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		op     ws.Opcode
		size   int
		header []byte
	}{
		{ws.Text, 0, []byte{0x81, 0}},
		{ws.Text, 125, []byte{0x81, 125}},
		{ws.Text, 126, []byte{0x81, 126, 0, 126}},
		{ws.Binary, 65535, []byte{0x82, 126, 0xff, 0xff}},
		{ws.Binary, 65536, []byte{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
		{ws.Ping, 4, []byte{0x89, 4}},
	} {
		payload := []byte(strings.Repeat("x", tt.size))
		require.Equal(t, append(tt.header, payload...), ws.AppendFrame(nil, tt.op, payload))
	}
	require.Equal(t, []byte{1, 2, 0x8A, 0}, ws.AppendFrame([]byte{1, 2}, ws.Pong, nil), "appends")
}

func TestCloseFrames(t *testing.T) {
	t.Parallel()
	require.Equal(t, []byte{0x88, 4, 0x11, 0x38, 'h', 'i'}, ws.AppendClose(nil, ws.CloseTooSlow, "hi"))
	long := ws.AppendClose(nil, 1000, strings.Repeat("é", 100))
	require.LessOrEqual(t, len(long), 2+125)
	require.True(t, utf8.Valid(long[4:]))
	require.Equal(t, []byte{0x88, 0}, ws.EchoClose(1005), "no status is answered with none")
	require.Equal(t, []byte{0x88, 2, 0x03, 0xe8}, ws.EchoClose(1000))
}

func TestParseClose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		payload string
		code    int
		reason  string
		answer  int // 0: no error
	}{
		{"", 1005, "", 0},
		{"\x03\xe8", 1000, "", 0},
		{"\x03\xe9bye", 1001, "bye", 0},
		{"\x0b\xb8", 3000, "", 0},
		{"\x13\x87", 4999, "", 0},
		{"\x03", 0, "", 1002},
		{"\x03\xed", 0, "", 1002},     // 1005 may not travel
		{"\x03\xec", 0, "", 1002},     // nor 1004
		{"\x00\x05", 0, "", 1002},     // below all
		{"\x07\xd0", 0, "", 1002},     // 2000: not assigned
		{"\x13\x88", 0, "", 1002},     // 5000: beyond all
		{"\x03\xe8\xff", 0, "", 1007}, // reason is no UTF-8
	} {
		code, reason, err := ws.ParseClose([]byte(tt.payload))
		if tt.answer == 0 {
			require.NoError(t, err)
			require.Equal(t, tt.code, code)
			require.Equal(t, tt.reason, reason)
			continue
		}
		var closing *ws.CloseError
		require.ErrorAs(t, err, &closing, "%q", tt.payload)
		require.Equal(t, tt.answer, closing.Code, "%q", tt.payload)
	}
}

func TestNegotiable(t *testing.T) {
	t.Parallel()
	const agreed = true
	for offer, want := range map[string]bool{
		"":                   false,
		"permessage-deflate": agreed,
		"permessage-deflate; client_max_window_bits":                                            agreed,
		"permessage-deflate; client_max_window_bits=10; server_no_context_takeover":             agreed,
		"x-other, permessage-deflate":                                                           agreed,
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":                     agreed, // the second offer
		"permessage-deflate; server_max_window_bits=10":                                         false,
		"permessage-deflate; unknown":                                                           false,
		"permessage-deflate; client_no_context_takeover=1":                                      false,
		"permessage-deflate; client_no_context_takeover; client_no_context_takeover":            false,
		"permessage-deflate-not":                                                                false,
		" permessage-deflate ; client_no_context_takeover ;server_no_context_takeover , other ": agreed,
	} {
		require.Equal(t, want, ws.Negotiable(offer), offer)
	}
}

func TestCompressedFramesComeBack(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(`{"latitude":37.77,"longitude":-122.41}`, 50)
	frame := ws.AppendCompressed(nil, []byte(text))
	require.Less(t, len(frame), len(text)/4)
	require.Equal(t, byte(0xC1), frame[0])
	body := frame[2:]
	if frame[1] == 126 {
		body = frame[4:]
	}
	p := ws.Parser{Limit: limit, Deflate: true}
	all, err := parse(&p, clientFrame(0xC1, body), 1<<20)
	require.NoError(t, err)
	require.Equal(t, []got{{ws.Text, text}}, all)
}

func FuzzNegotiable(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits=15, x")
	f.Fuzz(func(t *testing.T, offer string) {
		if ws.Negotiable(offer) {
			require.Contains(t, offer, "permessage-deflate")
		}
	})
}
