"""The PrometheusRule of the overlay and of the chart, made from the plain rule files: no rule is kept twice by hand.

kustomize reads no file outside of its folder, and Helm none outside of the chart: each needs a made copy.
"""

import yaml

from .text import MADE, dump

SOURCE = "deploy/prometheus/alerts*.yml"
OVERLAY = "deploy/kubernetes/production/alerts"
CHART = "deploy/helm/webhooks"
COMPONENT = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}


def groups(root):
    """The groups of the rule files; None where no file is there."""
    sources = sorted(root.glob(SOURCE))
    found = [group for source in sources for group in yaml.safe_load(source.read_text())["groups"]]
    return found or None


def files(root):
    """Paths and texts. Without a rule file the overlay has a component without resources, and the chart no alerts."""
    found = groups(root)
    made = {f"{OVERLAY}/kustomization.yaml": MADE + dump({**COMPONENT, "resources": ["rules.yaml"] if found else []})}
    if found:
        made[f"{OVERLAY}/rules.yaml"] = MADE + dump(rule(found))
        made[f"{CHART}/files/alerts.yml"] = MADE + dump({"groups": found})
        made[f"{CHART}/templates/alerts.yaml"] = TEMPLATE
    return made


def rule(found):
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "webhooks", "labels": {"app.kubernetes.io/part-of": "webhooks"}},
        "spec": {"groups": found},
    }


# The rules' own `{{ $labels… }}` are no Helm: the text is read as a file, not as a template.
TEMPLATE = MADE + """{{- if .Values.monitoring.alerts }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: webhooks
  labels:
    app.kubernetes.io/part-of: webhooks
    app.kubernetes.io/managed-by: {{ .Release.Service }}
    {{- with .Values.monitoring.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- .Files.Get "files/alerts.yml" | fromYaml | toYaml | nindent 2 }}
{{- end }}
"""
