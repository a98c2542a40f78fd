"""What holds for every object of every rendering, beyond the schemas. Each rule yields a sentence per offender."""

import re
from ipaddress import ip_address, ip_network

from .flags import SECRET, unknown
from .objects import containers, pods, program, serving, variables

# Seconds that a stop may take after the drain: a dispatcher's two last steps of 5 s each, and 5 s to spare.
AFTER_DRAIN = {"webhook-dispatcher": 15, "webhook-api": 5}
# The drain of webhook-api, which no flag sets, and of webhook-dispatcher without DRAIN_MS, in seconds.
DRAIN = 25
# A start waits for its dependencies; a container that is restarted meanwhile waits no less.
LEAST_START = 30 * 60
# Postgres sessions of a replica, told in docs/operating.md.
API_SESSIONS, DISPATCHER_SESSIONS = 20, 10
PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
PRIVATE = ["10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1",
           "::1", "fd00::1", "fe80::1", "64:ff9b::a00:1", "2002:a00:1::1", "2001:db8::1"]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"]


def findings(rendered, known, version):
    """Every offender of every rule. `known`: the variables of each service; `version`: the workspace's."""
    yield from security(rendered)
    yield from probes(rendered)
    yield from resources(rendered)
    yield from images(rendered, version)
    yield from secrets(rendered)
    yield from grace(rendered)
    yield from read_variables(rendered, known)
    yield from ports(rendered)
    yield from selectors(rendered)
    yield from egress(rendered)
    yield from scaling(rendered)


def security(rendered):
    """The restricted profile of the pod security standards, a read-only root, and no token of the cluster's API."""
    for one, template in pods(rendered):
        pod = template["spec"].get("securityContext", {})
        wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        for key, value in wanted.items():
            if pod.get(key) != value:
                yield rendered.tell(one, f"the pod's securityContext has no {key}: {value}")
        for key in ("automountServiceAccountToken", "enableServiceLinks"):
            if template["spec"].get(key) is not False:
                yield rendered.tell(one, f"{key} is not false")
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        for container in containers(template):
            for key, value in wanted.items():
                if container.get("securityContext", {}).get(key) != value:
                    yield rendered.tell(one, f"container {container['name']} has no {key}: {value}")


def probes(rendered):
    """Three probes for each container that serves. Liveness asks no dependency, and a start has time to wait."""
    for one, template in pods(rendered):
        for container in serving(template):
            missing = [kind for kind in ("startupProbe", "readinessProbe", "livenessProbe") if kind not in container]
            for kind in missing:
                yield rendered.tell(one, f"container {container['name']} has no {kind}")
            if missing:
                continue
            if container["livenessProbe"]["httpGet"]["path"] != "/healthz":
                yield rendered.tell(one, "liveness must ask /healthz: a lost dependency must restart nothing")
            start = container["startupProbe"]
            if start["periodSeconds"] * start["failureThreshold"] < LEAST_START:
                yield rendered.tell(one, f"a start that waits for a dependency is restarted within {LEAST_START} s")


def resources(rendered):
    for one, template in pods(rendered):
        for container in containers(template):
            found = container.get("resources", {})
            for part, key in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if key not in found.get(part, {}):
                    yield rendered.tell(one, f"container {container['name']} has no {part} of {key}")


def images(rendered, version):
    for one, template in pods(rendered):
        for container in containers(template):
            tag = container["image"].rpartition("/")[2].partition(":")[2]
            if tag in ("", "latest"):
                yield rendered.tell(one, f"image {container['image']} names no version")
            elif tag != version:
                yield rendered.tell(one, f"image {container['image']} is not of version {version} of Cargo.toml")


def secrets(rendered):
    """Secrets are named, never written: neither as objects nor as values."""
    for one in rendered.of("Secret"):
        yield rendered.tell(one, "a Secret in the repository")
    for one in rendered.of("ConfigMap"):
        for name in sorted(SECRET & set(one["data"])):
            yield rendered.tell(one, f"{name} belongs into a Secret")
    for one, template in pods(rendered):
        for container in containers(template):
            for variable in container.get("env", []):
                if variable["name"] in SECRET and "secretKeyRef" not in variable.get("valueFrom", {}):
                    yield rendered.tell(one, f"{variable['name']} has a value; name a Secret")
    for one in rendered.objects:
        if PASSWORD.search(str(one)):
            yield rendered.tell(one, "an address with a password")


def grace(rendered):
    """A pod has more time than the drain takes: what is cut off is sent twice."""
    for one, template in pods(rendered):
        for container in serving(template):
            drain = int(variables(rendered, container).get("DRAIN_MS") or 1000 * DRAIN) / 1000
            stop = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
            least = drain + int(stop[-1]) + AFTER_DRAIN[program(container)]
            if template["spec"].get("terminationGracePeriodSeconds", 30) < least:
                yield rendered.tell(one, f"terminationGracePeriodSeconds must be at least {least:.0f}")


def read_variables(rendered, known):
    for one, template in pods(rendered):
        for container in containers(template):
            for name in unknown(known, program(container), variables(rendered, container)):
                yield rendered.tell(one, f"{program(container)} reads no variable {name}")


def ports(rendered):
    """Probes, Services and listeners name the same ports; no Ingress leads to health and metrics."""
    for one, template in pods(rendered):
        for container in serving(template):
            named = {port["name"]: port["containerPort"] for port in container["ports"]}
            found = variables(rendered, container)
            for name, variable in (("http", "LISTEN"), ("operations", "OPERATIONS_LISTEN")):
                if name in named and str(named[name]) != (found.get(variable) or "").rpartition(":")[2]:
                    yield rendered.tell(one, f"port {name} is {named[name]}, and {variable} is {found.get(variable)}")
    for one in rendered.of("Ingress"):
        for rule in one["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = rendered.find("Service", path["backend"]["service"]["name"])
                if service is None or "operations" in [port["name"] for port in service["spec"]["ports"]]:
                    yield rendered.tell(one, "leads to no Service, or to health and metrics")


def selectors(rendered):
    """Whatever selects pods or Services selects some."""
    labels = [template["metadata"]["labels"] for _, template in pods(rendered)]
    services = [one["metadata"].get("labels", {}) for one in rendered.of("Service")]
    for one in rendered.of("Service", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor"):
        spec = one["spec"]
        wanted = spec.get("podSelector", spec.get("selector", {}))
        wanted = wanted.get("matchLabels", wanted)
        among = services if one["kind"] == "ServiceMonitor" else labels
        if not any(wanted.items() <= found.items() for found in among):
            yield rendered.tell(one, f"selects nothing: {wanted}")


def egress(rendered):
    """A dispatcher reaches public addresses on 80 and 443, and none that is private, such as the metadata service's."""
    policies = rendered.of("NetworkPolicy")
    if not policies:
        return
    denied = [one for one in policies if not one["spec"].get("egress") and "Egress" in one["spec"]["policyTypes"]]
    if not denied:
        yield f"{rendered.name}: no NetworkPolicy denies by default"
    blocks = [
        peer["ipBlock"]
        for one in policies
        if one["metadata"]["name"] == "webhook-dispatcher"
        for rule in one["spec"].get("egress", [])
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    for text in PRIVATE:
        if any(reaches(block, text) for block in blocks):
            yield f"{rendered.name}: NetworkPolicy webhook-dispatcher: reaches {text}, which is private"
    for text in PUBLIC:
        if not any(reaches(block, text) for block in blocks):
            yield f"{rendered.name}: NetworkPolicy webhook-dispatcher: does not reach {text}, which is public"


def reaches(block, text):
    address = ip_address(text)
    within = [ip_network(network) for network in [block["cidr"], *block.get("except", [])]]
    return address in within[0] and not any(address in network for network in within[1:])


def scaling(rendered):
    """The most dispatchers leave sessions of Postgres for all others; no number of replicas undoes the scaler's."""
    for one in rendered.of("ScaledObject"):
        target = rendered.find("Deployment", one["spec"]["scaleTargetRef"]["name"])
        if target is None or "replicas" in target["spec"]:
            yield rendered.tell(one, "its Deployment is missing, or has a number of replicas")
        found = one["metadata"].get("annotations", {})
        total, reserved = (int(found.get(f"postgres-{key}-connections", 0)) for key in ("max", "reserved"))
        api = rendered.find("Deployment", "webhook-api")["spec"]["replicas"]
        most = (total - reserved - API_SESSIONS * api) // DISPATCHER_SESSIONS
        if total and one["spec"]["maxReplicaCount"] > most:
            yield rendered.tell(one, f"Postgres has sessions for {most} dispatchers")
        if one["spec"]["minReplicaCount"] > one["spec"]["maxReplicaCount"]:
            yield rendered.tell(one, "minReplicaCount exceeds maxReplicaCount")
