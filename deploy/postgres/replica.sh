#!/bin/sh
# A streaming replica of PRIMARY_HOST: a copy at the first start, then the stream.
# The server gets the arguments, for it refuses to follow a primary that allows
# more connections than itself.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    PGPASSWORD=$POSTGRES_REPLICATION_PASSWORD pg_basebackup -h "$PRIMARY_HOST" -U replicator -D "$PGDATA" -R -X stream
    chown -R postgres:postgres "$PGDATA"
    chmod 0700 "$PGDATA"
fi
exec docker-entrypoint.sh "$@"
