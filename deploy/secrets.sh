#!/bin/sh
# Prints a fresh .env for compose.yaml: one random password per user of each
# server. `deploy/secrets.sh >.env`; keep the file, for the servers keep the
# passwords they were made with.
set -eu
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
for name in JWT_SECRET POSTGRES_PASSWORD POSTGRES_REPLICATION_PASSWORD REDIS_PASSWORD \
    MONGODB_PASSWORD MONGODB_REPLICA_KEY RABBITMQ_OPS_PASSWORD RABBITMQ_BRIDGE_PASSWORD GRAFANA_PASSWORD \
    NATS_ROUTE_PASSWORD NATS_AUTH_PASSWORD NATS_ORDER_PASSWORD NATS_RESTAURANT_PASSWORD NATS_DELIVERY_PASSWORD \
    NATS_TRACKING_PASSWORD NATS_EDGE_PASSWORD NATS_BRIDGE_PASSWORD NATS_OPS_PASSWORD; do
    printf '%s=%s\n' "$name" "$(random)"
done
# Keys are 32 bytes in base64 with a name; keep them apart from the databases too.
printf 'DATA_KEYS=first:%s\n' "$(head -c 32 /dev/urandom | base64)"
