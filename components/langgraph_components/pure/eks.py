"""What EKS knows and a plan has to know without asking it: versions, add-ons, machines, principals."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from langgraph_components.pure import machines

STANDARD_SUPPORT_ENDS = {
    "1.34": date(2026, 12, 2),
    "1.35": date(2027, 3, 27),
    "1.36": date(2027, 8, 2),
}
"""Kubernetes version → last day of standard support, after which EKS upgrades the cluster by itself.

From https://endoflife.date/amazon-eks and AWS's release notes, read 2026-11-23. A new version enters here
together with its add-ons below.
"""

BEFORE_NODES = ("eks-pod-identity-agent", "kube-proxy", "vpc-cni")
"""Without these a node never becomes ready."""
AFTER_NODES = ("aws-ebs-csi-driver", "coredns", "metrics-server")
"""These need a node to run on: made earlier, they are reported as degraded."""

ADDON_VERSIONS = {
    "1.36": {
        "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
        "coredns": "v1.14.3-eksbuild.23",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "kube-proxy": "v1.36.0-eksbuild.25",
        "metrics-server": "v0.9.0-eksbuild.11",
        "vpc-cni": "v1.22.4-eksbuild.3",
    }
}
"""Kubernetes version → add-on → the build that EKS calls its default, as teams that run 1.36 published it in
September and October 2026. To renew them, and for every other version:

    aws eks describe-addon-versions --kubernetes-version 1.36 --output text --query \
      'addons[].[addonName, addonVersions[?compatibilities[0].defaultVersion].addonVersion | [0]]'
"""

_BUILD = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")
_NOTICE_DAYS = 90
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:role|user)/(?:[^/]+/)*([\w+=,.@-]+)")


def supported(version: str) -> str:
    """The same version, if its dates are known here.

    Raises:
        ValueError: lists those that are.
    """
    if version not in STANDARD_SUPPORT_ENDS:
        told = f"should be one of {', '.join(STANDARD_SUPPORT_ENDS)} (got {version!r})"
        raise ValueError(told)
    return version


def support_notice(version: str, today: date) -> str | None:
    """A sentence from 90 days before the end of standard support on; None before that."""
    end = STANDARD_SUPPORT_ENDS[version]
    if (end - today).days > _NOTICE_DAYS:
        return None
    newest = max(STANDARD_SUPPORT_ENDS, key=lambda known: STANDARD_SUPPORT_ENDS[known])
    verb = "ended" if today > end else "ends"
    return (
        f"standard support of Kubernetes {version} on EKS {verb} on {end:%Y-%m-%d}: from then on EKS "
        f"upgrades the cluster by itself. Set `version` to the next one, one step at a time, up to {newest}"
    )


def addon_versions(version: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """Each add-on's build: the chosen one, else the one pinned here for that Kubernetes version.

    Raises:
        ValueError: an unknown add-on, a text that is no build, or an add-on without any pin.
    """
    wanted = sorted({*BEFORE_NODES, *AFTER_NODES})
    if unknown := sorted(set(chosen) - set(wanted)):
        told = f"{unknown[0]} is none of {', '.join(wanted)}"
        raise ValueError(told)
    for addon, build in chosen.items():
        if not _BUILD.fullmatch(build):
            told = f"{addon} should be a build such as v1.14.3-eksbuild.23 (got {build!r})"
            raise ValueError(told)
    known = {**ADDON_VERSIONS.get(version, {}), **chosen}
    if missing := [addon for addon in wanted if addon not in known]:
        told = (
            f"no build of {', '.join(missing)} is known for Kubernetes {version}: set them as "
            f"`aws eks describe-addon-versions --kubernetes-version {version}` lists them"
        )
        raise ValueError(told)
    return {addon: known[addon] for addon in wanted}


def same_architecture(ami_type: str, instance_types: Sequence[str]) -> None:
    """Refuse machines that cannot boot the image.

    Raises:
        ValueError: names the first such machine.
    """
    for machine in instance_types:
        kind = machines.architecture(machine)
        if kind != machines.architecture_of_image(ami_type):
            told = f"{machine} is {kind}, which {ami_type} does not boot on: change ami_type or the machine"
            raise ValueError(told)


def principal_name(arn: str) -> str:
    """The last part of a role's or user's ARN.

    Raises:
        ValueError: it is no ARN of a role or a user, but for example of a session.
    """
    if ":assumed-role/" in arn:
        told = f"should be the role's ARN (arn:aws:iam::…:role/…), not that of a session (got {arn!r})"
        raise ValueError(told)
    found = _PRINCIPAL.fullmatch(arn)
    if found is None:
        told = f"should be the ARN of an IAM role or user (got {arn!r})"
        raise ValueError(told)
    return found[1]


def distinct_principals(admins: Sequence[str], viewers: Sequence[str], auditors: Sequence[str] = ()) -> None:
    """Each principal has one access entry, named after it.

    Raises:
        ValueError: names the one that is there twice.
    """
    names = [principal_name(arn) for arn in (*admins, *viewers, *auditors)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        lists = "admin_principals, viewer_principals and auditor_principals"
        told = f"{twice[0]} is named more than once among {lists}"
        raise ValueError(told)


def kubeconfig(
    name: Any, endpoint: Any, certificate_authority: Any, *, region: str, role_arn: str | None
) -> dict[str, Any]:
    """A kubeconfig whose token comes from whatever AWS credentials run the program: never a profile."""
    arguments = ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"]
    if role_arn is not None:
        arguments += ["--role-arn", role_arn]
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": arguments,
        "interactiveMode": "Never",
    }
    cluster = {"server": endpoint, "certificate-authority-data": certificate_authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "deployer", "user": {"exec": command}}],
        "contexts": [{"name": "deployer", "context": {"cluster": "cluster", "user": "deployer"}}],
        "current-context": "deployer",
    }
