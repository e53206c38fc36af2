package apikeys_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/apikey"
	"tiffin/services/auth/revoked"
	"tiffin/services/edge/apikeys"
	"tiffin/wire"
)

const id = "01935c8e-2f4a-8b1c-9d3e-5f60718293a4"

// office stands in for the auth service: it knows one key, counts the questions and may be slow or away.
type office struct {
	good  apikey.Key
	grant auth.KeyGrant
	gate  chan struct{}

	mu    sync.Mutex
	asked int
	err   error
}

func (o *office) KeyVerify(ctx context.Context, req auth.KeyVerifyRequest) (auth.KeyGrant, error) {
	if o.gate != nil {
		<-o.gate
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	digest := o.good.Digest()
	switch {
	case o.err != nil:
		return auth.KeyGrant{}, o.err
	case ctx.Err() != nil:
		return auth.KeyGrant{}, ctx.Err()
	case req.ID != o.good.ID || req.Digest != fmt.Sprintf("%x", digest):
		return auth.KeyGrant{}, apikeys.ErrKey()
	}
	return o.grant, nil
}

func (o *office) questions() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

func (o *office) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

// desk is a memory of keys in front of an office, with a clock to turn.
type desk struct {
	*apikeys.Keys
	office *office
	list   *revoked.List
	now    time.Time
}

func newDesk() *desk {
	d := &desk{now: time.Now()}
	d.office = &office{good: apikey.New(id), grant: auth.KeyGrant{ID: id, UserID: id, Role: auth.RoleOwner,
		Scopes: []string{auth.ScopeOrdersRead}, RateLimit: 5}}
	clock := func() time.Time { return d.now }
	d.list = revoked.NewList(nil, nil, clock)
	d.Keys = apikeys.New(d.office, d.list, clock)
	return d
}

func welcome() error { return nil }

func (d *desk) verify(t *testing.T, raw string) (auth.KeyGrant, error) {
	t.Helper()
	return d.Verify(t.Context(), raw, welcome)
}

func TestAKeyIsAskedAboutOnceAMinute(t *testing.T) {
	t.Parallel()
	d := newDesk()
	for range 5 {
		grant, err := d.verify(t, d.office.good.String())
		require.NoError(t, err)
		require.Equal(t, d.office.grant, grant)
	}
	require.Equal(t, 1, d.office.questions())
	d.now = d.now.Add(auth.KeyMemory)
	_, err := d.verify(t, d.office.good.String())
	require.NoError(t, err)
	require.Equal(t, 2, d.office.questions())
}

func TestManyRequestsAskOnce(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.office.gate = make(chan struct{})
	var group sync.WaitGroup
	first, leave := context.WithCancel(t.Context())
	began := make(chan struct{})
	group.Go(func() {
		_, err := d.Verify(first, d.office.good.String(), func() error { close(began); return nil })
		require.NoError(t, err, "the question outlives the one who asked first")
	})
	<-began
	leave()
	for range 20 {
		group.Go(func() {
			_, err := d.verify(t, d.office.good.String())
			require.NoError(t, err)
		})
	}
	close(d.office.gate)
	group.Wait()
	require.LessOrEqual(t, d.office.questions(), 1)
}

func TestBadKeysAreNotRemembered(t *testing.T) {
	t.Parallel()
	d := newDesk()
	for _, raw := range []string{"", "x", "tfk_", d.office.good.String() + "x"} {
		_, err := d.verify(t, raw)
		require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
	}
	require.Zero(t, d.office.questions(), "what is no key is nobody's")
	guess := apikey.New(id).String()
	for range 3 {
		_, err := d.verify(t, guess)
		require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
	}
	require.Equal(t, 3, d.office.questions())
	_, err := d.Verify(t.Context(), guess, func() error { return micro.E(micro.CodeLimited, "slower") })
	require.Equal(t, micro.CodeLimited, micro.CodeOf(err), "guessing costs")
	require.Equal(t, 3, d.office.questions())
}

func TestARevokedKeyEndsAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk()
	raw := d.office.good.String()
	grant, err := d.verify(t, raw)
	require.NoError(t, err)
	require.True(t, d.Holds(grant))
	d.Revoke(id)
	_, err = d.verify(t, raw)
	require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
	require.False(t, d.Holds(grant))
	require.Equal(t, 1, d.office.questions())
}

// The answer "good" that left the auth service before the key was revoked, and arrives after the news of it.
func TestALateAnswerDoesNotReviveAKey(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.office.gate = make(chan struct{})
	raw := d.office.good.String()
	done := make(chan error, 1)
	go func() {
		_, err := d.Verify(context.Background(), raw, welcome)
		done <- err
	}()
	d.Revoke(id)
	close(d.office.gate)
	require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(<-done))
	_, err := d.verify(t, raw)
	require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
}

func TestAnExpiredKeyEndsWhileItIsRemembered(t *testing.T) {
	t.Parallel()
	d := newDesk()
	at := wire.At(d.now.Add(10 * time.Second))
	d.office.grant.ExpiresAt = &at
	_, err := d.verify(t, d.office.good.String())
	require.NoError(t, err)
	d.now = at.Time
	_, err = d.verify(t, d.office.good.String())
	require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
}

// While nobody can tell, a key that is remembered works on, and one that is not is neither good nor bad.
func TestWithoutTheAuthService(t *testing.T) {
	t.Parallel()
	d := newDesk()
	raw := d.office.good.String()
	_, err := d.verify(t, raw)
	require.NoError(t, err)
	d.office.fail(micro.E(micro.CodeUnavailable, "away"))
	_, err = d.verify(t, raw)
	require.NoError(t, err)
	d.now = d.now.Add(auth.KeyMemory)
	_, err = d.verify(t, raw)
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	d.office.fail(nil)
	_, err = d.verify(t, raw)
	require.NoError(t, err, "a failure is not remembered")
}

func TestTheMemoryIsBounded(t *testing.T) {
	t.Parallel()
	every := everything{}
	keys := apikeys.New(every, nil, time.Now)
	for range 3 * 4096 {
		_, err := keys.Verify(t.Context(), apikey.New(id).String(), welcome)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, keys.Size(), 2*4096)
	_, err := apikeys.New(nowhere{}, nil, time.Now).Verify(t.Context(), apikey.New(id).String(), welcome)
	require.ErrorIs(t, err, errAway)
}

// everything takes every key for a good one.
type everything struct{}

func (everything) KeyVerify(context.Context, auth.KeyVerifyRequest) (auth.KeyGrant, error) {
	return auth.KeyGrant{ID: id}, nil
}

var errAway = errors.New("away")

type nowhere struct{}

func (nowhere) KeyVerify(context.Context, auth.KeyVerifyRequest) (auth.KeyGrant, error) {
	return auth.KeyGrant{}, errAway
}

// BenchmarkRemembered is what each request with a key pays.
func BenchmarkRemembered(b *testing.B) {
	d := newDesk()
	raw := d.office.good.String()
	for b.Loop() {
		if _, err := d.Verify(b.Context(), raw, welcome); err != nil {
			b.Fatal(err)
		}
	}
}
