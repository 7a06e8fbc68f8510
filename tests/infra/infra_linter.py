"""kube-linter's default checks and Pod Security `restricted`, as plain functions over rendered objects.

The checks are named as kube-linter names them (docs/generated/checks.md); each returns the names of what it
finds fault with. Objects of kinds that it does not know are none of its business.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.infra_workloads import of_kind, pod_templates

Json = dict[str, Any]
Check = Callable[[list[Json]], list[str]]


def containers(template: Json) -> list[Json]:
    """All of a template, the initial ones too."""
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec["containers"], *spec.get("ephemeralContainers", [])]


def _each(found: list[Json]) -> Iterator[tuple[str, Json, Json]]:
    for owner, template in pod_templates(found).items():
        for container in containers(template):
            yield owner, template["spec"], container


def _security(container: Json) -> Json:
    return container.get("securityContext", {})


def _by_container(wrong: Callable[[Json, Json], bool]) -> Check:
    return lambda found: [f"{owner}: {c['name']}" for owner, spec, c in _each(found) if wrong(spec, c)]


def _by_pod(wrong: Callable[[Json], bool]) -> Check:
    return lambda found: [owner for owner, t in pod_templates(found).items() if wrong(t["spec"])]


def _labels(template: Json) -> Mapping[str, str]:
    return template["metadata"].get("labels", {})


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def dangling_service(found: list[Json]) -> list[str]:
    templates = pod_templates(found).values()
    return [
        each["metadata"]["name"]
        for each in of_kind(found, "Service")
        if not any(_selects(each["spec"]["selector"], _labels(template)) for template in templates)
    ]


def dangling_pdb_or_monitor(found: list[Json]) -> list[str]:
    """Without monitors in the namespace of an operator, whose chart makes the Service out of sight."""
    of_charts = {each["metadata"]["namespace"] for each in of_kind(found, "ServiceMonitor")}
    of_charts -= {each["metadata"]["namespace"] for each in of_kind(found, "Service")}
    services = [each["metadata"]["labels"] for each in of_kind(found, "Service")]
    pods = [_labels(template) for template in pod_templates(found).values()]
    return [
        f"{each['kind']}/{each['metadata']['name']}"
        for kind, targets in (("ServiceMonitor", services), ("PodDisruptionBudget", pods))
        for each in of_kind(found, kind)
        if kind != "ServiceMonitor" or each["metadata"]["namespace"] not in of_charts
        if not any(_selects(each["spec"]["selector"]["matchLabels"], labels) for labels in targets)
    ]


def dangling_autoscaler(found: list[Json]) -> list[str]:
    there = {(each["kind"], each["metadata"]["name"]) for each in found}
    targets = [each["spec"]["scaleTargetRef"] for each in of_kind(found, "HorizontalPodAutoscaler")]
    return [target["name"] for target in targets if (target["kind"], target["name"]) not in there]


def invalid_target_ports(found: list[Json]) -> list[str]:
    wrong: list[str] = []
    for service in of_kind(found, "Service"):
        names = {
            port["name"]
            for template in pod_templates(found).values()
            if _selects(service["spec"]["selector"], _labels(template))
            for container in containers(template)
            for port in container.get("ports", [])
        }
        wrong += [str(p["targetPort"]) for p in service["spec"]["ports"] if p["targetPort"] not in names]
    return wrong


def probe_ports(found: list[Json]) -> list[str]:
    """liveness-port, readiness-port, startup-port."""
    wrong: list[str] = []
    for owner, _, container in _each(found):
        names = {port["name"] for port in container.get("ports", [])}
        probes = [container[key] for key in container if key.endswith("Probe")]
        wrong += [owner for p in probes if "httpGet" in p and p["httpGet"]["port"] not in names]
    return wrong


def mismatching_selector(found: list[Json]) -> list[str]:
    return [
        each["metadata"]["name"]
        for each in of_kind(found, "Deployment", "StatefulSet")
        if not _selects(each["spec"]["selector"]["matchLabels"], _labels(each["spec"]["template"]))
    ]


def no_anti_affinity(found: list[Json]) -> list[str]:
    """Every Deployment: their number may be an autoscaler's."""
    return [
        each["metadata"]["name"]
        for each in of_kind(found, "Deployment")
        if "podAntiAffinity" not in each["spec"]["template"]["spec"].get("affinity", {})
    ]


def non_existent_service_account(found: list[Json]) -> list[str]:
    there = {(e["metadata"]["namespace"], e["metadata"]["name"]) for e in of_kind(found, "ServiceAccount")}
    owners = of_kind(found, "Deployment", "StatefulSet", "Job", "CronJob")
    accounts = {
        (e["metadata"]["namespace"], t["spec"].get("serviceAccountName"))
        for e in owners
        for t in pod_templates([e]).values()
    }
    return [str(name) for namespace, name in accounts if (namespace, name) not in there]


def job_ttl_seconds_after_finished(found: list[Json]) -> list[str]:
    jobs = of_kind(found, "Job")
    within = [each["spec"]["jobTemplate"] for each in of_kind(found, "CronJob")]
    return [str(job) for job in [*jobs, *within] if not job["spec"].get("ttlSecondsAfterFinished")]


def pdb(found: list[Json]) -> list[str]:
    """pdb-min-available, pdb-max-unavailable, pdb-unhealthy-pod-eviction-policy."""
    least = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]["minReplicas"]
        for each in of_kind(found, "HorizontalPodAutoscaler")
    }
    return [
        each["metadata"]["name"]
        for each in of_kind(found, "PodDisruptionBudget")
        if each["spec"]["minAvailable"] >= least[each["metadata"]["name"]]
        or each["spec"].get("maxUnavailable") == 0
        or each["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow"
    ]


def _duplicate_env(_: Json, container: Json) -> bool:
    names = [each["name"] for each in container.get("env", [])]
    return len(names) != len(set(names))


_TELLING = ("SECRET", "PASSWORD", "TOKEN", "KEY", "PEPPER")


def _secret_in_env(_: Json, container: Json) -> bool:
    """env-var-secret, read-secret-from-env-var: by value or by reference; a path of a file is none."""
    return any(
        "secretKeyRef" in each.get("valueFrom", {})
        or (any(word in each["name"] for word in _TELLING) and not each["name"].endswith("_FILE"))
        for each in container.get("env", [])
    ) or any("secretRef" in each for each in container.get("envFrom", []))


def _loose_tag(_: Json, container: Json) -> bool:
    image: str = container["image"]
    return "@sha256:" not in image and (":" not in image or image.endswith(":latest"))


def _unset(kind: str) -> Callable[[Json, Json], bool]:
    return lambda _, container: kind not in container.get("resources", {}).get("requests", {})


CHECKS: dict[str, Check] = {
    "dangling-service": dangling_service,
    "dangling-others": dangling_pdb_or_monitor,
    "dangling-horizontalpodautoscaler": dangling_autoscaler,
    "deprecated-service-account-field": _by_pod(lambda spec: "serviceAccount" in spec),
    "docker-sock": _by_pod(lambda spec: "docker.sock" in str(spec.get("volumes"))),
    "drop-net-raw-capability": _by_container(
        lambda _, c: not {"ALL", "NET_RAW"} & set(_security(c).get("capabilities", {}).get("drop", []))
    ),
    "duplicate-env-var": _by_container(_duplicate_env),
    "env-var-secret": _by_container(_secret_in_env),
    "host-ipc": _by_pod(lambda spec: bool(spec.get("hostIPC"))),
    "host-network": _by_pod(lambda spec: bool(spec.get("hostNetwork"))),
    "host-pid": _by_pod(lambda spec: bool(spec.get("hostPID"))),
    "invalid-target-ports": invalid_target_ports,
    "job-ttl-seconds-after-finished": job_ttl_seconds_after_finished,
    "latest-tag": _by_container(_loose_tag),
    "liveness-readiness-startup-port": probe_ports,
    "mismatching-selector": mismatching_selector,
    "no-anti-affinity": no_anti_affinity,
    "no-extensions-v1beta": lambda found: [
        each["kind"] for each in found if each["apiVersion"].startswith("extensions/")
    ],
    "no-read-only-root-fs": _by_container(lambda _, c: not _security(c).get("readOnlyRootFilesystem")),
    "non-existent-service-account": non_existent_service_account,
    "pdb": pdb,
    "privilege-escalation-container": _by_container(
        lambda _, c: _security(c).get("allowPrivilegeEscalation") is not False
    ),
    "privileged-container": _by_container(lambda _, c: bool(_security(c).get("privileged"))),
    "run-as-non-root": _by_pod(lambda spec: spec.get("securityContext", {}).get("runAsNonRoot") is not True),
    "sensitive-host-mounts": _by_pod(
        lambda spec: any("hostPath" in volume for volume in spec.get("volumes", []))
    ),
    "ssh-port": _by_container(lambda _, c: any(port["containerPort"] == 22 for port in c.get("ports", []))),
    "unsafe-sysctls": _by_pod(lambda spec: bool(spec.get("securityContext", {}).get("sysctls"))),
    "unset-cpu-requirements": _by_container(_unset("cpu")),
    "unset-memory-requirements": _by_container(
        lambda _, c: _unset("memory")(_, c) or "memory" not in c["resources"].get("limits", {})
    ),
    # worth having, though kube-linter leaves them off
    "default-service-account": _by_pod(lambda spec: spec.get("serviceAccountName") in (None, "default")),
    "token-mounted": _by_pod(lambda spec: spec.get("automountServiceAccountToken") is not False),
    "privileged-ports": _by_container(
        lambda _, c: any(port["containerPort"] < 1024 for port in c.get("ports", []))
    ),
    "exposed-services": lambda found: [
        each["metadata"]["name"]
        for each in of_kind(found, "Service")
        if each["spec"].get("type", "ClusterIP") != "ClusterIP"
    ],
}


def faults(found: list[Json]) -> dict[str, list[str]]:
    """What each check finds; empty where all is well."""
    return {name: told for name, check in CHECKS.items() if (told := check(found))}


_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def restricted(template: Json) -> list[str]:
    """What Pod Security `restricted` (v1.36) would refuse of a pod of this template."""
    spec = template["spec"]
    pod = spec.get("securityContext", {})
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    kinds = {key for volume in spec.get("volumes", []) for key in volume if key != "name"}
    found += [f"volume {kind}" for kind in sorted(kinds - _VOLUMES)]
    found += [
        key for key in ("sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile") if pod.get(key)
    ]
    for container in containers(template):
        found += [f"{container['name']}: {fault}" for fault in _container_faults(pod, container)]
    return found


def _container_faults(pod: Json, container: Json) -> list[str]:
    own = _security(container)
    both = {**pod, **own}
    capabilities = own.get("capabilities", {})
    probes = [container[key] for key in container if key.endswith("Probe")]
    rules = {
        "privileged": bool(own.get("privileged")),
        "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is not False,
        "runAsNonRoot": both.get("runAsNonRoot") is not True,
        "runAsUser": both.get("runAsUser") == 0,
        "seccompProfile": both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"),
        "capabilities.drop": "ALL" not in capabilities.get("drop", []),
        "capabilities.add": not set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        "procMount": own.get("procMount", "Default") != "Default",
        "hostPort": any("hostPort" in port for port in container.get("ports", [])),
        "probe host": any("host" in probe.get("httpGet", {}) for probe in probes),
    }
    return [name for name, wrong in rules.items() if wrong]
