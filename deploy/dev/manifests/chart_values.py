"""The values of the chart: the defaults are the values of the kustomize objects, with a comment for each."""

import json

from .text import MADE, dump, indent

# Values whose keys a user chooses.
OPEN = ("settings", "resources", "labels", "annotations")


def values(base, overlay):
    """The default of each value."""
    api, dispatcher = (deployment(base, name) for name in ("webhook-api", "webhook-dispatcher"))
    migration = base.find("Job", "webhook-migration")["spec"]["template"]["spec"]["containers"][0]
    scaled = overlay.find("ScaledObject", "webhook-dispatcher")
    ingress = overlay.find("Ingress", "webhook-api")
    queue, drain = (trigger["metadata"] for trigger in scaled["spec"]["triggers"])
    annotations = scaled["metadata"]["annotations"]
    return {
        "api": service(base, api),
        "dispatcher": {
            **service(base, dispatcher),
            "terminationGracePeriodSeconds": dispatcher["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
        },
        "migration": {"enabled": True, "resources": migration["resources"], "extraEnv": []},
        "imagePullSecrets": [],
        "secrets": {"services": "webhooks", "migration": "webhooks-migration", "scaler": "webhooks-scaler"},
        "networkPolicy": network_policy(base),
        "ingress": {
            "enabled": False,
            "host": ingress["spec"]["rules"][0]["host"],
            "className": ingress["spec"]["ingressClassName"],
            "tlsSecret": ingress["spec"]["tls"][0]["secretName"],
            "annotations": ingress["metadata"]["annotations"],
        },
        "scaling": {
            "enabled": False,
            "minReplicas": scaled["spec"]["minReplicaCount"],
            "postgresMaxConnections": int(annotations["postgres-max-connections"]),
            "postgresReservedConnections": int(annotations["postgres-reserved-connections"]),
            "eventsPerDispatcher": int(queue["value"]),
            "drainSeconds": int(drain["threshold"]),
            "prometheus": drain["serverAddress"],
        },
        "monitoring": {"serviceMonitors": False, "alerts": False, "dashboards": False, "labels": {}},
    }


def deployment(base, name):
    return base.find("Deployment", name)


def service(base, one):
    container = one["spec"]["template"]["spec"]["containers"][0]
    settings = base.find("ConfigMap", container["envFrom"][0]["configMapRef"]["name"])
    return {
        "image": {"repository": container["image"].partition(":")[0], "tag": ""},
        "replicas": one["spec"]["replicas"],
        "settings": settings["data"],
        "extraEnv": [],
        "resources": container["resources"],
    }


def network_policy(base):
    found = {"enabled": True, "ingressNamespace": "ingress-nginx", "monitoringNamespace": "monitoring"}
    for one in base.of("NetworkPolicy"):
        for rule in one["spec"].get("egress", []):
            name = peers_of(rule)
            if name and name not in found:
                found[name] = rule["to"]
                if name != "dns":
                    found[f"{name}Ports"] = rule["ports"]
    return found


def peers_of(rule):
    """The name of the value that holds a rule's peers."""
    ports = {port["port"] for port in rule["ports"]}
    named = {53: "dns", 5432: "postgres", 5672: "rabbitmq", 443: "receivers"}
    return next((name for port, name in named.items() if port in ports), None)


# The comment above each value; a value of several lines has its comment above its key.
COMMENTS = {
    "api": "webhook-api: REST, portal, events over HTTP.",
    "api.image": "The tag is the chart's appVersion unless a tag is set.",
    "api.replicas": "Each replica opens up to 20 sessions at Postgres.",
    "api.settings": "Settings that are no secrets, by their variables: `webhook-api --help`.",
    "api.extraEnv": "More variables, in the form of a container's `env`.",
    "dispatcher": "webhook-dispatcher: takes events in, delivers, retries.",
    "dispatcher.replicas": "Each replica opens up to 10 sessions at Postgres. Without effect where scaling is enabled.",
    "dispatcher.settings": "Settings that are no secrets, by their variables: `webhook-dispatcher --help`.",
    "dispatcher.terminationGracePeriodSeconds": "At least 15 s more than DRAIN_MS.",
    "migration": "The Job that brings the schema up to date; pods wait for the Job.",
    "secrets": "Names of Secrets, which the chart does not make: docs/kubernetes.md has the commands.",
    "secrets.services": "Keys DATABASE_URL, AMQP_URL, sealing-keys.",
    "secrets.migration": "Key DATABASE_URL, of the owner of the tables.",
    "secrets.scaler": "Key host: the broker's address of a user who may only read the queue's length.",
    "networkPolicy.postgres": "Where Postgres is; `- ipBlock: {cidr: 192.0.2.10/32}` for a server outside of the cluster.",
    "networkPolicy.rabbitmq": "Where RabbitMQ is.",
    "networkPolicy.receivers": "Public addresses. To open a private network, also set WEBHOOK_ALLOW_NETWORKS.",
    "networkPolicy.receiversPorts": "Ports of webhooks' URLs.",
    "scaling": "KEDA must be in the cluster.",
    "scaling.postgresMaxConnections": "`SHOW max_connections`. The most dispatchers are (max − reserved − 20 × api.replicas) ÷ 10.",
    "scaling.postgresReservedConnections": "3 of superusers, 30 of pods that a rollout adds, 7 for migration, backups, people.",
    "scaling.drainSeconds": "Due deliveries that take longer ask for more dispatchers.",
    "monitoring": "The Prometheus operator must be in the cluster.",
    "monitoring.dashboards": "ConfigMaps with the label `grafana_dashboard`, which the sidecar of Grafana reads.",
    "monitoring.labels": "Labels that the operator's Prometheus selects, such as `release: prometheus`.",
}


def text(found):
    return MADE + "# The defaults are those of deploy/kubernetes.\n" + "".join(lines(found, "", 0))


def lines(found, path, depth):
    for key, value in found.items():
        name = f"{path}{key}"
        if name in COMMENTS:
            yield " " * depth + f"# {COMMENTS[name]}\n"
        if isinstance(value, dict) and value and key not in OPEN:
            yield " " * depth + f"{key}:\n"
            yield from lines(value, f"{name}.", depth + 2)
        else:
            yield indent(dump({key: value}), depth)


def schema(found):
    """A misspelt value is refused: no object has other values than the defaults', where users choose no keys."""
    head = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return json.dumps({**head, **described("", found)}, indent=2) + "\n"


def described(key, value):
    if isinstance(value, dict):
        if key in OPEN:
            return {"type": "object"}
        properties = {name: described(name, one) for name, one in value.items()}
        # Helm hands `global` and nothing else to a chart inside of a chart.
        more = {"global": {"type": "object"}} if not key else {}
        return {"type": "object", "additionalProperties": False, "properties": {**properties, **more}}
    kinds = {bool: "boolean", int: "integer", str: "string", list: "array"}
    return {"type": kinds[type(value)]}
