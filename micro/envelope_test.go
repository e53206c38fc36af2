package micro

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// envelope is an event as a relay has it.
func envelope() Event {
	return Event{
		ID: "0192f7e4-0000-8abc-8000-000000000000", Type: "order.created", Region: "us-west", Key: "0192f7e4-0000-8abc-8000-000000000001",
		Time: time.Date(2026, 11, 22, 14, 8, 39, 0, time.UTC), Payload: []byte(`{"eventType":"order.created"}`),
		Headers: map[string]string{HeaderRequestID: "r-1", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
}

func TestAnEnvelopeIsOpenedAsItWasMade(t *testing.T) {
	t.Parallel()
	e := envelope()
	msg, err := e.message()
	require.NoError(t, err)
	got, err := ParseEvent(msg.Subject, msg.Header, msg.Data)
	require.NoError(t, err)
	require.Equal(t, e, got)
}

// BenchmarkEventEnvelopeMake allocates the message, its map of headers with the buckets, the array of their values, and
// the texts that are made: subject, source and time.
func BenchmarkEventEnvelopeMake(b *testing.B) {
	e := envelope()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.message(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEventEnvelopeOpen allocates the map of what travels along; all else is a part of the message.
func BenchmarkEventEnvelopeOpen(b *testing.B) {
	e := envelope()
	msg, err := e.message()
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseEvent(msg.Subject, msg.Header, msg.Data); err != nil {
			b.Fatal(err)
		}
	}
}
