package fleet

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/health"
	"tiffin/local/port"
	"tiffin/local/testenv"
)

// withProbes gives the configuration an address for probes.
func withProbes(t *testing.T, c config.Config) config.Config {
	t.Helper()
	ports := port.NewBook()
	t.Cleanup(func() { require.NoError(t, ports.Close()) })
	p, err := ports.Take(29000)
	require.NoError(t, err)
	c.HealthAddr = "127.0.0.1:" + strconv.Itoa(p)
	return c
}

// ask gets a page of an address; status 0 is no answer.
func ask(address, path string) (int, string) {
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(body)
}

// says gives the status and the report of /readyz.
func says(address string) (int, health.Report) {
	var report health.Report
	status, body := ask(address, "/readyz")
	if status != 0 && json.Unmarshal([]byte(body), &report) != nil {
		return 0, health.Report{}
	}
	return status, report
}

// dependency is a server that the test ends and starts, and its name in reports.
type dependency struct {
	name        string
	stop, start func()
}

// becomes waits until every address reports the dependency so, and gives the
// time it took. The promise is two seconds, proven in package health; this
// machine may be busy with other tests, so that here five must do.
func becomes(t *testing.T, addresses []string, name, status string) time.Duration {
	t.Helper()
	began := time.Now()
	for _, address := range addresses {
		require.Eventually(t, func() bool {
			_, report := says(address)
			return report.Checks[name].Status == status
		}, 5*time.Second, tick, "%s says that %s is %s", address, name, status)
	}
	return time.Since(began)
}

// Real servers die and come back under a running fleet. Both the edge, which
// hears of them from the services, and the process's own probes must say so.
func TestReadyzTellsTheTruthAboutRealServers(t *testing.T) {
	t.Parallel()
	c, nats := configure(t)
	c = withProbes(t, c)
	postgres, replica := testenv.OwnReplicated(t)
	redis, rabbit, mongo := testenv.OwnRedis(t), testenv.OwnRabbitMQ(t), testenv.OwnMongo(t)
	c.Shards[1].URL, c.Shards[1].Replica, c.RedisURL, c.RabbitMQURL, c.MongoURL = postgres.URL, replica.URL, redis.URL, rabbit.URL, mongo.URL
	r := start(t, Config{Config: c, Roles: Roles})
	addresses := []string{strings.TrimPrefix(urlOf(c), "http://"), c.HealthAddr}
	for _, address := range addresses {
		require.Eventually(t, func() bool {
			status, report := says(address)
			return status == http.StatusOK && report.Status == health.StatusOK
		}, patience, tick)
	}
	for _, d := range []dependency{
		{"postgres.b.replica", replica.Kill, replica.Start},
		{"postgres.b.replica", replica.Pause, replica.Resume},
		{"postgres.b", postgres.Kill, postgres.Start},
		{"postgres.b", postgres.Pause, postgres.Resume},
		{"redis", redis.Kill, redis.Start},
		{"redis", redis.Pause, redis.Resume},
		{"mongodb", mongo.Kill, mongo.Start},
		{"mongodb", mongo.Pause, mongo.Resume},
		{"rabbitmq", rabbit.Kill, rabbit.Start},
		{"rabbitmq", rabbit.Pause, rabbit.Resume},
	} {
		d.stop()
		down := becomes(t, addresses, d.name, health.StatusDown)
		for _, address := range addresses {
			status, report := says(address)
			require.Equal(t, http.StatusOK, status, "what does not need %s is still served", d.name)
			require.Equal(t, health.StatusDegraded, report.Status)
		}
		d.start()
		t.Logf("%s: told after %s; told to be back after %s", d.name, down, becomes(t, addresses, d.name, health.StatusOK))
	}
	nats.Stop()
	down := becomes(t, addresses, natsCheck, health.StatusDown)
	for _, address := range addresses {
		status, _ := says(address)
		require.Equal(t, http.StatusServiceUnavailable, status, "without NATS nothing can be served")
	}
	nats.Start()
	t.Logf("nats: told after %s; told to be back after %s", down, becomes(t, addresses, natsCheck, health.StatusOK))
	require.NotContains(t, r.log.String(), `"path":"/readyz"`, "probes are not in the log")
}

func TestEveryRoleHasProbesAndMetrics(t *testing.T) {
	t.Parallel()
	base, _ := configure(t)
	addresses := map[string]string{}
	for _, role := range Roles {
		own := withProbes(t, base)
		if role != "edge" {
			own.EdgePort, own.TrackingPort = 0, 0
		}
		addresses[role] = own.HealthAddr
		start(t, Config{Config: own, Roles: []string{role}})
	}
	for role, address := range addresses {
		require.Eventually(t, func() bool { status, _ := says(address); return status == http.StatusOK }, patience, tick, role)
		status, _ := ask(address, "/healthz")
		require.Equal(t, http.StatusOK, status, role)
		_, report := says(address)
		require.Equal(t, health.StatusOK, report.Checks["role."+role].Status)
		_, metrics := ask(address, "/metrics")
		for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", `tiffin_dependency_up{name="nats"} 1`} {
			require.Contains(t, metrics, name, role)
		}
	}
}

func TestAProcessThatWaitsForNATSIsAliveAndNotReady(t *testing.T) {
	t.Parallel()
	c, nats := configure(t)
	c = withProbes(t, c)
	nats.Stop()
	start(t, Config{Config: c, Roles: []string{"auth"}})
	require.Eventually(t, func() bool { status, _ := ask(c.HealthAddr, "/healthz"); return status == http.StatusOK }, patience, tick)
	status, report := says(c.HealthAddr)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, health.StatusDegraded, report.Status)
	nats.Start()
	require.Eventually(t, func() bool { status, _ := says(c.HealthAddr); return status == http.StatusOK }, patience, tick)
}

func TestAProbeAddressInUseIsNamed(t *testing.T) {
	t.Parallel()
	c, _ := configure(t)
	c = withProbes(t, c)
	r := start(t, Config{Config: c, Roles: []string{"auth"}})
	require.Eventually(t, func() bool { status, _ := ask(c.HealthAddr, "/healthz"); return status == http.StatusOK }, patience, tick)
	err := Run(t.Context(), Config{Config: c, Roles: []string{"auth"}, Log: quiet()})
	require.ErrorContains(t, err, "HEALTH_ADDR")
	r.stop()
	require.NoError(t, <-r.done)
	r.done <- nil
	status, _ := ask(c.HealthAddr, "/healthz")
	require.Zero(t, status, "nobody answers for a process that has ended")
}
