#!/bin/sh
# Replaces the processes of a service one after the other, and no answer is lost: a new one is started and ready, and
# nginx sends nothing to the old one any more, before that is told to stop. Run it once the new image is there.
#
#   ./compose-rollout.sh [SERVICE …]      app and worker without
set -eu

cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- app worker
network=${COMPOSE_PROJECT_NAME:-langgraph}_outside

balance() { # [SERVERS]   nginx sends to these; without, to all that Docker's DNS knows
    docker compose exec --no-TTY ${1:+--env "NGINX_UPSTREAM=$1"} nginx \
        /docker-entrypoint.d/20-envsubst-on-templates.sh >/dev/null
    docker compose exec --no-TTY nginx nginx -c /tmp/nginx.conf -s reload
}

others() { # CONTAINER   the servers but this one, as nginx' configuration names them
    for id in $(docker compose ps --quiet app); do
        if [ "$id" != "$1" ]; then
            address=$(docker inspect --format "{{(index .NetworkSettings.Networks \"$network\").IPAddress}}" "$id")
            printf 'server %s:8000 max_fails=0; ' "$address"
        fi
    done
}

# The tables of the new version first: the old one works with them, too.
docker compose run --rm --no-TTY migrate

for service in "$@"; do
    old=$(docker compose ps --quiet "$service")
    count=$(printf '%s\n' "$old" | grep -c .) || {
        echo "$service: nothing is running; docker compose up -d starts it" >&2
        exit 1
    }
    [ "$service" != app ] || trap balance EXIT
    for one in $old; do
        docker compose up --detach --no-deps --no-recreate --wait --scale "$service=$((count + 1))" "$service"
        if [ "$service" = app ]; then
            balance "$(others "$one")"
            sleep 1
        fi
        # SIGTERM, and as long as stop_grace_period says: runs are handed over, streams are told to come again.
        docker stop "$one" >/dev/null
        docker rm "$one" >/dev/null
        echo "$service: $one has gone"
    done
    [ "$service" != app ] || { trap - EXIT && balance; }
done
