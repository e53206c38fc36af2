package rig_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/rig"
	"tiffin/micro"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *rig.Rig {
	t.Helper()
	r, err := rig.Open(filepath.Join(t.TempDir(), "rig"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// TestAServerKeepsItsDataOverItsLives takes NATS, which starts fastest.
func TestAServerKeepsItsDataOverItsLives(t *testing.T) {
	t.Parallel()
	r := open(t)
	binary, err := rig.BuildNATS(t.Context(), "../..", t.TempDir())
	require.NoError(t, err)
	s, err := r.NATS(t.Context(), binary)
	require.NoError(t, err)

	conn, err := nats.Connect(s.URL, nats.UserInfo("ops", rig.NATSPassword("ops")), nats.CustomInboxPrefix("_INBOX_ops"),
		nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	_, err = micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), "events.order.created.mx", []byte("{}"))
	require.NoError(t, err)

	first := s.PID()
	require.NoError(t, s.Kill())
	require.False(t, s.Running())
	require.NoError(t, s.Start(t.Context()))
	require.NotEqual(t, first, s.PID())
	require.Eventually(t, func() bool {
		stream, err := js.Stream(t.Context(), micro.StreamEvents)
		return err == nil && stream.CachedInfo().State.Msgs == 1
	}, 10*time.Second, 10*time.Millisecond)

	require.NoError(t, s.Pause())
	require.Eventually(t, func() bool { return conn.FlushTimeout(200*time.Millisecond) != nil }, 10*time.Second, 10*time.Millisecond,
		"a paused server answers nothing; a thread that runs is stopped a moment later")
	require.NoError(t, s.Resume())
	require.NoError(t, conn.FlushTimeout(10*time.Second))
	require.DirExists(t, r.NATSStore())
}

func TestAProgramGetsItsEnvironment(t *testing.T) {
	t.Parallel()
	r := open(t)
	s, err := r.Program(t.Context(), "greeter", "/bin/sh", map[string]string{"GREETING": "hello"}, "-c", "echo $GREETING; exec sleep 60")
	require.NoError(t, err)
	require.Equal(t, "greeter", s.Name())
	require.FileExists(t, r.LogPath("greeter"))
	require.NoError(t, s.Kill())
	require.False(t, s.Running())
	require.NoError(t, s.Kill(), "killing what has ended is no error")
}

func TestAProgramThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	_, err := open(t).Program(t.Context(), "nobody", "/nonexistent", nil)
	require.Error(t, err)
}

// TestAClusterOutlivesANode: what two of three have taken is there while the
// third is away, and the stream goes on.
func TestAClusterOutlivesANode(t *testing.T) {
	t.Parallel()
	r := open(t)
	binary, err := rig.BuildNATS(t.Context(), "../..", t.TempDir())
	require.NoError(t, err)
	nodes, err := r.NATSCluster(t.Context(), binary, 3)
	require.NoError(t, err)
	conn, err := nats.Connect(nodes[0].URL, nats.UserInfo("ops", rig.NATSPassword("ops")), nats.CustomInboxPrefix("_INBOX_ops"))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := micro.EnsureStream(t.Context(), js, len(nodes))
		return err == nil
	}, time.Minute, 100*time.Millisecond, "the cluster elects itself a leader")
	publish := func() bool {
		_, err := js.Publish(t.Context(), "events.order.created.mx", []byte("{}"))
		return err == nil
	}
	require.True(t, publish())
	require.NoError(t, nodes[2].Kill())
	require.Eventually(t, publish, time.Minute, 100*time.Millisecond)
	require.NoError(t, nodes[2].Start(t.Context()))
	require.Eventually(t, func() bool {
		stream, err := js.Stream(t.Context(), micro.StreamEvents)
		if err != nil || stream.CachedInfo().State.Msgs < 2 {
			return false
		}
		for _, replica := range stream.CachedInfo().Cluster.Replicas {
			if !replica.Current {
				return false
			}
		}
		return len(stream.CachedInfo().Cluster.Replicas) == 2
	}, time.Minute, 100*time.Millisecond, "the third catches up")
}
