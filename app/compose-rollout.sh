#!/bin/sh
# Replaces the processes of a service one after the other, without an answer lost: a new one is started and ready
# before an old one is told to stop. To be run in this folder, once the new image is there.
#
#   ./compose-rollout.sh [SERVICE …]      app and worker without
set -eu

cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- app worker

# The tables of the new version first: the old one works with them, too.
docker compose run --rm --no-TTY migrate

for service in "$@"; do
    old=$(docker compose ps --quiet "$service")
    count=$(printf '%s\n' "$old" | grep -c .) || {
        echo "$service: nothing is running; docker compose up -d starts it" >&2
        exit 1
    }
    for one in $old; do
        docker compose up --detach --no-deps --no-recreate --wait --scale "$service=$((count + 1))" "$service"
        # SIGTERM, and as long as stop_grace_period says: runs are handed over, streams are told to come again.
        docker stop "$one" >/dev/null
        docker rm "$one" >/dev/null
        echo "$service: $one has gone"
    done
done
