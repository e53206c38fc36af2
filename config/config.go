// Package config reads what an operator may set: one struct, filled from
// `.env` and the environment (the environment wins), checked by Validate,
// which names the variable that is wrong. Nothing else in Tiffin reads the
// environment, so this file and .env.example are the whole list.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
)

// Config is everything that can be set from outside, with the defaults of the
// embedded fleet. Rates are per second with 0 meaning off; distances are in
// kilometres.
type Config struct {
	AppEnv   string `env:"APP_ENV" envDefault:"development"`
	LogLevel string `env:"LOG_LEVEL" envDefault:"info"`
	Home     string `env:"TIFFIN_HOME" envDefault:".tiffin"`
	Demo     string `env:"TIFFIN_DEMO" envDefault:"on"`

	NATSURL     string `env:"NATS_URL"`
	MongoURL    string `env:"MONGODB_URL"`
	RedisURL    string `env:"REDIS_URL"`
	RabbitMQURL string `env:"RABBITMQ_URL"`

	// TLSCert and TLSKey are files of what the edge serves with, and shows to
	// servers that ask; TLSCA of the one authority that backing servers are
	// verified against. See ServerTLS and ClientTLS.
	TLSCert string `env:"TLS_CERT"`
	TLSKey  string `env:"TLS_KEY"`
	TLSCA   string `env:"TLS_CA"`

	// ReplicaMaxLag is how old an answer of a replica may be.
	ReplicaMaxLag time.Duration `env:"REPLICA_MAX_LAG" envDefault:"1s"`

	// PoolSize is the connections per shard and process. PostgreSQL answers from a
	// few dozen connections fastest; more only queue inside it.
	PoolSize int `env:"POSTGRES_POOL_SIZE" envDefault:"24"`

	// BridgeWindow is how many events the bridge has under way to RabbitMQ: more
	// drain faster up to what the broker takes, and may come twice after a fault.
	BridgeWindow int `env:"BRIDGE_WINDOW" envDefault:"4096"`
	// EventsMaxAge is how long JetStream keeps events that everybody has confirmed, for replays; 0 keeps all.
	EventsMaxAge time.Duration `env:"EVENTS_MAX_AGE" envDefault:"720h"`

	// StreamReplicas is the replication of the EVENTS stream: 1 on a single
	// server, 3 on a cluster.
	StreamReplicas int `env:"NATS_STREAM_REPLICAS" envDefault:"1"`

	EdgePort     int `env:"API_GATEWAY_PORT" envDefault:"3000"`
	TrackingPort int `env:"TRACKING_SERVICE_PORT" envDefault:"3005"`
	// BindAddress is the interface the edge listens on. Loopback by default,
	// because a laptop should not offer demo accounts to its café.
	BindAddress string `env:"BIND_ADDRESS" envDefault:"127.0.0.1"`

	// HealthAddr is where a process of `tiffin run` answers probes and Prometheus,
	// host:port; empty is nowhere.
	HealthAddr string `env:"HEALTH_ADDR"`

	JWTSecret string        `env:"JWT_SECRET" envDefault:"your-secret-key-change-in-production"`
	JWTExpiry time.Duration `env:"JWT_EXPIRY" envDefault:"24h"`
	// DataKeys are the keys of personal data, "id:base64" separated by commas; the
	// first one seals, all open. Read them with SealingKeys.
	DataKeys   string `env:"DATA_KEYS"`
	BcryptCost int    `env:"BCRYPT_COST" envDefault:"10"`

	CORSOrigins       []string `env:"CORS_ORIGINS"`
	TrustedProxies    []string `env:"TRUSTED_PROXIES"`
	RateLimitGeneral  int      `env:"RATE_LIMIT_GENERAL" envDefault:"10"`
	RateLimitAuth     int      `env:"RATE_LIMIT_AUTH" envDefault:"5"`
	RateLimitOrders   int      `env:"RATE_LIMIT_ORDERS" envDefault:"20"`
	RateLimitLocation int      `env:"RATE_LIMIT_LOCATION" envDefault:"5"`
	RateLimitExempt   []string `env:"RATE_LIMIT_EXEMPT"`
	// MaxConnections is what one address may have open at an edge.
	MaxConnections int `env:"MAX_CONNECTIONS_PER_IP" envDefault:"20000"`

	AcceptTTL        time.Duration `env:"ACCEPT_TTL" envDefault:"10m"`
	OfferTTL         time.Duration `env:"OFFER_TTL" envDefault:"30s"`
	SilentTTL        time.Duration `env:"RIDER_SILENT_TTL" envDefault:"5m"`
	DispatchRadiusKM float64       `env:"DISPATCH_RADIUS_KM" envDefault:"15"`
	DeliveryRadiusKM float64       `env:"DELIVERY_RADIUS_KM" envDefault:"25"`

	TrackingTTL       time.Duration `env:"TRACKING_TTL" envDefault:"1h"`
	TrackingAnonymous bool          `env:"TRACKING_ANONYMOUS" envDefault:"false"`

	AssetURL    string `env:"ASSET_URL"`
	MapTilesURL string `env:"MAP_TILES_URL"`

	// OTLPEndpoint is where traces go, OTLPHeaders what is sent along
	// ("name=value,name=value"; a value may be percent-encoded), and TracesRatio the
	// share of them that is recorded.
	OTLPEndpoint string  `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	OTLPHeaders  string  `env:"OTEL_EXPORTER_OTLP_HEADERS"`
	TracesRatio  float64 `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"0.01"`
	// SentryDSN is where panics and internal errors are reported.
	SentryDSN string `env:"SENTRY_DSN"`

	// Shards come from POSTGRES_SHARD_<LETTER>_URL, …_REPLICA_URL and
	// SHARD_<LETTER>_REGIONS, for any letter: a new shard is configuration, not code.
	Shards []Shard `env:"-"`
	// NATSPasswords holds NATS_<ROLE>_PASSWORD by lower-case role, "ops" among
	// them.
	NATSPasswords map[string]string `env:"-"`
	// Private lists the variables whose servers `tiffin up` started for itself,
	// on loopback and without TLS.
	Private []string `env:"-"`
}

// Shard is one PostgreSQL cluster and the regions that live on it.
type Shard struct {
	ID      string // lower-case letter: "a"
	URL     string // empty when only the regions are configured
	Regions []string
	Replica string // URL of a streaming replica; empty: none
}

// defaultRegions is the three-way split of the US, Canada and Mexico that
// holds unless SHARD_<LETTER>_REGIONS says otherwise.
var defaultRegions = map[string]string{
	"a": "us-west,ca",
	"b": "us-east,us-central",
	"c": "us-south,mx",
}

// NATSRoles are the users of nats.conf, each with a password variable of its
// own.
var NATSRoles = []string{"auth", "order", "restaurant", "delivery", "tracking", "edge", "bridge", "ops"}

// Load reads .env in the working folder, if there is one, and then the
// environment. The error is one line and names the variable.
func Load() (Config, error) {
	file, err := godotenv.Read(".env")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf(".env: %w", err)
	}
	vars := make(map[string]string, len(file))
	for k, v := range file {
		vars[k] = v
	}
	for _, kv := range os.Environ() {
		if k, v, ok := strings.Cut(kv, "="); ok {
			vars[k] = v
		}
	}
	return FromMap(vars)
}

// FromMap reads the variables given, without looking at the process's own
// environment. Empty values count as unset.
func FromMap(vars map[string]string) (Config, error) {
	set := make(map[string]string, len(vars))
	for k, v := range vars {
		if strings.TrimSpace(v) != "" {
			set[k] = strings.TrimSpace(v)
		}
	}
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: set}); err != nil {
		return Config{}, readable(err)
	}
	c.Shards = shards(set)
	c.NATSPasswords = make(map[string]string)
	for _, role := range NATSRoles {
		if pw := set["NATS_"+strings.ToUpper(role)+"_PASSWORD"]; pw != "" {
			c.NATSPasswords[role] = pw
		}
	}
	return c, c.Validate()
}

// readable turns the parser's aggregate of struct-field errors into one line
// that names the variable, because operators know variables, not fields.
func readable(err error) error {
	var agg env.AggregateError
	if !errors.As(err, &agg) {
		return err
	}
	for _, e := range agg.Errors {
		var p env.ParseError
		if errors.As(e, &p) {
			return fmt.Errorf("%s: not a valid %s", variableOf(p.Name), p.Type)
		}
	}
	return agg.Errors[0]
}

// shards gathers what is said of each by its letter. The
// three default shards exist even without a URL, so that the embedded default
// knows what to start.
func shards(vars map[string]string) []Shard {
	byID := map[string]Shard{}
	for id, regions := range defaultRegions {
		byID[id] = Shard{ID: id, Regions: split(regions)}
	}
	for k, v := range vars {
		if id, ok := letter(k, "POSTGRES_SHARD_", "_URL"); ok {
			s := byID[id]
			s.ID, s.URL = id, v
			byID[id] = s
		}
		if id, ok := letter(k, "POSTGRES_SHARD_", "_REPLICA_URL"); ok {
			s := byID[id]
			s.ID, s.Replica = id, v
			byID[id] = s
		}
		if id, ok := letter(k, "SHARD_", "_REGIONS"); ok {
			s := byID[id]
			s.ID, s.Regions = id, split(v)
			byID[id] = s
		}
	}
	out := make([]Shard, 0, len(byID))
	for _, s := range byID {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

// letter extracts the shard's letter from a variable's name, lower-cased.
func letter(name, prefix, suffix string) (string, bool) {
	mid, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return "", false
	}
	mid, ok = strings.CutSuffix(mid, suffix)
	if !ok || len(mid) != 1 || mid[0] < 'A' || mid[0] > 'Z' {
		return "", false
	}
	return strings.ToLower(mid), true
}

func split(list string) []string {
	var out []string
	for _, item := range strings.Split(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
