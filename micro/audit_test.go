package micro_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

// Acts are handed over before their answer is sent, with how they ended; endpoints that change nothing are no acts.
func TestActsAreHandedOver(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	acts := make(chan micro.Act, 10)
	s := micro.NewService(micro.ServiceConfig{Name: "order", Version: "1.0.0", Conn: srv.conn("order"),
		Audit: func(_ context.Context, act micro.Act) { acts <- act }})
	change := func(_ context.Context, req echoRequest) (echoResponse, error) {
		switch req.Text {
		case "no":
			return echoResponse{}, micro.Forbidden("no")
		case "broken":
			return echoResponse{}, errors.New("broken")
		}
		return echoResponse{Text: "changed"}, nil
	}
	micro.Handle(s, "change", "Changes.", change, micro.WithAudit(func(req echoRequest, res echoResponse) (string, string) {
		return req.Text, res.Text
	}))
	micro.Handle(s, "echo", "Reads.", echo)
	run(t, s)

	ctx := micro.WithRequestID(micro.WithActor(t.Context(), micro.Actor{Role: "admin", ID: "42"}), "req-1")
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	for text, want := range map[string]micro.Act{
		"yes":    {Outcome: micro.OutcomeOK, Target: "yes", Detail: "changed"},
		"no":     {Outcome: micro.OutcomeRefused, Target: "no"},
		"broken": {Outcome: micro.OutcomeFailed, Target: "broken"},
	} {
		_, err := micro.Call[echoRequest, echoResponse](ctx, client, "order.change", echoRequest{Text: text})
		require.Equal(t, text == "yes", err == nil)
		require.Len(t, acts, 1, "handed over before it is answered")
		got := <-acts
		require.False(t, got.At.IsZero())
		want.At, want.Action, want.Actor, want.RequestID = got.At, "order.change", micro.Actor{Role: "admin", ID: "42"}, "req-1"
		require.Equal(t, want, got)
	}
	_, err := micro.Call[echoRequest, echoResponse](ctx, client, "order.echo", echoRequest{Text: "x"})
	require.NoError(t, err)
	require.Empty(t, acts)

	_, err = srv.conn("ops").RequestWithContext(t.Context(), "order.change", []byte(`{"text":"by hand"}`))
	require.NoError(t, err)
	require.Equal(t, micro.Actor{Role: micro.RoleOperator, ID: "ops"}, (<-acts).Actor, "no header: somebody with the ops password")
}
