package shard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// asking is a node without a server, and a question that is answered when the test says so.
func asking(t *testing.T) (n *node, ask func(context.Context) error, answer chan error) {
	n, answer = &node{}, make(chan error)
	n.claims.Store(&claims{})
	n.life, n.end = context.WithCancel(context.Background())
	n.questions.Patience = pingTimeout
	t.Cleanup(n.end)
	return n, func(ctx context.Context) error {
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			answer <- ctx.Err() // the connection would be closed
			return ctx.Err()
		}
	}, answer
}

func TestWhoGivesUpDoesNotEndTheQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, ask, answer := asking(t)
		began := time.Now()
		require.ErrorIs(t, n.question(t.Context(), "how", pingTimeout, ask), context.DeadlineExceeded)
		require.Equal(t, pingTimeout, time.Since(began))
		answer <- nil // somebody is there still to take it
		synctest.Wait()
		require.Empty(t, answer)
	})
}

func TestAQuestionEndsWithItsTimeOrItsNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, ask, answer := asking(t)
		began := time.Now()
		require.Error(t, n.question(t.Context(), "how", pingTimeout, ask))
		require.ErrorIs(t, <-answer, context.DeadlineExceeded)
		require.Equal(t, connectTimeout, time.Since(began))
		require.Error(t, n.question(t.Context(), "how", pingTimeout, ask))
		n.end()
		require.ErrorIs(t, <-answer, context.Canceled)
	})
}

// One that hangs, on a connection that leads nowhere, keeps nobody from asking anew.
func TestAQuestionThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, ask, answer := asking(t)
		require.Error(t, n.question(t.Context(), "how", pingTimeout, ask))
		require.NoError(t, n.question(t.Context(), "how", pingTimeout, func(context.Context) error { return nil }))
		answer <- nil
	})
}

func TestALateAnswerDoesNotReplaceANewerOne(t *testing.T) {
	t.Parallel()
	n, _, _ := asking(t)
	first, second := &claims{asked: time.Unix(1, 0)}, &claims{asked: time.Unix(2, 0)}
	n.learn(second)
	n.learn(first)
	require.Same(t, second, n.claims.Load())
	third := &claims{asked: time.Unix(3, 0)}
	n.learn(third)
	require.Same(t, third, n.claims.Load())
}
