package deploy_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// certificates are what the script makes that the documentation names.
func certificates(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "certs")
	run := func() {
		out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(root, "deploy/certificates.sh"), folder).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run()
	before, err := os.ReadFile(filepath.Join(folder, "redis/tls.key"))
	require.NoError(t, err)
	run()
	after, err := os.ReadFile(filepath.Join(folder, "redis/tls.key"))
	require.NoError(t, err)
	require.Equal(t, before, after, "a renewed certificate fits the key that is there")
	return folder
}

// secured is compose.yaml with TLS, and the certificates it mounts.
func secured(t *testing.T) *types.Project {
	t.Helper()
	env := secrets(t)
	env["TIFFIN_CERTIFICATES"] = certificates(t)
	return compose(t, env, "compose.yaml", "deploy/compose.tls.yaml")
}

// onHost is the file that a container sees under the path.
func onHost(t *testing.T, s types.ServiceConfig, path string) string {
	t.Helper()
	for _, v := range s.Volumes {
		if rest, found := strings.CutPrefix(path, v.Target); found && v.Type == types.VolumeTypeBind && (rest == "" || rest[0] == '/') {
			require.True(t, v.ReadOnly, "%s of %s", v.Target, s.Name)
			return v.Source + rest
		}
	}
	require.Fail(t, "not mounted", "%s of %s", path, s.Name)
	return ""
}

// inPlace is an environment with the files of TLS where they are on this host, so
// that tiffin can read them. All three must be there.
func inPlace(t *testing.T, env map[string]string, file func(path string) string) map[string]string {
	t.Helper()
	for _, name := range []string{"TLS_CERT", "TLS_KEY", "TLS_CA"} {
		require.Contains(t, env, name)
		env[name] = file(env[name])
	}
	return env
}

func TestComposeWithTLSGivesEveryRoleWhatItReads(t *testing.T) {
	t.Parallel()
	p, plain := secured(t), project(t)
	for name, s := range p.Services {
		if s.Build == nil {
			continue
		}
		env := environment(s)
		accepted(t, s.Command, inPlace(t, env, func(path string) string { return onHost(t, s, path) }))
		for variable := range environment(plain.Services[name]) {
			require.Contains(t, env, variable, "%s has lost it by TLS", name)
		}
	}
}

// Every role calls every server by a URL that asks for TLS, and finds a
// certificate there that is for the name it called.
func TestComposeWithTLSVerifiesEveryServer(t *testing.T) {
	t.Parallel()
	p := secured(t)
	secure := map[string]string{"tls": "4222", "postgresql": "5432", "mongodb": "27017", "rediss": "6379", "amqps": "5671"}
	found := targets(t, p, secure)
	require.Len(t, found, len(targets(t, project(t), map[string]string{
		"nats": "4222", "postgresql": "5432", "mongodb": "27017", "redis": "6379", "amqp": "5672",
	})), "as many as without TLS, so none is left that does not ask for it")
	for _, f := range append(found, target{role: "edge-1", host: "edge-1"}, target{role: "edge-2", host: "edge-2"}) {
		switch {
		case strings.HasPrefix(f.url, "postgresql:"):
			require.Contains(t, f.url, "sslmode=verify-full", f.variable)
		case strings.HasPrefix(f.url, "mongodb:"):
			require.Contains(t, f.url, "&tls=true", f.variable)
		}
		server, folder := p.Services[f.host], "/tls"
		if server.Build != nil {
			folder = "/etc/tiffin"
		}
		pair, err := tls.LoadX509KeyPair(onHost(t, server, folder+"/tls.crt"), onHost(t, server, folder+"/tls.key"))
		require.NoError(t, err, f.host)
		ca, err := os.ReadFile(onHost(t, p.Services[f.role], "/etc/tiffin/ca.crt"))
		require.NoError(t, err)
		roots := x509.NewCertPool()
		require.True(t, roots.AppendCertsFromPEM(ca))
		_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: f.host, Roots: roots})
		require.NoError(t, err, "%s calls %s", f.role, f.host)
	}
}

// What the servers' own files and flags name is mounted, and the proxy calls the
// edges by the authority it is given.
func TestComposeWithTLSMountsWhatServersRead(t *testing.T) {
	t.Parallel()
	p := secured(t)
	named := regexp.MustCompile(`/tls/[a-z.]+|/tiffin/[a-z_.]+|/etc/caddy/edges/[a-z.]+`)
	for name, file := range map[string]string{
		"nats-1": "deploy/nats/tls.conf", "rabbitmq": "deploy/rabbitmq/tls.conf", "proxy": "deploy/caddy/tls.conf",
		"postgres-shard-a": "deploy/postgres/tls.sh", "postgres-shard-a-replica": "deploy/postgres/tls.sh",
		"mongodb-1": "deploy/mongodb/member.sh", "mongodb-setup": "", "redis": "",
	} {
		s := p.Services[name]
		text := strings.Join(slices.Concat(s.Command, s.Entrypoint), " ")
		for _, value := range environment(s) {
			text += " " + value
		}
		if file != "" {
			text += read(t, file)
		}
		paths := named.FindAllString(text, -1)
		require.NotEmpty(t, paths, name)
		for _, path := range paths {
			if strings.Contains(path, "/tls/") && strings.Contains(file, "member.sh") && strings.HasSuffix(path, ".pem") {
				continue // made by the script
			}
			_, err := os.Stat(onHost(t, s, path))
			require.NoError(t, err, name)
		}
	}
	require.Contains(t, read(t, "deploy/caddy/Caddyfile"), "reverse_proxy {$EDGES:edge-1:3000 edge-2:3000}")
	for _, edge := range strings.Fields(environment(p.Services["proxy"])["EDGES"]) {
		require.Contains(t, []string{"https://edge-1:3000", "https://edge-2:3000"}, edge)
	}
}

func TestTheChartWithTLSGivesEveryRoleItsFiles(t *testing.T) {
	t.Parallel()
	files := filepath.Join(certificates(t), "edge")
	given := map[string]any{"tls": map[string]any{"secretName": "tiffin-internal"}}
	for role, d := range deployments(t, given) {
		pod := d.Spec.Template.Spec
		container := pod.Containers[0]
		require.Len(t, container.VolumeMounts, 1, role)
		mount := container.VolumeMounts[0]
		require.Equal(t, mount.Name, pod.Volumes[0].Name)
		require.Equal(t, "tiffin-internal", pod.Volumes[0].Secret.SecretName)
		require.Empty(t, mount.SubPath, "a file on its own would never be renewed")
		require.True(t, mount.ReadOnly)
		require.Equal(t, int32(0o440), *pod.Volumes[0].Secret.DefaultMode)
		require.Equal(t, *pod.SecurityContext.RunAsUser, *pod.SecurityContext.FSGroup, "or it could not read them")
		accepted(t, container.Args, inPlace(t, handed(t, container, false), func(path string) string {
			rest, found := strings.CutPrefix(path, mount.MountPath+"/")
			require.True(t, found, path)
			return filepath.Join(files, rest)
		}))
		require.Empty(t, container.ReadinessProbe.HTTPGet.Scheme, "HEALTH_ADDR is plain HTTP with TLS too")
		require.Empty(t, container.LivenessProbe.HTTPGet.Scheme)
	}
	for role, d := range deployments(t, nil) {
		require.Empty(t, d.Spec.Template.Spec.Volumes, role)
	}
}

// Who calls the edge must know that it speaks HTTPS now, and does not otherwise.
func TestTheIngressFollowsTheEdgesProtocol(t *testing.T) {
	t.Parallel()
	for secret, scheme := range map[string]string{"": "http", "tiffin-internal": "https"} {
		for _, o := range render(t, map[string]any{"tls": map[string]any{"secretName": secret}}) {
			strictly(t, o)
			if o.Kind == "Service" {
				require.Equal(t, 2, strings.Count(o.text, "appProtocol: "+scheme+" "), o.text)
			}
			if o.Kind != "Ingress" {
				continue
			}
			var ingress networkingv1.Ingress
			require.NoError(t, yaml.UnmarshalStrict([]byte(o.text), &ingress))
			const nginx = "nginx.ingress.kubernetes.io/"
			require.Equal(t, "cookie", ingress.Annotations[nginx+"affinity"])
			if secret == "" {
				require.NotContains(t, ingress.Annotations, nginx+"backend-protocol")
				continue
			}
			require.Equal(t, "HTTPS", ingress.Annotations[nginx+"backend-protocol"])
			require.Equal(t, "on", ingress.Annotations[nginx+"proxy-ssl-verify"])
			require.Equal(t, "tiffin/tiffin-internal", ingress.Annotations[nginx+"proxy-ssl-secret"])
			require.Equal(t, ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name, ingress.Annotations[nginx+"proxy-ssl-name"])
		}
	}
}
