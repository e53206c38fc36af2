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
  valueFrom: { secretKeyRef: { name: {{ .root.Values.secretName }}, key: {{ .key }}{{ if .optional }}, optional: true{{ end }} } }
{{- end }}

{{- /* With TLS: how ingress-nginx reaches edges that speak HTTPS, and whom it believes. Other controllers go by appProtocol. */}}
{{- define "tiffin.backend" -}}
{{- with .Values.tls.secretName -}}
nginx.ingress.kubernetes.io/backend-protocol: HTTPS
nginx.ingress.kubernetes.io/proxy-ssl-secret: {{ $.Release.Namespace }}/{{ . }}
nginx.ingress.kubernetes.io/proxy-ssl-verify: "on"
nginx.ingress.kubernetes.io/proxy-ssl-name: {{ include "tiffin.name" (dict "root" $ "role" "edge") }}
{{- end }}
{{- end }}
