#!/usr/bin/env bash
# Runs in the Kafka container as its health check: ready is a node that takes a record and gives it back.
# The round trip starts three JVMs, so it is made once for each start of the node; afterwards an open port is enough.
set -euo pipefail

bin=/opt/kafka/bin
server=kafka:9092
topic=kstream.ready
marker=/tmp/kstream-ready
start_of_node=$(cut -d ' ' -f 22 /proc/1/stat)

if [ -e "$marker" ] && [ "$(cat "$marker")" = "$start_of_node" ]; then
    exec 3<> "/dev/tcp/${server/://}"
    exit 0
fi

"$bin/kafka-topics.sh" --bootstrap-server "$server" --create --if-not-exists --topic "$topic" --partitions 1
echo ready | "$bin/kafka-console-producer.sh" --bootstrap-server "$server" --topic "$topic" --request-required-acks all
answer=$("$bin/kafka-console-consumer.sh" --bootstrap-server "$server" --topic "$topic" \
    --partition 0 --offset earliest --max-messages 1 --timeout-ms 20000)
[ "$answer" = ready ]
printf '%s' "$start_of_node" > "$marker"
