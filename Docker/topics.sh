#!/usr/bin/env bash
# Runs in a container beside the Kafka node: creates the topics of the order pipeline. A topic that is there is left as
# it is.
set -euo pipefail

create() { # create TOPIC [OPTION...]
    local topic=$1
    shift
    /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka:9092 --create --if-not-exists \
        --topic "$topic" --partitions 8 --replication-factor 1 "$@"
}

create orders.commands
create orders.events
create payments.events
create shipping.events
# The latest status of each order is kept for good, its history is not.
create orders.status --config cleanup.policy=compact
# What the services could not process.
for topic in orders.commands orders.events payments.events shipping.events; do
    create "$topic.dead-letters"
done
