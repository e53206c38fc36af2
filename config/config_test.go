package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/config"
)

func TestDefaultsAreTheSeedsThreeShards(t *testing.T) {
	t.Parallel()
	c, err := config.FromMap(nil)
	require.NoError(t, err)
	require.Equal(t, []config.Shard{
		{ID: "a", Regions: []string{"us-west", "ca"}},
		{ID: "b", Regions: []string{"us-east", "us-central"}},
		{ID: "c", Regions: []string{"us-south", "mx"}},
	}, c.Shards)
	require.Equal(t, 24*time.Hour, c.JWTExpiry)
	require.Equal(t, 10*time.Minute, c.AcceptTTL)
	require.Equal(t, []int{10, 5, 20, 5}, []int{c.RateLimitGeneral, c.RateLimitAuth, c.RateLimitOrders, c.RateLimitLocation})
}

func TestAShardIsConfiguration(t *testing.T) {
	t.Parallel()
	c, err := config.FromMap(map[string]string{
		"POSTGRES_SHARD_A_URL": "postgresql://u:p@db-a:5432/shard_a",
		"POSTGRES_SHARD_D_URL": "postgres://u:p@db-d/shard_d",
		"SHARD_A_REGIONS":      "us-west",
		"SHARD_D_REGIONS":      " ca , ",
	})
	require.NoError(t, err)
	require.Len(t, c.Shards, 4)
	require.Equal(t, config.Shard{ID: "a", URL: "postgresql://u:p@db-a:5432/shard_a", Regions: []string{"us-west"}}, c.Shards[0])
	require.Equal(t, config.Shard{ID: "d", URL: "postgres://u:p@db-d/shard_d", Regions: []string{"ca"}}, c.Shards[3])
}

// Every refusal is one line that begins with the variable an operator must
// change.
func TestUnusableValuesNameTheirVariable(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{
		"APP_ENV":                      "prod",
		"LOG_LEVEL":                    "loud",
		"TIFFIN_DEMO":                  "maybe",
		"API_GATEWAY_PORT":             "http",
		"TRACKING_SERVICE_PORT":        "70000",
		"JWT_EXPIRY":                   "tomorrow",
		"ACCEPT_TTL":                   "1ms",
		"OFFER_TTL":                    "-3s",
		"TRACKING_TTL":                 "0s",
		"BCRYPT_COST":                  "40",
		"RATE_LIMIT_GENERAL":           "-1",
		"RATE_LIMIT_EXEMPT":            "everyone",
		"TRUSTED_PROXIES":              "10.0.0.0/40",
		"CORS_ORIGINS":                 "*",
		"DISPATCH_RADIUS_KM":           "NaN",
		"DELIVERY_RADIUS_KM":           "0",
		"NATS_URL":                     "localhost",
		"REDIS_URL":                    "http://redis:6379",
		"RABBITMQ_URL":                 "rabbit",
		"MONGODB_URL":                  "postgres://x/y",
		"POSTGRES_SHARD_B_URL":         "mysql://x/y",
		"NATS_STREAM_REPLICAS":         "2",
		"POSTGRES_POOL_SIZE":           "1",
		"HEALTH_ADDR":                  "9090",
		"BRIDGE_WINDOW":                "0",
		"EVENTS_MAX_AGE":               "24h",
		"TRACKING_ANONYMOUS":           "perhaps",
		"OTEL_EXPORTER_OTLP_ENDPOINT":  "collector:4318",
		"OTEL_EXPORTER_OTLP_HEADERS":   "secret",
		"OTEL_TRACES_SAMPLER_ARG":      "1.5",
		"REPLICA_MAX_LAG":              "1ms",
		"POSTGRES_SHARD_A_REPLICA_URL": "postgresql://copy/x",
		"SENTRY_DSN":                   "https://sentry.example.com",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			_, err := config.FromMap(map[string]string{variable: value})
			require.ErrorContains(t, err, variable)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestProductionRefusesWeakSecrets(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", "short", "your-secret-key-change-in-production"} {
		_, err := config.FromMap(map[string]string{"APP_ENV": "production", "JWT_SECRET": secret})
		require.ErrorContains(t, err, "JWT_SECRET")
		if secret == "short" {
			require.NotContains(t, err.Error(), secret, "a secret is not echoed")
		}
	}
	_, err := config.FromMap(map[string]string{"APP_ENV": "production", "JWT_SECRET": "0123456789abcdef0123456789abcdef"})
	require.NoError(t, err)
}

func TestPasswordsByRole(t *testing.T) {
	t.Parallel()
	c, err := config.FromMap(map[string]string{"NATS_ORDER_PASSWORD": "s3", "NATS_OPS_PASSWORD": "o", "NATS_NOBODY_PASSWORD": "x"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"order": "s3", "ops": "o"}, c.NATSPasswords)
}

// Whatever an operator types, loading answers with a config or one line; it
// never panics.
func TestAnyValueLoadsOrExplains(t *testing.T) {
	t.Parallel()
	names := []string{"API_GATEWAY_PORT", "JWT_EXPIRY", "CORS_ORIGINS", "SHARD_A_REGIONS", "POSTGRES_SHARD_Z_URL", "TRUSTED_PROXIES", "NATS_URL"}
	rapid.Check(t, func(t *rapid.T) {
		vars := map[string]string{rapid.SampledFrom(names).Draw(t, "name"): rapid.String().Draw(t, "value")}
		if _, err := config.FromMap(vars); err != nil {
			require.NotEmpty(t, err.Error())
		}
	})
}
