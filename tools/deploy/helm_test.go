package deploy_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// object is what all kinds have in common.
type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec map[string]any `json:"spec"`

	text string
}

// values puts the given values over the chart's own; what its schema refuses is
// an error.
func values(t *testing.T, given map[string]any) (*chart.Chart, chartutil.Values, error) {
	t.Helper()
	c, err := loader.Load(filepath.Join(root, "deploy/helm/tiffin"))
	require.NoError(t, err)
	require.NoError(t, c.Validate())
	all, err := chartutil.ToRenderValues(c, given, chartutil.ReleaseOptions{Name: "food", Namespace: "tiffin"}, chartutil.DefaultCapabilities)
	return c, all, err
}

// render is `helm template` with the given values over the chart's own.
func render(t *testing.T, given map[string]any) []object {
	t.Helper()
	chart, all, err := values(t, given)
	require.NoError(t, err)
	files, err := engine.Engine{}.Render(chart, all)
	require.NoError(t, err)
	var out []object
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, text := range strings.Split(files[name], "\n---\n") {
			o := object{text: text}
			require.NoError(t, yaml.Unmarshal([]byte(text), &o), "%s\n%s", name, text)
			if o.Kind != "" {
				out = append(out, o)
			}
		}
	}
	return out
}

// strictly decodes an object into Kubernetes' own type: a field that does not
// exist there is an error.
func strictly(t *testing.T, o object) {
	t.Helper()
	kinds := map[string]any{
		"apps/v1 Deployment": &appsv1.Deployment{}, "v1 Service": &corev1.Service{},
		"policy/v1 PodDisruptionBudget": &policyv1.PodDisruptionBudget{}, "networking.k8s.io/v1 Ingress": &networkingv1.Ingress{},
		"autoscaling/v2 HorizontalPodAutoscaler": &autoscalingv2.HorizontalPodAutoscaler{},
		"networking.k8s.io/v1 NetworkPolicy":     &networkingv1.NetworkPolicy{},
	}
	into, ok := kinds[o.APIVersion+" "+o.Kind]
	require.True(t, ok, "%s %s", o.APIVersion, o.Kind)
	require.NoError(t, yaml.UnmarshalStrict([]byte(o.text), into), o.text)
}

var everything = map[string]any{"keda": map[string]any{"enabled": true}, "monitoring": map[string]any{"enabled": true}}

func TestTheChartIsValidKubernetes(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	for _, o := range render(t, nil) {
		strictly(t, o)
		kinds[o.Kind]++
	}
	require.Equal(t, map[string]int{
		"Deployment": 7, "PodDisruptionBudget": 7, "NetworkPolicy": 7, "HorizontalPodAutoscaler": 6, "Service": 1, "Ingress": 1,
	}, kinds)
}

func TestTheChartScalesOnPendingAndIsWatched(t *testing.T) {
	t.Parallel()
	kinds, consumers := map[string]int{}, []string{}
	for _, o := range render(t, everything) {
		kinds[o.Kind]++
		switch o.Kind {
		case "ScaledObject":
			for _, trigger := range o.Spec["triggers"].([]any) {
				if tr := trigger.(map[string]any); tr["type"] == "nats-jetstream" {
					consumers = append(consumers, tr["metadata"].(map[string]any)["consumer"].(string))
				}
			}
		case "PrometheusRule":
			spec, err := yaml.Marshal(o.Spec)
			require.NoError(t, err)
			_, errs := parseRules(spec)
			require.Empty(t, errs)
		case "ServiceMonitor": // a type of the operator
		default:
			strictly(t, o)
		}
	}
	require.Equal(t, 6, kinds["ScaledObject"])
	require.Zero(t, kinds["HorizontalPodAutoscaler"], "two would pull at the same Deployment")
	require.Equal(t, []string{"delivery", "tracking"}, consumers)
	require.Equal(t, 1, kinds["ServiceMonitor"])
	require.GreaterOrEqual(t, kinds["PrometheusRule"], 2)
}

// secretValue gives a usable value to a key of the Secret.
func secretValue(key string) string {
	switch {
	case strings.HasPrefix(key, "POSTGRES_"):
		return "postgresql://tiffin:secret@db:5432/shard"
	case key == "DATA_KEYS":
		return dataKeys
	case key == "REDIS_URL":
		return "rediss://:secret@redis:6379"
	case key == "MONGODB_URL":
		return "mongodb://tiffin:secret@mongodb:27017/restaurants"
	case key == "OTEL_EXPORTER_OTLP_HEADERS":
		return "authorization=Bearer%20secret"
	case key == "SENTRY_DSN":
		return "https://key@sentry.example.com/1"
	case key == "RABBITMQ_URL":
		return "amqps://tiffin-bridge:secret@rabbitmq:5671/tiffin"
	default:
		return strings.Repeat("s3cret", 8)
	}
}

// deployments are the chart's, by role.
func deployments(t *testing.T, given map[string]any) map[string]appsv1.Deployment {
	t.Helper()
	out := map[string]appsv1.Deployment{}
	for _, o := range render(t, given) {
		if o.Kind == "Deployment" {
			var d appsv1.Deployment
			require.NoError(t, yaml.UnmarshalStrict([]byte(o.text), &d))
			out[d.Spec.Template.Spec.Containers[0].Args[1]] = d
		}
	}
	require.Len(t, out, 7)
	return out
}

// handed is the environment that a container gets of values and of a Secret with
// all keys, or with those alone that must be there.
func handed(t *testing.T, container corev1.Container, optional bool) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, v := range container.Env {
		require.NotContains(t, env, v.Name, "given twice")
		if v.ValueFrom == nil {
			require.NotRegexp(t, secretNames, v.Name, "secrets come by reference")
			env[v.Name] = v.Value
			continue
		}
		ref := v.ValueFrom.SecretKeyRef
		require.Equal(t, "tiffin", ref.Name)
		require.Equal(t, v.Name, ref.Key)
		if optional || ref.Optional == nil || !*ref.Optional {
			env[v.Name] = secretValue(v.Name)
		}
	}
	return env
}

// secretNames matches what must not stand in values.
const secretNames = `SECRET|PASSWORD|DATA_KEYS|POSTGRES_SHARD|REDIS_URL|MONGODB_URL|RABBITMQ_URL|OTLP_HEADERS|SENTRY_DSN`

func TestTheChartGivesEveryRoleWhatItReads(t *testing.T) {
	t.Parallel()
	for _, d := range deployments(t, nil) {
		container := d.Spec.Template.Spec.Containers[0]
		accepted(t, container.Args, handed(t, container, false))
		require.Equal(t, "ghcr.io/tiffin/tiffin:1.0.0", container.Image)
		require.False(t, container.Resources.Limits.Memory().IsZero())
	}
}

// With everything that is off by default: what a role gets is still all that it
// reads and nothing else, and each piece reaches those that need it.
func TestTheChartGivesTelemetryToAllAndReplicasToTheSharded(t *testing.T) {
	t.Parallel()
	given := map[string]any{
		"replicas": []any{"A", "C"},
		"env":      map[string]any{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4318", "REPLICA_MAX_LAG": "2s"},
	}
	for role, d := range deployments(t, given) {
		container := d.Spec.Template.Spec.Containers[0]
		env := handed(t, container, true)
		accepted(t, container.Args, env)
		for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "SENTRY_DSN"} {
			require.Contains(t, env, name, role)
		}
		_, sharded := env["POSTGRES_SHARD_A_URL"]
		require.Equal(t, slices.Contains([]string{"auth", "order", "delivery"}, role), sharded, role)
		for letter, has := range map[string]bool{"A": sharded, "B": false, "C": sharded} {
			_, got := env["POSTGRES_SHARD_"+letter+"_REPLICA_URL"]
			require.Equal(t, has, got, "the replica of %s for %s", letter, role)
		}
		// A Secret without the optional keys must do as well, and be no fault of the pod's.
		less := handed(t, container, false)
		require.NotContains(t, less, "SENTRY_DSN", role)
		require.NotContains(t, less, "OTEL_EXPORTER_OTLP_HEADERS", role)
		accepted(t, container.Args, less)
	}
}

func TestTheSchemaRefusesSecretsAndSlips(t *testing.T) {
	t.Parallel()
	_, _, err := values(t, map[string]any{"env": map[string]any{"LOG_LEVEL": "debug"}})
	require.NoError(t, err)
	for _, name := range []string{"JWT_SECRET", "DATA_KEYS", "OTEL_EXPORTER_OTLP_HEADERS", "SENTRY_DSN", "REDIS_URL", "TLS_CERT"} {
		_, _, err := values(t, map[string]any{"env": map[string]any{name: "x"}})
		require.ErrorContains(t, err, "invalid propertyName '"+name+"'")
	}
	for _, slip := range []map[string]any{
		{"tls": map[string]any{"secret": "x"}}, {"replica": []any{"A"}}, {"replicas": []any{"a"}},
		{"roles": map[string]any{"edge": map[string]any{"replicas": 0}}}, {"roles": map[string]any{"kitchen": map[string]any{}}},
	} {
		_, _, err := values(t, slip)
		require.ErrorContains(t, err, "values don't meet the specifications", slip)
	}
}

// What an operator of clusters takes for granted, for every role.
func TestPodsAreProbedSpreadAndConfined(t *testing.T) {
	t.Parallel()
	for role, d := range deployments(t, nil) {
		pod := d.Spec.Template.Spec
		container := pod.Containers[0]
		for path, probe := range map[string]*corev1.Probe{
			"/healthz": container.LivenessProbe, "/readyz": container.ReadinessProbe,
		} {
			require.Equal(t, path, probe.HTTPGet.Path, role)
			require.Equal(t, "health", probe.HTTPGet.Port.StrVal, role)
		}
		require.GreaterOrEqual(t, container.StartupProbe.FailureThreshold*container.StartupProbe.PeriodSeconds, int32(60),
			"%s waits a minute for NATS and may not be ended before", role)
		require.Len(t, pod.TopologySpreadConstraints, 2)
		require.True(t, *pod.SecurityContext.RunAsNonRoot)
		require.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
		require.False(t, *container.SecurityContext.AllowPrivilegeEscalation)
		require.Equal(t, []corev1.Capability{"ALL"}, container.SecurityContext.Capabilities.Drop)
		require.False(t, *pod.AutomountServiceAccountToken)
		require.False(t, *pod.EnableServiceLinks, "a Service of the name tracking would set TRACKING_SERVICE_PORT")
		require.GreaterOrEqual(t, *pod.TerminationGracePeriodSeconds, int64(60))
	}
}

func TestOnlyTheEdgeTakesClients(t *testing.T) {
	t.Parallel()
	for _, o := range render(t, nil) {
		if o.Kind != "NetworkPolicy" {
			continue
		}
		var policy networkingv1.NetworkPolicy
		require.NoError(t, yaml.UnmarshalStrict([]byte(o.text), &policy))
		var ports []string
		for _, rule := range policy.Spec.Ingress {
			for _, port := range rule.Ports {
				ports = append(ports, port.Port.StrVal)
			}
		}
		want := []string{"health"}
		if policy.Spec.PodSelector.MatchLabels["app.kubernetes.io/component"] == "edge" {
			want = append(want, "http", "tracking")
		}
		require.Equal(t, want, ports, o.Metadata.Name)
	}
}
