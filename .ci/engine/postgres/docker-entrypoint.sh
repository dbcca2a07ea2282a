#!/bin/bash
# What the project needs of the official image's contract: POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB (each also
# as NAME_FILE), POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, /docker-entrypoint-initdb.d; and the server that is
# started once for the first initialisation, on the socket alone.
set -euo pipefail

# setting NAME DEFAULT: read while this is root still, since a secret file may be closed to the server's user.
setting() {
  local file="${1}_FILE"
  if [[ -n ${!file:-} ]]; then
    printf -v "$1" '%s' "$(<"${!file}")"
    unset "$file"
  fi
  export "$1=${!1:-$2}"
}

if [[ ${1:-} == -* ]]; then set -- postgres "$@"; fi
[[ ${1:-} == postgres ]] || exec "$@"

setting POSTGRES_USER postgres
setting POSTGRES_DB "$POSTGRES_USER"
setting POSTGRES_PASSWORD ''

if [[ $(id -u) == 0 ]]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  find /var/lib/postgresql /var/run/postgresql \! -user postgres -exec chown postgres:postgres '{}' +
  exec gosu postgres "$0" "$@"
fi

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [[ -z $POSTGRES_PASSWORD && $method != trust ]]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    exit 1
  fi
  # shellcheck disable=SC2086  # POSTGRES_INITDB_ARGS holds several words
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unused}") ${POSTGRES_INITDB_ARGS:-}
  printf 'host all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  pg_ctl -o "-c listen_addresses=''" -w start
  run=(psql -v ON_ERROR_STOP=1 --no-password --username "$POSTGRES_USER")
  [[ $POSTGRES_DB == postgres ]] || "${run[@]}" --dbname postgres --command "CREATE DATABASE \"$POSTGRES_DB\""
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [[ -x $file ]]; then "$file"; else . "$file"; fi ;;
      *.sql) "${run[@]}" --dbname "$POSTGRES_DB" --file "$file" ;;
    esac
  done
  pg_ctl -m fast -w stop
  echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
