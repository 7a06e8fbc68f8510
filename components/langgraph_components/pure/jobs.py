"""Work that ends: the migration before a rollout and the retention's sweeps."""

import re
from typing import Any

Json = dict[str, Any]

MIGRATION_SECONDS = 900
"""Wall clock of all attempts of a migration; then the update fails and nothing was rolled out."""

MIGRATION_RETRIES = 4
"""New pods after failed ones, with Kubernetes' growing pauses: a database may still be starting."""

KEPT_SECONDS = 7 * 24 * 3600
"""How long a finished migration and its log can be read."""

AWAITED_SECONDS = MIGRATION_SECONDS + 60
"""How long Pulumi waits for it: longer than Kubernetes does. Its own 10 minutes would end an update early."""

RETENTION_SECONDS = 840
"""Wall clock of one sweep: the next one of the default schedule begins after 900 s."""

_DIGITS = 12
_HEX = re.compile(r"^(?:sha256:)?([0-9a-f]{12,64})$")


def migration_name(image_hash: str, generation: int) -> str:
    """`agent-migrate-` and 12 hex digits of the image's hash; `-N` follows where roles alternate.

    Raises:
        ValueError: the hash is not 12 to 64 hex digits, with or without `sha256:`.
    """
    found = _HEX.match(image_hash)
    if found is None:
        message = "image_hash: 12 to 64 hex digits, as of an image's digest, with or without sha256:"
        raise ValueError(message)
    name = f"agent-migrate-{found[1][:_DIGITS]}"
    return f"{name}-{generation}" if generation else name


def migration(template: Json) -> Json:
    """Spec of the Job that runs before a rollout."""
    return {
        "backoffLimit": MIGRATION_RETRIES,
        "activeDeadlineSeconds": MIGRATION_SECONDS,
        "ttlSecondsAfterFinished": KEPT_SECONDS,
        "template": template,
    }


def sweep(template: Json, *, schedule: str, time_zone: str) -> Json:
    """Spec of the CronJob of the retention: never two at once, a missed one is caught up within 5 minutes."""
    return {
        "schedule": schedule,
        "timeZone": time_zone,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 300,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {
            "spec": {
                "backoffLimit": 1,
                "activeDeadlineSeconds": RETENTION_SECONDS,
                "ttlSecondsAfterFinished": 24 * 3600,
                "template": template,
            }
        },
    }
