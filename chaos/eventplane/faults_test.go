package eventplane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/chaos/fault"
)

func draw(l *lane, n int) (out []fault.Fault) {
	for range n {
		out = append(out, l.Next())
	}
	return out
}

func TestASeedIsACampaign(t *testing.T) {
	t.Parallel()
	processes, network := lanes(7)
	again, networkAgain := lanes(7)
	other, _ := lanes(8)
	first := draw(processes, 200)
	require.Equal(t, first, draw(again, 200))
	require.Equal(t, draw(network, 200), draw(networkAgain, 200))
	require.NotEqual(t, first, draw(other, 200))
}

// TestNothingIsSpared: whatever the issue of a campaign is, it has met every
// kind of fault on every target.
func TestNothingIsSpared(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	processes, network := lanes(1)
	for _, f := range append(draw(processes, 2000), draw(network, 2000)...) {
		met[string(f.Kind)+" "+f.Target] = true
		require.Less(t, f.Hold+f.Rest, 25*time.Second, f)
		require.GreaterOrEqual(t, f.Hold, time.Duration(0), f)
	}
	for _, target := range []string{relayOne, relayTwo, bridgeOne, bridgeTwo, natsServer, broker, postgres} {
		require.True(t, met["kill "+target], target)
		require.True(t, met["pause "+target], target)
	}
	for _, target := range []string{relayToPostgres, relayToNATS, bridgeToNATS, bridgeToBroker} {
		for _, k := range []fault.Kind{fault.Cut, fault.Freeze, fault.Slow} {
			require.True(t, met[string(k)+" "+target], "%s %s", k, target)
		}
	}
	require.True(t, met["wipe nats"])
	require.False(t, met["wipe rabbitmq"], "what RabbitMQ has confirmed is its own to keep")
	require.Equal(t, "cut bridge→nats for 1.5s", fault.Fault{Kind: fault.Cut, Target: bridgeToNATS, Hold: 1500 * time.Millisecond}.String())
}
