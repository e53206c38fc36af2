#!/bin/sh
# Writes what cannot be made again into a new folder, while the fleet goes on:
# a file per shard, and the restaurants.
#
#     deploy/backup.sh DIR
#
# The servers are those of the fleet's own variables (.env.example). Where
# FerretDB stands in for MongoDB, FERRETDB_POSTGRESQL_URL names the database
# beneath it. Needs pg_dump of the servers' version or newer, or else mongodump.
set -eu
umask 077
dir=${1:?usage: deploy/backup.sh DIR}

shards=$(env | sed -n 's/^POSTGRES_SHARD_\([A-Z]\)_URL=..*/\1/p' | sort)
[ -n "$shards" ] || { echo "POSTGRES_SHARD_A_URL: not set" >&2; exit 1; }
[ -n "${FERRETDB_POSTGRESQL_URL:-}${MONGODB_URL:-}" ] || { echo "MONGODB_URL: not set" >&2; exit 1; }

dump() { pg_dump --format=custom --dbname="$1" --file="$2"; }

mkdir -p "$(dirname "$dir")"
mkdir "$dir" # must be new: a backup is never written over another
for shard in $shards; do
    dump "$(printenv "POSTGRES_SHARD_${shard}_URL")" "$dir/shard_$shard.dump"
done
# After the shards, so that it has every restaurant that their orders name.
if [ -n "${FERRETDB_POSTGRESQL_URL:-}" ]; then
    dump "$FERRETDB_POSTGRESQL_URL" "$dir/documents.dump"
else
    mongodump --quiet --uri="$MONGODB_URL" --gzip --archive="$dir/restaurants.archive.gz"
fi
echo "$shards" >"$dir/complete"
echo "$dir is complete"
