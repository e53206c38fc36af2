package deploy_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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

// render is `helm template` with the given values over the chart's own.
func render(t *testing.T, values map[string]any) []object {
	t.Helper()
	chart, err := loader.Load(filepath.Join(root, "deploy/helm/tiffin"))
	require.NoError(t, err)
	require.NoError(t, chart.Validate())
	all, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: "food", Namespace: "tiffin"}, chartutil.DefaultCapabilities)
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
		"Deployment": 7, "PodDisruptionBudget": 7, "HorizontalPodAutoscaler": 6, "Service": 1, "Ingress": 1,
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
	case key == "RABBITMQ_URL":
		return "amqps://tiffin-bridge:secret@rabbitmq:5671/tiffin"
	default:
		return strings.Repeat("s3cret", 8)
	}
}

func TestTheChartGivesEveryRoleWhatItReads(t *testing.T) {
	t.Parallel()
	roles := 0
	for _, o := range render(t, nil) {
		if o.Kind != "Deployment" {
			continue
		}
		roles++
		var d appsv1.Deployment
		require.NoError(t, yaml.UnmarshalStrict([]byte(o.text), &d))
		container, env := d.Spec.Template.Spec.Containers[0], map[string]string{}
		for _, v := range container.Env {
			require.NotContains(t, env, v.Name, "given twice")
			env[v.Name] = v.Value
			if v.ValueFrom != nil {
				require.Equal(t, "tiffin", v.ValueFrom.SecretKeyRef.Name)
				require.Equal(t, v.Name, v.ValueFrom.SecretKeyRef.Key)
				env[v.Name] = secretValue(v.Name)
			} else {
				require.NotRegexp(t, `SECRET|PASSWORD|POSTGRES_SHARD|REDIS_URL|MONGODB_URL|RABBITMQ_URL`, v.Name, "secrets come by reference")
			}
		}
		accepted(t, container.Args, env)
		require.NotNil(t, container.LivenessProbe)
		require.NotNil(t, container.ReadinessProbe)
		require.Equal(t, "ghcr.io/tiffin/tiffin:1.0.0", container.Image)
		require.False(t, container.Resources.Limits.Memory().IsZero())
	}
	require.Equal(t, 7, roles)
}
