package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiffin/shard/sealed"
)

// minSecret is the shortest JWT secret production accepts, in bytes: an HMAC
// key should not be shorter than its hash's output (RFC 7518, 3.2).
const minSecret = 32

// Validate says what cannot work, naming the variable, or returns nil.
func (c Config) Validate() error {
	checks := []func() error{c.validateApp, c.validateURLs, c.validateRates, c.validateDurations, c.validateNetworks, c.validateOrigins, c.validateTLS, c.validateTelemetry}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// Production tells whether APP_ENV asks for the strict mode.
func (c Config) Production() bool { return c.AppEnv == "production" }

func (c Config) validateApp() error {
	if !slices.Contains([]string{"development", "test", "staging", "production"}, c.AppEnv) {
		return fmt.Errorf("APP_ENV: %q is none of development, test, staging, production", c.AppEnv)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		return fmt.Errorf("LOG_LEVEL: %q is none of debug, info, warn, error", c.LogLevel)
	}
	if c.Demo != "on" && c.Demo != "off" {
		return fmt.Errorf("TIFFIN_DEMO: %q is neither on nor off", c.Demo)
	}
	for name, port := range map[string]int{"API_GATEWAY_PORT": c.EdgePort, "TRACKING_SERVICE_PORT": c.TrackingPort} {
		if port < 0 || port > 65535 {
			return fmt.Errorf("%s: %d is no port", name, port)
		}
	}
	if c.EdgePort != 0 && c.EdgePort == c.TrackingPort {
		return fmt.Errorf("TRACKING_SERVICE_PORT: %d is API_GATEWAY_PORT too", c.TrackingPort)
	}
	if _, port, err := net.SplitHostPort(c.HealthAddr); c.HealthAddr != "" && (err != nil || !isPort(port)) {
		return fmt.Errorf("HEALTH_ADDR: %q is not of the form host:port", c.HealthAddr)
	}
	if c.BcryptCost < 4 || c.BcryptCost > 16 {
		return fmt.Errorf("BCRYPT_COST: %d is not within 4 and 16", c.BcryptCost)
	}
	if _, err := c.SealingKeys(); err != nil {
		return err
	}
	return c.validateSecret()
}

// isPort tells whether the text is a port number.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// SealingKeys are the keys of DATA_KEYS, nil when there are none.
func (c Config) SealingKeys() (*sealed.Keys, error) {
	keys, err := sealed.Parse(c.DataKeys)
	if err != nil {
		return nil, fmt.Errorf("DATA_KEYS: %w", err)
	}
	return keys, nil
}

func (c Config) validateSecret() error {
	if !c.Production() {
		return nil
	}
	if c.JWTSecret == defaultOf("JWTSecret") {
		return fmt.Errorf("JWT_SECRET: the default is public; set one of at least %d bytes", minSecret)
	}
	if len(c.JWTSecret) < minSecret {
		return fmt.Errorf("JWT_SECRET: %d bytes are too few for production, at least %d", len(c.JWTSecret), minSecret)
	}
	if c.BcryptCost < 10 {
		return fmt.Errorf("BCRYPT_COST: %d is too low for production, at least 10", c.BcryptCost)
	}
	return nil
}

func (c Config) validateURLs() error {
	check := func(name, raw string, schemes ...string) error {
		if raw == "" {
			return nil
		}
		// Clusters are comma-separated lists; the scheme of the first counts.
		first, _, _ := strings.Cut(raw, ",")
		u, err := url.Parse(first)
		if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
			return fmt.Errorf("%s: not a URL of the form %s://host:port", name, schemes[0])
		}
		return nil
	}
	for _, s := range c.Shards {
		variable := "POSTGRES_SHARD_" + strings.ToUpper(s.ID)
		if err := check(variable+"_URL", s.URL, "postgresql", "postgres"); err != nil {
			return err
		}
		if err := check(variable+"_REPLICA_URL", s.Replica, "postgresql", "postgres"); err != nil {
			return err
		}
		if s.Replica != "" && s.URL == "" {
			return fmt.Errorf("%s_REPLICA_URL: set, and %s_URL is not", variable, variable)
		}
	}
	for _, v := range []struct {
		name, raw string
		schemes   []string
	}{
		{"NATS_URL", c.NATSURL, []string{"nats", "tls"}},
		{"MONGODB_URL", c.MongoURL, []string{"mongodb", "mongodb+srv"}},
		{"REDIS_URL", c.RedisURL, []string{"redis", "rediss"}},
		{"RABBITMQ_URL", c.RabbitMQURL, []string{"amqp", "amqps"}},
		{"ASSET_URL", c.AssetURL, []string{"https", "http"}},
		{"MAP_TILES_URL", c.MapTilesURL, []string{"https", "http"}},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", c.OTLPEndpoint, []string{"http", "https"}},
	} {
		if err := check(v.name, v.raw, v.schemes...); err != nil {
			return err
		}
	}
	return nil
}

// minEventsMaxAge is longer than outboxes keep what was confirmed: as long as a row is there, so is its event, and
// `tiffin bridge reconcile` can compare them.
const minEventsMaxAge = 8 * 24 * time.Hour

func (c Config) validateRates() error {
	for name, n := range map[string]int{
		"RATE_LIMIT_GENERAL": c.RateLimitGeneral, "RATE_LIMIT_AUTH": c.RateLimitAuth,
		"RATE_LIMIT_ORDERS": c.RateLimitOrders, "RATE_LIMIT_LOCATION": c.RateLimitLocation,
	} {
		if n < 0 {
			return fmt.Errorf("%s: %d is negative; 0 switches the limit off", name, n)
		}
	}
	if c.MaxConnections < 1 {
		return fmt.Errorf("MAX_CONNECTIONS_PER_IP: %d would let nobody in", c.MaxConnections)
	}
	if c.PoolSize < 2 || c.PoolSize > 1000 {
		return fmt.Errorf("POSTGRES_POOL_SIZE: %d is not within 2 and 1000", c.PoolSize)
	}
	if c.BridgeWindow < 1 || c.BridgeWindow > 65536 {
		return fmt.Errorf("BRIDGE_WINDOW: %d is not within 1 and 65536", c.BridgeWindow)
	}
	if c.EventsMaxAge != 0 && c.EventsMaxAge < minEventsMaxAge {
		return fmt.Errorf("EVENTS_MAX_AGE: %s is not 0 and less than %s", c.EventsMaxAge, minEventsMaxAge)
	}
	if r := c.StreamReplicas; r != 1 && r != 3 && r != 5 {
		return fmt.Errorf("NATS_STREAM_REPLICAS: %d is none of 1, 3, 5", r)
	}
	return nil
}

func (c Config) validateDurations() error {
	if c.ReplicaMaxLag < 100*time.Millisecond {
		return fmt.Errorf("REPLICA_MAX_LAG: %s is shorter than 100ms", c.ReplicaMaxLag)
	}
	for name, d := range map[string]time.Duration{
		"JWT_EXPIRY": c.JWTExpiry, "ACCEPT_TTL": c.AcceptTTL, "OFFER_TTL": c.OfferTTL,
		"RIDER_SILENT_TTL": c.SilentTTL, "TRACKING_TTL": c.TrackingTTL,
	} {
		if d < time.Second {
			return fmt.Errorf("%s: %s is shorter than a second", name, d)
		}
	}
	for name, km := range map[string]float64{"DISPATCH_RADIUS_KM": c.DispatchRadiusKM, "DELIVERY_RADIUS_KM": c.DeliveryRadiusKM} {
		if !(km > 0 && km <= 20000) {
			return fmt.Errorf("%s: %v is not a distance in kilometres", name, km)
		}
	}
	return nil
}

func (c Config) validateNetworks() error {
	for name, list := range map[string][]string{"TRUSTED_PROXIES": c.TrustedProxies, "RATE_LIMIT_EXEMPT": c.RateLimitExempt} {
		for _, item := range list {
			_, errAddr := netip.ParseAddr(item)
			_, errNet := netip.ParsePrefix(item)
			if errAddr != nil && errNet != nil {
				return fmt.Errorf("%s: %q is no address or network", name, item)
			}
		}
	}
	return nil
}

func (c Config) validateOrigins() error {
	for _, origin := range c.CORSOrigins {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.TrimSuffix(u.Path, "/") != "" {
			return fmt.Errorf("CORS_ORIGINS: %q is no origin such as https://app.example.com (and * is not allowed)", origin)
		}
	}
	return nil
}

// variableOf gives the environment variable of a field of Config.
func variableOf(field string) string {
	f, ok := reflect.TypeFor[Config]().FieldByName(field)
	if !ok {
		return field
	}
	return f.Tag.Get("env")
}

func defaultOf(field string) string {
	f, _ := reflect.TypeFor[Config]().FieldByName(field)
	return f.Tag.Get("envDefault")
}
