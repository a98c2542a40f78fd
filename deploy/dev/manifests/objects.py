"""Kubernetes objects as kustomize and Helm render them, and the parts of objects that rules look at."""

import subprocess
from pathlib import Path

import yaml

WORKLOADS = ("Deployment", "Job")


class Rendered:
    """The objects of one rendering. `name` tells an offender's reader which rendering is meant."""

    def __init__(self, name, objects):
        self.name = name
        self.objects = [one for one in objects if one]

    def of(self, *kinds):
        return [one for one in self.objects if one["kind"] in kinds]

    def find(self, kind, name):
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def tell(self, one, text):
        return f"{self.name}: {one['kind']} {one['metadata']['name']}: {text}"


def kustomized(kubectl, folder, name):
    """The objects of the kustomization in `folder`."""
    built = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    if built.returncode:
        raise SystemExit(f"{name}: kustomize refuses {folder}: {built.stderr.strip()}")
    return Rendered(name, yaml.safe_load_all(built.stdout))


def charted(folder, name, values, namespace="webhooks"):
    """The objects of the chart in `folder`, rendered by Helm's own library."""
    # Costs 90 MB of memory: only who renders a chart loads the library.
    import helm_python

    with helm_python.Chart.load(folder) as chart:
        files = chart.render(values, name="webhooks", namespace=namespace, is_install=True)
    texts = [text for path, text in sorted(files.items()) if Path(path).suffix == ".yaml"]
    return Rendered(name, [one for text in texts for one in yaml.safe_load_all(text)])


def pods(rendered):
    """Each workload with the template of its pods."""
    return [(one, one["spec"]["template"]) for one in rendered.of(*WORKLOADS)]


def containers(template):
    """Every container of a pod, those that run before the others first."""
    spec = template["spec"]
    return spec.get("initContainers", []) + spec["containers"]


def serving(template):
    """The containers that run until the pod ends. A Job's container and an init container end by themselves."""
    return [] if template["spec"].get("restartPolicy") == "Never" else template["spec"]["containers"]


def program(container):
    """The service in a container's image: `registry.example.com/x/webhook-api:0.1.0` is `webhook-api`."""
    return container["image"].rpartition("/")[2].partition(":")[0]


def variables(rendered, container):
    """Each variable of a container with its value; None where the value is in a Secret."""
    found = {}
    for source in container.get("envFrom", []):
        settings = rendered.find("ConfigMap", source.get("configMapRef", {}).get("name"))
        found.update(settings["data"] if settings else {})
    for variable in container.get("env", []):
        found[variable["name"]] = variable.get("value")
    return found
