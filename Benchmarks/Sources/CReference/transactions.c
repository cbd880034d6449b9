#include "producer.h"

#include "measurement.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

/// Longest time for a call, in milliseconds.
static const int patience = 30000;

/// 0, or -1 after a sentence on standard error.
static int check(const char *operation, rd_kafka_error_t *error) {
    if (error == NULL)
        return 0;
    reference_failed(operation, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return -1;
}

static int run_transaction(reference_producer *producer,
                           rd_kafka_topic_t *topic,
                           int32_t records,
                           const void *value,
                           int32_t value_size) {
    if (check("begin_transaction", rd_kafka_begin_transaction(producer->client)) != 0)
        return -1;
    for (int32_t sent = 0; sent < records; sent++) {
        if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)value, (size_t)value_size, NULL,
                             0, NULL) != 0)
            return reference_failed("produce", rd_kafka_err2str(rd_kafka_last_error()));
        producer->outstanding++;
    }
    // Waits for the records and serves their reports.
    if (check("commit_transaction", rd_kafka_commit_transaction(producer->client, patience)) != 0)
        return -1;
    return producer->failures == 0 ? 0 : -1;
}

int reference_transactions(const char *properties,
                           const char *name,
                           int64_t transactions,
                           int32_t records_per_transaction,
                           int32_t value_size,
                           reference_measurement *measurement) {
    *measurement = (reference_measurement){0};
    reference_producer *producer = reference_producer_new(properties);
    if (producer == NULL)
        return -1;
    int result = check("init_transactions", rd_kafka_init_transactions(producer->client, patience));
    rd_kafka_topic_t *topic = result == 0 ? rd_kafka_topic_new(producer->client, name, NULL) : NULL;
    if (topic != NULL) {
        void *value = malloc((size_t)value_size);
        memset(value, 'v', (size_t)value_size);
        result = run_transaction(producer, topic, 1, value, value_size);
        double start = measurement_now(), cpu = measurement_cpu();
        for (int64_t done = 0; done < transactions && result == 0; done++)
            result = run_transaction(producer, topic, records_per_transaction, value, value_size);
        measurement->seconds = measurement_now() - start;
        measurement->cpu_seconds = measurement_cpu() - cpu;
        measurement->records = transactions * records_per_transaction;
        free(value);
        rd_kafka_topic_destroy(topic);
    } else {
        result = -1;
    }
    reference_producer_destroy(producer);
    return result;
}
