"""The manifests for Kubernetes: by its own schemas, by its strictest rules for pods, and by Slipway's own check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from slipway import __version__
from tests.deploy.container import STATE
from tests.support.processes.program import ROOT, run_slipway

FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.30", "1.36")
"""Of Kubernetes: an old one that is still run, and that whose answers are recorded."""

WAYS = ("sqlite.yaml", "postgresql.yaml")

Manifest = dict[str, Any]


def manifests(name: str) -> list[Manifest]:
    return [each for each in yaml.safe_load_all((FOLDER / name).read_text("utf-8")) if each]


def only(name: str, kind: str) -> Manifest:
    (found,) = [each for each in manifests(name) if each["kind"] == kind]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", sorted(each.name for each in FOLDER.glob("*.yaml")))
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    for manifest in manifests(name):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("name", WAYS)
def test_pods_keep_to_the_restricted_standard(name: str) -> None:
    """As “Pod Security Standards” in Kubernetes' documentation has it, and a root that nobody may write."""
    pod = only(name, "StatefulSet")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert pod["automountServiceAccountToken"] is False
    assert {next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]} <= {"configMap", "secret"}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["image"] == f"slipway:{__version__}"
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert [each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")] == [
            STATE
        ]


@pytest.mark.parametrize("name", WAYS)
def test_probes_ask_where_the_configuration_has_it_listen(name: str) -> None:
    (container,) = only(name, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: probe["path"] for kind, probe in probes.items()} == {
        "startup": "/livez",
        "liveness": "/livez",
        "readiness": "/readyz",
    }
    assert f'listen = "0.0.0.0:{ports["ops"]}"' in only(name, "ConfigMap")["data"]["slipway.toml"]
    (service,) = only("common.yaml", "Service")["spec"]["ports"]
    assert service["port"] == ports["ops"]


@pytest.mark.parametrize("name", WAYS)
def test_the_configuration_is_right(name: str, tmp_path: Path) -> None:
    text = only(name, "ConfigMap")["data"]["slipway.toml"]
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    for secret in ("matrix-password", "azure-client-secret", "database-password"):
        (secrets / secret).touch(0o400)
        (secrets / secret).write_text("a-secret-of-the-test")
    settings = tmp_path / "slipway.toml"
    settings.write_text(text.replace("/run/secrets/slipway", str(secrets)))
    checked = run_slipway("check", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    unfinished = [line for line in checked.stdout.splitlines() if line.startswith("⚠")]
    assert [line for line in unfinished if "stands for an example" not in line] == []


def test_two_replicas_are_never_both_taken_away_and_have_a_database() -> None:
    assert only("sqlite.yaml", "StatefulSet")["spec"]["replicas"] == 1, "SQLite is one process's"
    assert only("postgresql.yaml", "StatefulSet")["spec"]["replicas"] == 2
    assert only("postgresql.yaml", "PodDisruptionBudget")["spec"]["minAvailable"] == 1
    assert "[database]" in only("postgresql.yaml", "ConfigMap")["data"]["slipway.toml"]


def test_an_outage_of_a_chat_hides_no_pod_and_keeps_no_node() -> None:
    """A pod is not ready then: its metrics are wanted all the same, and it may be moved."""
    assert only("common.yaml", "Service")["spec"]["publishNotReadyAddresses"] is True
    for name in WAYS:
        assert only(name, "PodDisruptionBudget")["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_names_are_found_on_kubernetes_and_on_openshift() -> None:
    """OpenShift's name server hears at 5353 behind its service's 53; a policy sees what is behind."""
    rules = only("common.yaml", "NetworkPolicy")["spec"]["egress"]
    ports = [{each["port"] for each in rule["ports"]} for rule in rules]
    assert {53} in ports
    (openshift,) = [rule for rule, each in zip(rules, ports, strict=True) if each == {5353}]
    assert openshift["to"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}
    ]


def test_nobody_but_monitoring_gets_in() -> None:
    policy = only("common.yaml", "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    (rule,) = policy["ingress"]
    assert [port["port"] for port in rule["ports"]] == [9464]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    ]
