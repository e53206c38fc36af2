package config_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"tiffin/config"
)

// documented is a variable of .env.example, commented out or not.
var documented = regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=(.*)$`)

// outside are variables that the configuration does not hold itself: one that
// only a command reads.
var outside = map[string]bool{"TIFFIN_ADMIN_PASSWORD": true}

// example reads .env.example with every line switched on.
func example(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../.env.example")
	require.NoError(t, err)
	vars := map[string]string{}
	for _, match := range documented.FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, vars, match[1], "documented twice")
		vars[match[1]] = match[2]
	}
	return vars
}

func TestEnvExampleDocumentsEveryVariable(t *testing.T) {
	t.Parallel()
	vars, known := example(t), map[string]bool{}
	for i := range reflect.TypeFor[config.Config]().NumField() {
		field := reflect.TypeFor[config.Config]().Field(i)
		name := field.Tag.Get("env")
		if name == "-" {
			continue
		}
		known[name] = true
		value, ok := vars[name]
		require.True(t, ok, "%s is not documented", name)
		if standard, ok := field.Tag.Lookup("envDefault"); ok {
			require.Equal(t, standard, value, "the default of %s", name)
		}
	}
	for _, role := range config.NATSRoles {
		known["NATS_"+upper(role)+"_PASSWORD"] = true
	}
	c, err := config.FromMap(nil)
	require.NoError(t, err)
	for _, s := range c.Shards {
		known["POSTGRES_SHARD_"+upper(s.ID)+"_URL"] = true
		known["POSTGRES_SHARD_"+upper(s.ID)+"_REPLICA_URL"] = true
		known["SHARD_"+upper(s.ID)+"_REGIONS"] = true
	}
	for name := range vars {
		require.True(t, known[name] || outside[name], "%s is documented and read by nothing", name)
	}
	for name := range known {
		require.Contains(t, vars, name)
	}
}

func TestEnvExampleCanBeUsed(t *testing.T) {
	t.Parallel()
	with, err := config.FromMap(example(t))
	require.NoError(t, err, "every example is a usable value")
	without, err := config.FromMap(nil)
	require.NoError(t, err)
	for i, s := range without.Shards {
		require.Equal(t, s.Regions, with.Shards[i].Regions)
	}

	copied, err := godotenv.Read("../.env.example")
	require.NoError(t, err)
	require.Empty(t, copied, "copied as it stands, it changes nothing")
}

func upper(s string) string { return strings.ToUpper(s) }
