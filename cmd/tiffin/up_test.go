package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wholeAgain is what the product promises after the death of any server, with
// as much again for a machine that runs other tests at the same time.
const wholeAgain = 30 * time.Second

func TestUpFromTheFirstStartToSIGKILLAndBack(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.up(t)
	t.Run("demo accounts are there at the first answer", f.demoAccounts)
	t.Run("the env file is private", f.envIsPrivate)
	t.Run("an administrator is made by the operator", f.adminCreate)
	t.Run("a second one on the same home is refused", f.secondIsRefused)
	t.Run("single roles join", f.singleRoleJoins)
	t.Run("killed servers come back", f.killedServersComeBack)

	rabbit := f.pid("rabbitmq")
	// A frozen server hears neither the kernel nor anybody else: an orphan.
	require.NoError(t, syscall.Kill(rabbit, syscall.SIGSTOP))
	f.signal(syscall.SIGKILL)
	f.exit(t)
	f.up(t)
	t.Run("after SIGKILL the next start has the same data", func(t *testing.T) {
		require.Contains(t, f.out.String(), "left behind: ")
		require.NotEqual(t, rabbit, f.pid("rabbitmq"))
		code, _ := f.login(t, "boss@example.com", "correct horse")
		require.Equal(t, http.StatusOK, code)
	})
	t.Run("SIGINT stops everything", func(t *testing.T) {
		f.says(t, "Tiffin is ready")
		// Twice at once, as at a terminal below npx and just: still one Ctrl-C.
		f.signal(syscall.SIGINT)
		f.signal(syscall.SIGINT)
		require.Zero(t, f.exit(t), f.err)
		require.Contains(t, f.out.String(), "Stopped")
		f.gone(t)
	})
}

func (f *fleet) demoAccounts(t *testing.T) {
	for email, role := range map[string]string{
		"customer@demo.tiffin": "customer", "owner@demo.tiffin": "restaurant_owner",
		"rider@demo.tiffin": "delivery_partner", "admin@demo.tiffin": "admin",
	} {
		code, got := f.login(t, email, "tiffin-demo")
		require.Equal(t, http.StatusOK, code, email)
		require.Equal(t, role, got)
	}
}

func (f *fleet) envIsPrivate(t *testing.T) {
	for _, name := range []string{"env", "secrets"} {
		info, err := os.Stat(filepath.Join(f.home, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func (f *fleet) adminCreate(t *testing.T) {
	vars := append([]string{"TIFFIN_ADMIN_PASSWORD=correct horse"}, f.vars...)
	p := start(t, vars, "admin", "create", "--email=boss@example.com", "--city=Chicago")
	require.Zero(t, p.exit(t), p.err)
	code, role := f.login(t, "boss@example.com", "correct horse")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "admin", role)
}

func (f *fleet) secondIsRefused(t *testing.T) {
	p := start(t, f.vars, "up")
	require.Equal(t, 1, p.exit(t))
	require.Contains(t, p.err.String(), "already running on "+f.home)
	require.True(t, f.whole(t.Context()))
}

// singleRoleJoins starts another edge as a deployment would: its servers named
// in the environment, nothing else known.
func (f *fleet) singleRoleJoins(t *testing.T) {
	vars := []string{"API_GATEWAY_PORT=0", "TRACKING_SERVICE_PORT=0", "TIFFIN_HOME=" + t.TempDir(), "LOG_LEVEL=info"}
	for name, value := range f.env {
		vars = append(vars, name+"="+value)
	}
	p := start(t, vars, "run", "edge", "auth")
	require.Eventually(t, func() bool { return f.instances(t, "auth") == 2 }, patience, tick, "%s", p.err)
	p.signal(syscall.SIGTERM)
	require.Zero(t, p.exit(t), p.err)
	require.True(t, f.whole(t.Context()))
}

func (f *fleet) killedServersComeBack(t *testing.T) {
	for server, variable := range map[string]string{
		"redis": "REDIS_URL", "postgres-a": "POSTGRES_SHARD_A_URL", "ferretdb": "MONGODB_URL",
		"rabbitmq": "RABBITMQ_URL", "postgres-documents": "MONGODB_URL", "epmd": "RABBITMQ_URL",
	} {
		before := f.pid(server)
		require.NotZero(t, before, server)
		require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
		killed := time.Now()
		require.Eventually(t, func() bool { return f.pid(server) != before && f.pid(server) != 0 }, wholeAgain, tick, "%s is started again", server)
		// /readyz is a second behind the truth: first the server, then the fleet.
		require.Eventually(t, func() bool { return f.listens(variable) }, wholeAgain, tick, "%s listens again", server)
		require.Eventually(t, func() bool { return f.whole(t.Context()) }, wholeAgain, tick, "whole after the death of %s", server)
		t.Logf("%s: whole again after %s", server, time.Since(killed).Round(100*time.Millisecond))
	}
}

func TestStoppingInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{"at once": "Tiffin starts", "with servers half started": "ready  redis"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, "TIFFIN_DEMO=off")
			p := start(t, f.vars, "up")
			p.says(t, line)
			p.signal(syscall.SIGTERM)
			require.Zero(t, p.exit(t), p.err)
			f.gone(t)
		})
	}
}

func TestASecondSignalStopsTheHardWay(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "TIFFIN_DEMO=off")
	p := start(t, f.vars, "up")
	p.says(t, "ready  postgres-a")
	// A frozen server makes the clean stop wait.
	require.NoError(t, syscall.Kill(f.pid("postgres-a"), syscall.SIGSTOP))
	p.signal(syscall.SIGINT)
	require.Eventually(t, func() bool {
		p.signal(syscall.SIGINT)
		select {
		case <-p.done:
			return true
		default:
			return false
		}
	}, patience, 200*time.Millisecond)
	require.Equal(t, 130, p.exit(t), p.err)
	f.gone(t)

	f.up(t)
	f.signal(syscall.SIGTERM)
	require.Zero(t, f.exit(t), f.err)
}
