#!/bin/sh
# A streaming replica of PRIMARY_HOST: a copy at the first start, then the stream.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    PGPASSWORD=$POSTGRES_REPLICATION_PASSWORD pg_basebackup -h "$PRIMARY_HOST" -U replicator -D "$PGDATA" -R -X stream
    chown -R postgres:postgres "$PGDATA"
    chmod 0700 "$PGDATA"
fi
exec docker-entrypoint.sh postgres
