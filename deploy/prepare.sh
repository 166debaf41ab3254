#!/bin/sh
# Make what docker-compose.yml reads and nobody should share: random secrets, and the desk's first operator.
# Everything is written to deploy/local/, for its owner and group to read. What is there already stays.
#
#     sh deploy/prepare.sh
set -eu
cd "$(dirname "$0")/.."
umask 027
mkdir -p deploy/local/secrets deploy/local/desk

random() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# write FILE: standard input becomes the file, at once and only if there is none.
write() {
  if [ -s "deploy/local/$1" ]; then
    cat > /dev/null
  else
    cat > "deploy/local/$1.new"
    mv "deploy/local/$1.new" "deploy/local/$1"
    echo "made deploy/local/$1"
  fi
}

random | write secrets/database-password
printf 'postgresql+psycopg://lapwing:%s@postgres/lapwing' "$(cat deploy/local/secrets/database-password)" |
  write secrets/database-url
random | write secrets/erasure-key
random | write secrets/grafana-password

if [ ! -s deploy/local/desk/people.yaml ]; then
  token=$(random)
  write desk/people.yaml << PEOPLE
version: 1
people:
  - name: operator
    role: operator
    token: sha256:$(printf %s "$token" | sha256sum | cut -d ' ' -f 1)
PEOPLE
  echo "sign in at the desk as operator, with this token, which is shown this once: $token"
fi

# Containers read these files as members of this group.
if ! grep -qs '^LAPWING_SECRETS_GROUP=' .env; then
  echo "LAPWING_SECRETS_GROUP=$(id -g)" >> .env
  echo "wrote LAPWING_SECRETS_GROUP to .env"
fi
