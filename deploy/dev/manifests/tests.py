"""Each rule is seen to hold and to fail: on the objects of the repository, with one thing changed."""

import copy
import tempfile
import unittest
from pathlib import Path

import yaml

from . import alerts, chart, compose, dashboards, flags, objects, rules, schemas, systemd
from .objects import Rendered

ROOT = Path(__file__).resolve().parents[3]
KNOWN = flags.flags(ROOT)
VERSION = "0.1.0"


def pod(**changed):
    """A Deployment of webhook-dispatcher that breaks no rule; keyword arguments replace parts of the container."""
    probe = {"httpGet": {"path": "/healthz", "port": "operations"}}
    container = {
        "name": "webhook-dispatcher",
        "image": f"registry.example.com/webhook-dispatcher:{VERSION}",
        "ports": [{"name": "operations", "containerPort": 8081}],
        "env": [
            {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "webhooks", "key": "DATABASE_URL"}}},
            {"name": "OPERATIONS_LISTEN", "value": "0.0.0.0:8081"},
        ],
        "startupProbe": {**probe, "periodSeconds": 2, "failureThreshold": 1800},
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **changed,
    }
    labels = {"app": "webhook-dispatcher"}
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 45,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [copy.deepcopy(container)],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "webhook-dispatcher"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }


def one(kind, spec, api_version="v1", **metadata):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "webhook-dispatcher", **metadata}, "spec": spec}


def api(replicas):
    deployment = pod(image=f"webhook-api:{VERSION}")
    deployment["metadata"]["name"], deployment["spec"]["replicas"] = "webhook-api", replicas
    return deployment


class Rules(unittest.TestCase):
    def assert_told(self, text, *changed):
        """The rules find an offender with `text` among the changed objects, and none in a sound Deployment."""
        self.assertEqual(list(rules.findings(Rendered("sound", [pod()]), KNOWN, VERSION)), [])
        found = list(rules.findings(Rendered("changed", list(changed)), KNOWN, VERSION))
        self.assertTrue(any(text in offender for offender in found), found)

    def test_a_container_with_more_rights_is_told(self):
        self.assert_told("no readOnlyRootFilesystem", pod(securityContext={"allowPrivilegeEscalation": False}))
        self.assert_told("no capabilities", pod(securityContext={"capabilities": {"add": ["NET_ADMIN"]}}))

    def test_a_pod_of_root_and_a_token_are_told(self):
        for key, value, text in (("securityContext", {}, "no runAsNonRoot"), ("automountServiceAccountToken", True, "is not false")):
            changed = pod()
            changed["spec"]["template"]["spec"][key] = value
            self.assert_told(text, changed)

    def test_init_containers_are_held_to_the_same_rights_and_resources(self):
        changed = pod()
        changed["spec"]["template"]["spec"]["initContainers"] = [{"name": "wait", "image": f"webhook-api:{VERSION}"}]
        self.assert_told("container wait has no allowPrivilegeEscalation", changed)
        self.assert_told("container wait has no limits of memory", changed)

    def test_a_missing_probe_is_told(self):
        changed = pod()
        del changed["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
        self.assert_told("no livenessProbe", changed)

    def test_a_liveness_that_asks_dependencies_is_told(self):
        self.assert_told("must restart nothing", pod(livenessProbe={"httpGet": {"path": "/readyz", "port": 8081}}))

    def test_a_start_without_time_to_wait_is_told(self):
        start = {"httpGet": {"path": "/startupz", "port": 8081}, "periodSeconds": 2, "failureThreshold": 30}
        self.assert_told("restarted within", pod(startupProbe=start))

    def test_missing_resources_are_told(self):
        self.assert_told("no limits of memory", pod(resources={"requests": {"cpu": "1", "memory": "1Gi"}}))

    def test_an_image_without_a_version_is_told(self):
        self.assert_told("names no version", pod(image="webhook-dispatcher:latest"))
        self.assert_told("names no version", pod(image="registry.example.com:5000/webhook-dispatcher"))
        self.assert_told("is not of version", pod(image="webhook-dispatcher:0.0.9"))

    def test_written_secrets_are_told(self):
        self.assert_told("has a value", pod(env=[{"name": "DATABASE_URL", "value": "postgres://db/x"}]))
        self.assert_told("an address with a password", pod(env=[{"name": "RUST_LOG", "value": "amqp://a:b@c"}]))
        self.assert_told("a Secret in the repository", pod(), {"kind": "Secret", "metadata": {"name": "webhooks"}})
        settings = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"AMQP_URL": "amqp://broker"}}
        self.assert_told("belongs into a Secret", pod(), settings)

    def test_a_grace_within_the_drain_is_told(self):
        variables = [{"name": "OPERATIONS_LISTEN", "value": ":8081"}, {"name": "DRAIN_MS", "value": "60000"}]
        self.assert_told("must be at least 75", pod(env=variables))

    def test_a_variable_that_is_no_flag_is_told(self):
        self.assert_told("reads no variable LEASE_SECONDS", pod(env=[{"name": "LEASE_SECONDS", "value": "60"}]))
        # A flag of the other service is as unknown.
        self.assert_told("reads no variable CORS_ORIGINS", pod(env=[{"name": "CORS_ORIGINS", "value": ""}]))

    def test_variables_of_a_config_map_count(self):
        settings = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"LANES": "4"}}
        self.assert_told("reads no variable LANES", pod(envFrom=[{"configMapRef": {"name": "settings"}}]), settings)

    def test_a_port_beside_the_listener_is_told(self):
        self.assert_told("port operations is 9090", pod(ports=[{"name": "operations", "containerPort": 9090}]))

    def test_an_ingress_to_health_and_metrics_is_told(self):
        service = one("Service", {"selector": {"app": "webhook-dispatcher"}, "ports": [{"name": "operations"}]})
        path = {"path": "/", "backend": {"service": {"name": "webhook-dispatcher"}}}
        self.assert_told("health and metrics", pod(), service, one("Ingress", {"rules": [{"http": {"paths": [path]}}]}))

    def test_a_selector_that_selects_nothing_is_told(self):
        budget = one("PodDisruptionBudget", {"selector": {"matchLabels": {"app": "dispatcher"}}})
        self.assert_told("selects nothing", pod(), budget)

    def test_private_receivers_are_told_and_missing_public_ones(self):
        self.assert_told("169.254.169.254, which is private", pod(), *self.policies({"cidr": "0.0.0.0/0"}))
        self.assert_told("does not reach 1.1.1.1", pod(), *self.policies({"cidr": "2000::/3"}))

    def test_no_denial_by_default_is_told(self):
        self.assert_told("denies by default", pod(), self.policies({"cidr": "0.0.0.0/0"})[1])

    def policies(self, block):
        selector = {"podSelector": {"matchLabels": {"app": "webhook-dispatcher"}}, "policyTypes": ["Egress"]}
        return [one("NetworkPolicy", selector), one("NetworkPolicy", {**selector, "egress": [{"to": [{"ipBlock": block}]}]})]

    def test_more_dispatchers_than_postgres_has_sessions_for_are_told(self):
        # (200 − 40 − 20 × 3) ÷ 10 = 10
        annotations = {"postgres-max-connections": "200", "postgres-reserved-connections": "40"}
        spec = {"scaleTargetRef": {"name": "webhook-dispatcher"}, "minReplicaCount": 2, "maxReplicaCount": 10}
        sound = one("ScaledObject", spec, annotations=annotations)
        self.assertEqual(list(rules.scaling(Rendered("sound", [pod(), api(3), sound]))), [])
        self.assert_told("sessions for 8 dispatchers", pod(), api(4), sound)

    def test_a_number_of_replicas_beside_a_scaler_is_told(self):
        changed = pod()
        changed["spec"]["replicas"] = 2
        spec = {"scaleTargetRef": {"name": "webhook-dispatcher"}, "minReplicaCount": 2, "maxReplicaCount": 1}
        self.assert_told("has a number of replicas", changed, api(1), one("ScaledObject", spec))
        self.assert_told("exceeds maxReplicaCount", changed, api(1), one("ScaledObject", spec))


class Schemas(unittest.TestCase):
    def findings(self, found):
        return list(schemas.findings(Rendered("changed", [found])))

    def test_a_misspelt_field_of_kubernetes_is_told(self):
        budget = one("PodDisruptionBudget", {"maxUnavailable": 1}, "policy/v1")
        self.assertEqual(self.findings(budget), [])
        self.assertEqual(len(self.findings(one("PodDisruptionBudget", {"maxUnvailable": 1}, "policy/v1"))), 2)

    def test_a_misspelt_field_of_an_operator_is_told(self):
        spec = {"selector": {"matchLabels": {"a": "b"}}, "endpoints": [{"port": "operations"}]}
        self.assertEqual(self.findings(one("ServiceMonitor", spec, "monitoring.coreos.com/v1")), [])
        spec["endpoints"][0]["interval"] = "15 seconds"
        self.assertIn("spec.endpoints.0.interval", self.findings(one("ServiceMonitor", spec, "monitoring.coreos.com/v1"))[0])

    def test_a_kind_without_a_schema_is_told(self):
        self.assertIn("add schemas/podmonitor.json", self.findings(one("PodMonitor", {}, "monitoring.coreos.com/v1"))[0])


class Generated(unittest.TestCase):
    def test_alerts_reach_the_overlay_and_the_chart_as_they_are(self):
        rule = {"alert": "Away", "expr": "webhook_broker_connected == 0", "annotations": {"summary": "{{ $labels.pod }}"}}
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "deploy/prometheus").mkdir(parents=True)
            (root / "deploy/prometheus/alerts.yml").write_text(yaml.safe_dump({"groups": [{"name": "broker", "rules": [rule]}]}))
            made = alerts.files(root)
        found = yaml.safe_load(made[f"{alerts.OVERLAY}/rules.yaml"])
        self.assertEqual(found["spec"]["groups"][0]["rules"], [rule])
        self.assertEqual(list(schemas.findings(Rendered("alerts", [found]))), [])
        self.assertEqual(yaml.safe_load(made[f"{alerts.CHART}/files/alerts.yml"])["groups"], found["spec"]["groups"])

    def test_without_alerts_the_overlay_has_an_empty_component(self):
        with tempfile.TemporaryDirectory() as folder:
            made = alerts.files(Path(folder))
        self.assertEqual(yaml.safe_load(made[f"{alerts.OVERLAY}/kustomization.yaml"])["resources"], [])
        self.assertEqual(len(made), 1)

    def test_dashboards_reach_the_overlay_and_the_chart_as_they_are(self):
        with tempfile.TemporaryDirectory() as folder:
            root, text = Path(folder), '{"legendFormat": "{{instance}}"}\n'
            (root / "deploy/grafana").mkdir(parents=True)
            (root / "deploy/grafana/overview.json").write_text(text)
            made = dashboards.files(root)
        self.assertEqual(made[f"{dashboards.OVERLAY}/overview.json"], text)
        self.assertEqual(made[f"{dashboards.CHART}/files/dashboards/overview.json"], text)
        (generator,) = yaml.safe_load(made[f"{dashboards.OVERLAY}/kustomization.yaml"])["configMapGenerator"]
        self.assertEqual(generator["options"]["labels"], {"grafana_dashboard": "1"})
        self.assertEqual(generator["files"], ["overview.json"])

    def test_expressions_of_lines_stand_as_deep_as_their_place(self):
        marks, found = chart.Marks(), {"spec": {"env": [{"name": "A"}], "replicas": 2}}
        marks.put(found, ["spec", "env", "-"], "WITH .Values.extra")
        marks.put(found, ["spec", "replicas"], "UNLESS .Values.scaled: {{ .Values.replicas }}")
        text = marks.text(found)
        self.assertIn("    {{- with .Values.extra }}\n    {{- toYaml . | nindent 4 }}\n    {{- end }}\n", text)
        self.assertIn("  {{- if not .Values.scaled }}\n  replicas: {{ .Values.replicas }}\n  {{- end }}\n", text)


class Flags(unittest.TestCase):
    def test_flags_are_read_out_of_the_sources_without_their_tests(self):
        self.assertIn("CONNECTION_MAX_AGE_MS", KNOWN["webhook-dispatcher"])
        self.assertIn("DATABASE_URL", KNOWN["webhook-api"])
        self.assertNotIn("DRAIN_MS", KNOWN["webhook-api"])

    def test_examples_behind_a_hash_count_as_variables(self):
        self.assertEqual(flags.env_file("# Text\n#DRAIN_MS=25000\nLISTEN=a\n"), {"DRAIN_MS": "25000", "LISTEN": "a"})


class Units(unittest.TestCase):
    SOUND = "Environment=OPERATIONS_LISTEN=a\nRestart=on-failure\nRestartPreventExitStatus=2\nTimeoutStopSec=45s\n"

    def findings(self, text, **settings):
        return list(systemd.unit_findings("webhook-dispatcher@", text, {f"{name}.env": file for name, file in settings.items()}, KNOWN))

    def test_a_stop_within_the_drain_and_no_restart_are_told(self):
        self.assertEqual(self.findings(self.SOUND), [])
        self.assertIn("at least 40s", self.findings(self.SOUND.replace("45s", "30s"))[0])
        self.assertIn("restarts on failure", self.findings(self.SOUND.replace("on-failure", "no"))[0])

    def test_unknown_variables_and_secrets_of_settings_are_told(self):
        text = self.SOUND + "EnvironmentFile=/etc/webhooks/webhooks.env\n"
        self.assertIn("reads no variable LANES", self.findings(text, webhooks="#LANES=4\n")[0])
        self.assertIn("AMQP_URL has a value", self.findings(text, webhooks="AMQP_URL=amqp://broker\n")[0])
        self.assertEqual(self.findings(text, webhooks="#AMQP_URL=amqp://broker\n"), [])
        self.assertIn("is not in deploy/systemd", self.findings(text)[0])

    def test_a_file_of_settings_that_all_may_read_is_told(self):
        listing = "".join(f"{mode} root/root 0 2026-01-01 00:00 {path}\n" for path, mode in systemd.LAYOUT.items())
        self.assertEqual(list(systemd.layout_findings(listing)), [])
        self.assertEqual(len(list(systemd.layout_findings(listing.replace("-rw-r-----", "-rw-r--r--", 1)))), 1)


class Compose(unittest.TestCase):
    def setUp(self):
        self.text = (ROOT / compose.FILE).read_text()
        self.found = compose.substituted(self.text)

    def assert_told(self, text):
        self.assertEqual(list(compose.model_findings(compose.substituted(self.text), KNOWN)), [])
        found = list(compose.model_findings(self.found, KNOWN))
        self.assertTrue(any(text in offender for offender in found), found)

    def test_a_port_that_other_machines_reach_is_told(self):
        self.found["services"]["rabbitmq"]["ports"] = ["5672:5672"]
        self.assert_told("other machines reach")

    def test_a_port_of_the_dispatcher_is_told(self):
        self.found["services"]["dispatcher"]["ports"] = ["127.0.0.1:8081:8081"]
        self.assert_told("from scaling")

    def test_open_networks_unknown_variables_and_a_short_stop_are_told(self):
        dispatcher = self.found["services"]["dispatcher"]
        dispatcher["environment"] |= {"WEBHOOK_ALLOW_NETWORKS": "10.0.0.0/8", "LANES": "4"}
        dispatcher["stop_grace_period"] = "30s"
        for text in ("allows private networks", "reads no variable LANES", "at least 40s"):
            self.assert_told(text)

    def test_an_image_without_a_version_is_told(self):
        self.found["services"]["grafana"]["image"] = "grafana/grafana:latest"
        self.assert_told("names no version")

    def test_a_written_secret_and_a_default_are_told(self):
        self.assertEqual(list(compose.written_secrets(self.text)), [])
        for line in ("POSTGRES_PASSWORD: webhooks", "WEBHOOK_SECRET_KEY: ${KEY:-AAEC}", "A: amqp://user:password@rabbitmq"):
            self.assertEqual(len(list(compose.written_secrets(line))), 1, line)

    def test_a_port_that_prometheus_does_not_ask_is_told(self):
        self.assertEqual(list(compose.monitoring_findings(ROOT, self.found)), [])
        self.found["services"]["api"]["environment"]["OPERATIONS_LISTEN"] = "0.0.0.0:9000"
        self.assertEqual(len(list(compose.monitoring_findings(ROOT, self.found))), 1)


class Programs(unittest.TestCase):
    def test_the_program_of_an_image_is_its_last_name(self):
        self.assertEqual(objects.program({"image": "registry.example.com:5000/x/webhook-api:0.1.0"}), "webhook-api")
