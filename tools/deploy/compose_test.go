package deploy_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// exactly is a version that will mean the same image tomorrow.
var exactly = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9-]+)?$`)

// secrets gives a value to every variable that compose.yaml demands, by the
// script that makes them for people.
func secrets(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, match := range regexp.MustCompile(`\$\{([A-Z_]+):\?\}`).FindAllStringSubmatch(read(t, "compose.yaml"), -1) {
		env[match[1]] = strings.Repeat("s3cret", 8)
	}
	require.NotEmpty(t, env)
	env["DATA_KEYS"] = dataKeys
	script := read(t, "deploy/secrets.sh")
	for name := range env {
		require.Regexp(t, `\b`+name+`\b`, script, "deploy/secrets.sh makes every secret")
	}
	return env
}

func project(t *testing.T) *types.Project {
	t.Helper()
	return compose(t, secrets(t), "compose.yaml")
}

// compose is what Compose makes of the files, the later ones over the first.
func compose(t *testing.T, env map[string]string, files ...string) *types.Project {
	t.Helper()
	folder, err := filepath.Abs(root)
	require.NoError(t, err)
	details := types.ConfigDetails{WorkingDir: folder, Environment: env}
	for _, file := range files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(folder, file)})
	}
	p, err := loader.LoadWithContext(t.Context(), details, loader.WithProfiles([]string{"*"}))
	require.NoError(t, err, "the schema and the rules of Compose")
	return p
}

func environment(s types.ServiceConfig) map[string]string {
	env := map[string]string{}
	for name, value := range s.Environment {
		if value != nil {
			env[name] = *value
		}
	}
	return env
}

func TestComposeGivesEveryRoleWhatItReads(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for name, s := range project(t).Services {
		if s.Build == nil {
			continue
		}
		seen[s.Command[1]]++
		accepted(t, s.Command, environment(s))
		require.Equal(t, "production", environment(s)["APP_ENV"], name)
	}
	require.Equal(t, map[string]int{
		"edge": 2, "auth": 1, "order": 1, "restaurant": 1, "delivery": 1, "tracking": 1, "bridge": 1,
	}, seen, "every role is a service of its own, and there are two edges")
}

func TestComposeStatesVersionsLimitsAndHealth(t *testing.T) {
	t.Parallel()
	p := project(t)
	for name, s := range p.Services {
		require.Regexp(t, exactly, s.Image, name)
		require.NotZero(t, s.MemLimit, "%s has no memory limit", name)
		require.NotEmpty(t, s.Restart, name)
		if name != "mongodb-setup" {
			require.NotNil(t, s.HealthCheck, "%s has no health check", name)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				_, err := os.Stat(v.Source)
				require.NoError(t, err, "%s mounts what is not there", name)
			}
		}
	}
	require.Contains(t, read(t, "go.mod"), "github.com/nats-io/nats-server/v2 v"+
		strings.TrimSuffix(strings.TrimPrefix(p.Services["nats-1"].Image, "nats:"), "-alpine"), "the server that the tests ran on")
}

// Every host that a URL names is a service, and listens on that port by default
// or by its own word.
func TestComposeURLsLeadToServices(t *testing.T) {
	t.Parallel()
	ports := map[string]string{"nats": "4222", "postgresql": "5432", "mongodb": "27017", "redis": "6379", "amqp": "5672"}
	require.Greater(t, len(targets(t, project(t), ports)), 20)
}

// target is a server as a role calls it.
type target struct{ role, variable, url, host string }

// targets are all servers that the roles' URLs lead to. Each must be a service,
// on the port that belongs to the scheme.
func targets(t *testing.T, p *types.Project, ports map[string]string) []target {
	t.Helper()
	var found []target
	for name, s := range p.Services {
		if s.Build == nil {
			continue
		}
		for variable, value := range environment(s) {
			scheme, rest, ok := strings.Cut(value, "://")
			if !ok || ports[scheme] == "" {
				continue
			}
			rest = strings.ReplaceAll(rest[strings.LastIndex(rest, "@")+1:], scheme+"://", "")
			rest, _, _ = strings.Cut(rest, "/")
			for _, host := range strings.Split(rest, ",") {
				u, err := url.Parse("x://" + host)
				require.NoError(t, err)
				require.Contains(t, p.Services, u.Hostname(), "%s of %s", variable, name)
				require.Equal(t, ports[scheme], u.Port(), "%s of %s", variable, name)
				found = append(found, target{name, variable, value, u.Hostname()})
			}
		}
	}
	return found
}

func TestTheNATSNodesHoldTheSamePasswordsAsTheRoles(t *testing.T) {
	t.Parallel()
	p := project(t)
	conf := read(t, "nats.conf")
	for _, node := range []string{"nats-1", "nats-2", "nats-3"} {
		env := environment(p.Services[node])
		for _, match := range regexp.MustCompile(`\$(NATS_[A-Z_]+)`).FindAllStringSubmatch(conf, -1) {
			if match[1] != "NATS_" { // in the comment
				require.Contains(t, env, match[1], node)
			}
		}
		require.Contains(t, p.Services[node].Command, "--name="+node)
	}
}

func TestTheImageIsBuiltByExactVersions(t *testing.T) {
	t.Parallel()
	file := read(t, "Dockerfile")
	stages := regexp.MustCompile(`(?m)^FROM (--platform=\$BUILDPLATFORM )?(\S+)`).FindAllStringSubmatch(file, -1)
	require.Len(t, stages, 3)
	for i, stage := range stages {
		require.Regexp(t, exactly, stage[2])
		require.Equal(t, i < 2, stage[1] != "", "what runs programs runs on the machine's own processor")
	}
	last := file[strings.LastIndex(file, "\nFROM "):]
	require.NotContains(t, last, "\nRUN ", "it would need an emulator for other processors")
	require.Regexp(t, `(?m)^USER 10001`, file, "not root")
	require.Contains(t, file, "CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH", "static, and for the image's processor")
}

// Nothing that the binary is made of is kept from the builder.
func TestTheImageGetsAllPackages(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "./cmd/tiffin")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.Greater(t, len(packages), 20)
	for _, pattern := range strings.Fields(read(t, ".dockerignore")) {
		for _, p := range packages {
			require.False(t, strings.HasPrefix(p+"/", "tiffin/"+pattern+"/"), "%s is ignored by %s", p, pattern)
		}
	}
}

// A replica that does not get the arguments would allow fewer connections than
// its primary and refuse to follow it. The server's own entry point stands in.
func TestTheReplicaGetsThePrimarysSettings(t *testing.T) {
	t.Parallel()
	p, folder := project(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "PG_VERSION"), []byte("15\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "docker-entrypoint.sh"), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"), 0o700))
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{filepath.Join(root, "deploy/postgres/replica.sh")}, p.Services["postgres-shard-a-replica"].Command...)...)
	cmd.Env = []string{"PATH=" + folder + ":" + os.Getenv("PATH"), "PGDATA=" + folder}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, []string(p.Services["postgres-shard-a"].Command), strings.Split(strings.TrimSpace(string(out)), "\n"))
}
