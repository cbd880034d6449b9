#include "client.h"
#include "measurement.h"
#include "reference.h"

#include <stdlib.h>

/// Longest time without a record before a round is given up, in seconds.
static const double patience = 30;

/// Adds a batch to the measurement and frees it; returns the records in it, or -1.
static inline int64_t take(rd_kafka_message_t **messages, ssize_t count, reference_measurement *measurement) {
    int64_t records = 0;
    bool failed = false;
    for (ssize_t index = 0; index < count; index++) {
        rd_kafka_message_t *message = messages[index];
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            const uint8_t *value = message->payload;
            if (message->len > 0)
                measurement->checksum += message->len + value[0] + value[message->len - 1];
            records++;
        } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            reference_failed("consume", rd_kafka_message_errstr(message));
            failed = true;
        }
        rd_kafka_message_destroy(message);
    }
    return failed ? -1 : records;
}

static int read_records(rd_kafka_queue_t *queue,
                        int64_t records,
                        int32_t batch_size,
                        bool fetched_first,
                        bool count_allocations,
                        int64_t heap,
                        rd_kafka_message_t **messages,
                        reference_measurement *measurement) {
    int64_t seen = 0, before_clock = 0;
    double start = 0, cpu = 0, last = measurement_now();
    if (fetched_first) {
        if (!measurement_wait_until_fetched(heap, patience))
            return reference_failed("consume", "fetching ahead did not come to an end");
        if (count_allocations)
            measurement_allocations_start();
        start = measurement_now();
        cpu = measurement_cpu();
    }
    while (seen < records) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 0, messages, (size_t)batch_size);
        if (count == 0)
            count = rd_kafka_consume_batch_queue(queue, 1000, messages, 1);
        if (count < batch_size)
            measurement->short_batches++;
        int64_t taken = take(messages, count, measurement);
        if (taken < 0)
            return -1;
        if (taken == 0) {
            if (measurement_now() - last > patience)
                return reference_failed("consume", "no record came in time");
            continue;
        }
        if (seen == 0 && !fetched_first) {
            // The first batch tells that connections stand; it is not measured.
            before_clock = taken;
            start = measurement_now();
            cpu = measurement_cpu();
        }
        seen += taken;
    }
    measurement->seconds = measurement_now() - start;
    measurement->cpu_seconds = measurement_cpu() - cpu;
    if (count_allocations)
        measurement->allocations = measurement_allocations_stop();
    measurement->records = seen - before_clock;
    return 0;
}

int reference_consume(const char *properties,
                      const char *topic,
                      int32_t partitions,
                      int64_t records,
                      int32_t value_size,
                      int32_t batch_size,
                      bool fetched_first,
                      bool count_allocations,
                      reference_measurement *measurement) {
    *measurement = (reference_measurement){0};
    int64_t heap = measurement_heap() + records * value_size;
    rd_kafka_conf_t *configuration = reference_configuration(properties);
    rd_kafka_t *client = configuration == NULL ? NULL : reference_client(RD_KAFKA_CONSUMER, configuration);
    if (client == NULL)
        return -1;
    rd_kafka_poll_set_consumer(client);

    rd_kafka_topic_partition_list_t *assignment = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t partition = 0; partition < partitions; partition++)
        rd_kafka_topic_partition_list_add(assignment, topic, partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t error = rd_kafka_assign(client, assignment);
    rd_kafka_topic_partition_list_destroy(assignment);

    int result = -1;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    rd_kafka_message_t **messages = malloc(sizeof(*messages) * (size_t)batch_size);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        reference_failed("assign", rd_kafka_err2str(error));
    else
        result = read_records(queue, records, batch_size, fetched_first, count_allocations, heap, messages,
                              measurement);
    free(messages);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return result;
}
