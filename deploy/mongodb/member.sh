#!/bin/sh
# A member of the replica set. The key by which members know each other comes
# from the environment and must be a file of the server's own.
set -eu
printf '%s' "$MONGODB_REPLICA_KEY" >/data/configdb/key
chmod 0400 /data/configdb/key
chown mongodb:mongodb /data/configdb/key
exec docker-entrypoint.sh mongod --replSet tiffin --keyFile /data/configdb/key --bind_ip_all
