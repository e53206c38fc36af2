{{- define "tiffin.name" -}}{{ .root.Release.Name }}-{{ .role }}{{- end }}

{{- define "tiffin.selector" -}}
app.kubernetes.io/name: tiffin
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "tiffin.labels" -}}
{{ include "tiffin.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- /* A key of the Secret as a variable of the same name. */}}
{{- define "tiffin.secret" -}}
- name: {{ .key }}
  valueFrom: { secretKeyRef: { name: {{ .root.Values.secretName }}, key: {{ .key }} } }
{{- end }}
