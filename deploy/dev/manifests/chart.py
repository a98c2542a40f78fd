"""The Helm chart, made from the kustomize base and overlay: no manifest is kept twice by hand.

Each object of the chart is an object of kustomize with some values replaced by expressions of Helm (EDITS), in a file
of its group (GROUPS). values.yaml takes the defaults from the same objects.
"""

import re

from . import chart_values
from .text import MADE, dump

CHART = "deploy/helm/webhooks"
# Objects of the overlay that the chart has, too; the rest of the chart is the base.
OPTIONAL = ("TriggerAuthentication", "ScaledObject", "ServiceMonitor", "Ingress")
# The file of an object, by its kind, else by its name; and the condition on which the file counts.
GROUPS = {
    "NetworkPolicy": ("network-policies", ".Values.networkPolicy.enabled"),
    "PodDisruptionBudget": ("disruption-budgets", None),
    "TriggerAuthentication": ("scaling", ".Values.scaling.enabled"),
    "ScaledObject": ("scaling", ".Values.scaling.enabled"),
    "ServiceMonitor": ("monitoring", ".Values.monitoring.serviceMonitors"),
    "Ingress": ("ingress", ".Values.ingress.enabled"),
}
SERVICES = {"api": "webhook-api", "dispatcher": "webhook-dispatcher"}
MARK = re.compile(r"(?P<before>[^\n]*?)MARK(?P<number>\d+)(?P<after>[^\n]*)")


class Marks:
    """Values of objects that became marks, and the expressions that the marks become in the text."""

    def __init__(self):
        self.expressions = []

    def put(self, one, path, expression):
        """Replaces the value at `path`; `-` at the end of the path appends to the list there."""
        *parents, last = path
        for key in parents:
            one = one[key]
        mark = f"MARK{len(self.expressions)}"
        self.expressions.append(expression)
        if last == "-":
            one.append(mark)
        else:
            one[last] = mark

    def text(self, one):
        return MARK.sub(self.replaced, dump(one))

    def replaced(self, found):
        """A line with its mark replaced. An expression of lines stands as deep as the line."""
        before, expression = found["before"], self.expressions[int(found["number"])]
        depth = len(before) - len(before.lstrip())
        if expression.startswith("WITH "):
            value = expression[5:]
            return f"{' ' * depth}{{{{- with {value} }}}}\n{' ' * depth}{{{{- toYaml . | nindent {depth} }}}}\n{' ' * depth}{{{{- end }}}}"
        if expression.startswith("UNLESS "):
            condition, value = expression[7:].split(": ", 1)
            return f"{' ' * depth}{{{{- if not {condition} }}}}\n{before}{value}\n{' ' * depth}{{{{- end }}}}"
        return before + expression.replace("DEPTH", str(depth + 2)) + found["after"]


def files(base, overlay, version):
    """Paths and texts of the chart, of the rendered base and overlay; both are changed."""
    values = chart_values.values(base, overlay)
    groups = {}
    for one in base.objects + overlay.of(*OPTIONAL):
        groups.setdefault(group(one), []).append(edited(one))
    made = {f"templates/{name}.yaml": template(name, texts) for name, texts in groups.items()}
    made["Chart.yaml"] = MADE + dump(description(version))
    made["values.yaml"] = chart_values.text(values)
    made["values.schema.json"] = chart_values.schema(values)
    made["templates/NOTES.txt"] = NOTES
    return {f"{CHART}/{path}": text for path, text in made.items()}


def description(version):
    return {
        "apiVersion": "v2",
        "name": "webhooks",
        "description": "Webhooks of a License Management Platform: webhook-api and webhook-dispatcher",
        "type": "application",
        "version": version,
        "appVersion": version,
        "kubeVersion": ">=1.27.0-0",
    }


def group(one):
    if one["kind"] in GROUPS:
        return GROUPS[one["kind"]][0]
    return re.match("webhook-([a-z]+)", one["metadata"]["name"])[1]


def template(name, texts):
    conditions = {file: condition for file, condition in GROUPS.values()} | {"migration": ".Values.migration.enabled"}
    condition, text = conditions.get(name), "---\n".join(texts)
    return MADE + (f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n" if condition else text)


def edited(one):
    """The text of one object, with expressions for the values that a user sets."""
    marks, kind, metadata = Marks(), one["kind"], one["metadata"]
    metadata.pop("namespace", None)
    metadata.setdefault("labels", {})
    marks.put(one, ["metadata", "labels", "app.kubernetes.io/managed-by"], "{{ .Release.Service }}")
    EDITS.get(kind, lambda *_: None)(marks, one)
    return marks.text(one)


def config_map(marks, one):
    service = "api" if "api" in one["metadata"]["name"] else "dispatcher"
    one["metadata"]["name"] = f"{SERVICES[service]}-settings"
    marks.put(one, ["data"], f"{{{{- toYaml .Values.{service}.settings | nindent DEPTH }}}}")


def deployment(marks, one):
    service = "api" if one["metadata"]["name"] == "webhook-api" else "dispatcher"
    values = f".Values.{service}"
    count = f"{{{{ {values}.replicas }}}}"
    marks.put(one, ["spec", "replicas"], count if service == "api" else f"UNLESS .Values.scaling.enabled: {count}")
    template_of = one["spec"]["template"]
    # The pods are replaced when a setting changes.
    template_of["metadata"]["annotations"] = {}
    marks.put(template_of, ["metadata", "annotations", "checksum/settings"], f"{{{{ toJson {values}.settings | sha256sum }}}}")
    if service == "dispatcher":
        grace = f"{{{{ {values}.terminationGracePeriodSeconds }}}}"
        marks.put(template_of, ["spec", "terminationGracePeriodSeconds"], grace)
    container = pod(marks, template_of, values)
    container["envFrom"][0]["configMapRef"]["name"] = f"{SERVICES[service]}-settings"
    marks.put(container, ["env", "-"], f"WITH {values}.extraEnv")
    marks.put(template_of, ["spec", "volumes", 0, "secret", "secretName"], "{{ .Values.secrets.services }}")


def job(marks, one):
    # A name for each revision: the template of a Job is immutable. Helm removes the Job of the revision before.
    marks.put(one, ["metadata", "name"], "webhook-migration-{{ .Release.Revision }}")
    container = pod(marks, one["spec"]["template"], ".Values.migration")
    marks.put(container, ["env", "-"], "WITH .Values.migration.extraEnv")


def pod(marks, template_of, values):
    """The parts that every pod has; returns the last container."""
    spec = template_of["spec"]
    spec["imagePullSecrets"] = []
    marks.put(spec, ["imagePullSecrets"], "{{- toYaml .Values.imagePullSecrets | nindent DEPTH }}")
    for container in spec.get("initContainers", []) + spec["containers"]:
        image = ".Values.api.image" if container["image"].startswith("webhook-api") else ".Values.dispatcher.image"
        marks.put(container, ["image"], f'"{{{{ {image}.repository }}}}:{{{{ {image}.tag | default .Chart.AppVersion }}}}"')
        for variable in container["env"]:
            if "valueFrom" in variable:
                secret = "migration" if values == ".Values.migration" else "services"
                marks.put(variable, ["valueFrom", "secretKeyRef", "name"], f"{{{{ .Values.secrets.{secret} }}}}")
    marks.put(container, ["resources"], f"{{{{- toYaml {values}.resources | nindent DEPTH }}}}")
    return container


def network_policy(marks, one):
    for rule in one["spec"].get("ingress", []):
        for peer in rule["from"]:
            labels = ["namespaceSelector", "matchLabels", "kubernetes.io/metadata.name"]
            namespace = peer["namespaceSelector"]["matchLabels"].get(labels[-1])
            if namespace:
                name = "monitoringNamespace" if namespace == "monitoring" else "ingressNamespace"
                marks.put(peer, labels, f"{{{{ .Values.networkPolicy.{name} }}}}")
    for rule in one["spec"].get("egress", []):
        name = chart_values.peers_of(rule)
        if name:
            marks.put(rule, ["to"], f"{{{{- toYaml .Values.networkPolicy.{name} | nindent DEPTH }}}}")
        if name in ("postgres", "rabbitmq", "receivers"):
            marks.put(rule, ["ports"], f"{{{{- toYaml .Values.networkPolicy.{name}Ports | nindent DEPTH }}}}")


def scaled_object(marks, one):
    one["metadata"].pop("annotations")
    spec, values = one["spec"], ".Values.scaling"
    marks.put(spec, ["minReplicaCount"], f"{{{{ {values}.minReplicas }}}}")
    free = f"sub (int {values}.postgresMaxConnections) (int {values}.postgresReservedConnections)"
    cap = f"{{{{ div (sub ({free}) (mul 20 (int .Values.api.replicas))) 10 }}}}"
    marks.put(spec, ["maxReplicaCount"], cap)
    queue, drain = (trigger["metadata"] for trigger in spec["triggers"])
    marks.put(queue, ["value"], f"{{{{ int64 {values}.eventsPerDispatcher | toString | quote }}}}")
    marks.put(drain, ["threshold"], f"{{{{ int64 {values}.drainSeconds | toString | quote }}}}")
    marks.put(drain, ["serverAddress"], f"{{{{ {values}.prometheus }}}}")
    marks.put(drain, ["query"], "'max(webhook_drain_seconds{namespace=\"{{ .Release.Namespace }}\"} >= 0)'")


def trigger_authentication(marks, one):
    marks.put(one, ["spec", "secretTargetRef", 0, "name"], "{{ .Values.secrets.scaler }}")


def service_monitor(marks, one):
    marks.put(one, ["metadata", "labels", "extra"], "LABELS")
    marks.expressions[-1] = "WITH .Values.monitoring.labels"


def ingress(marks, one):
    one["metadata"].pop("annotations")
    marks.put(one, ["metadata", "annotations"], "{{- toYaml .Values.ingress.annotations | nindent DEPTH }}")
    marks.put(one, ["spec", "ingressClassName"], "{{ .Values.ingress.className }}")
    marks.put(one, ["spec", "tls", 0, "hosts", 0], "{{ .Values.ingress.host }}")
    marks.put(one, ["spec", "tls", 0, "secretName"], "{{ .Values.ingress.tlsSecret }}")
    marks.put(one, ["spec", "rules", 0, "host"], "{{ .Values.ingress.host }}")


EDITS = {
    "ConfigMap": config_map,
    "Deployment": deployment,
    "Job": job,
    "NetworkPolicy": network_policy,
    "ScaledObject": scaled_object,
    "TriggerAuthentication": trigger_authentication,
    "ServiceMonitor": service_monitor,
    "Ingress": ingress,
}

NOTES = """The pods wait for the Job webhook-migration-{{ .Release.Revision }}. To create the first owner's API key:

  kubectl -n {{ .Release.Namespace }} exec deploy/webhook-api -- webhook-api keys create --role owner
"""
