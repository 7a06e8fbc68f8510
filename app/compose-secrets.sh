#!/bin/sh
# Makes what compose.yaml reads as secrets, in secrets/ beside it. What is there already stays as it is.
#
#   ./compose-secrets.sh [HOST]       HOST: the name of the certificate, `localhost` without
#
# A container has another user than you, so the files may be read by anyone who reaches them, and nobody but you
# reaches them: the folder is yours alone. Needs openssl.
set -eu

host=${1:-localhost}
folder=$(cd "$(dirname "$0")" && pwd)/secrets

umask 022
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"
mkdir -p owner application env redis tls

keep() { # FILE: standard input becomes its content, unless there is one
    if [ -e "$1" ]; then cat >/dev/null; else cat >"$1.new" && chmod 644 "$1.new" && mv "$1.new" "$1"; fi
}

random() { printf %s "$(openssl rand -hex 32)"; }

printf langgraph | keep owner/username
random | keep owner/password
printf langgraph_app | keep application/username
random | keep application/password
random | keep env/API_KEY_PEPPER

# An empty one is none: write the key into the file that you have.
for name in OPENAI_API_KEY ANTHROPIC_API_KEY LANGSMITH_API_KEY; do
    keep "env/$name" </dev/null
done

# Redis knows a digest alone. Who has not logged in may ask whether it is there.
if [ ! -e env/REDIS_URL ] || [ ! -e redis/users.acl ]; then
    rm -f env/REDIS_URL redis/users.acl
    password=$(random)
    digest=$(printf %s "$password" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
    keep redis/users.acl <<USERS
user default on nopass resetkeys resetchannels -@all +ping
user langgraph on #$digest ~langgraph:* resetchannels &langgraph:* -@all +@read +@write +@pubsub +@connection +@transaction +eval +evalsha +script -@admin -@dangerous
USERS
    printf 'redis://langgraph:%s@redis:6379/0' "$password" | keep env/REDIS_URL
fi

# For a first try: no browser and no client trusts it. Put a real one in its place.
if [ ! -e tls/tls.key ] || [ ! -e tls/tls.crt ]; then
    rm -f tls/tls.key tls/tls.crt
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$host" \
        -addext "subjectAltName=DNS:$host" -keyout tls/key.new -out tls/crt.new 2>/dev/null
    keep tls/tls.key <tls/key.new
    keep tls/tls.crt <tls/crt.new
    rm tls/key.new tls/crt.new
fi
echo "secrets are in $folder"
