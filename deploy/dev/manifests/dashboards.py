"""Grafana's dashboards as ConfigMaps of the overlay and of the chart, with the label that the sidecar of Grafana reads.

kustomize reads no file outside of its folder, and Helm none outside of the chart: each needs a made copy.
"""

from .text import MADE, dump

SOURCE = "deploy/grafana/*.json"
OVERLAY = "deploy/kubernetes/production/dashboards"
CHART = "deploy/helm/webhooks"
LABEL = {"grafana_dashboard": "1"}


def files(root):
    """Paths and texts."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(root.glob(SOURCE))}
    made = {f"{OVERLAY}/kustomization.yaml": MADE + dump(component(sources))}
    for name, text in sources.items():
        made[f"{OVERLAY}/{name}"] = text
        made[f"{CHART}/files/dashboards/{name}"] = text
    made[f"{CHART}/templates/dashboards.yaml"] = TEMPLATE
    return made


def component(names):
    # A ConfigMap for each dashboard: `kubectl apply` keeps a copy in an annotation, which has 256 KiB at most.
    generators = [{"name": f"webhooks-dashboard-{name.removesuffix('.json')}", "files": [name]} for name in names]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "configMapGenerator": [
            # No pod refers to a dashboard: a name with a hash would leave an old copy in Grafana at each change.
            {**one, "options": {"disableNameSuffixHash": True, "labels": LABEL}}
            for one in generators
        ],
    }


# The legends' own `{{instance}}` are no Helm: the text is read as a file, not as a template.
TEMPLATE = MADE + """{{- if .Values.monitoring.dashboards }}
{{- range $path, $_ := .Files.Glob "files/dashboards/*.json" }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: webhooks-dashboard-{{ base $path | trimSuffix ".json" }}
  labels:
    app.kubernetes.io/part-of: webhooks
    app.kubernetes.io/managed-by: {{ $.Release.Service }}
    grafana_dashboard: "1"
data:
  {{ base $path }}: |-
    {{- $.Files.Get $path | nindent 4 }}
{{- end }}
{{- end }}
"""
