#include "measurement.h"
#include "producer.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

static void *poll_reports(void *argument) {
    reference_producer *producer = argument;
    for (;;) {
        rd_kafka_poll(producer->client, 100);
        pthread_mutex_lock(&producer->lock);
        int is_stopping = producer->is_stopping;
        pthread_mutex_unlock(&producer->lock);
        if (is_stopping)
            return NULL;
    }
}

static int send_and_await(reference_producer *producer,
                          rd_kafka_topic_t *topic,
                          int64_t records,
                          const void *value,
                          int32_t value_size,
                          double *microseconds) {
    for (int64_t sent = 0; sent < records; sent++) {
        double start = measurement_now();
        // A message opaque that is not NULL asks for the signal.
        if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)value, (size_t)value_size, NULL,
                             0, producer) != 0)
            return reference_failed("produce", rd_kafka_err2str(rd_kafka_last_error()));
        pthread_mutex_lock(&producer->lock);
        while (producer->reports <= sent)
            pthread_cond_wait(&producer->reported, &producer->lock);
        pthread_mutex_unlock(&producer->lock);
        microseconds[sent] = (measurement_now() - start) * 1e6;
    }
    return 0;
}

int reference_send_awaited(const char *properties,
                           const char *name,
                           int64_t records,
                           int32_t value_size,
                           double *microseconds,
                           reference_measurement *measurement) {
    *measurement = (reference_measurement){0};
    reference_producer *producer = reference_producer_new(properties);
    if (producer == NULL)
        return -1;
    rd_kafka_topic_t *topic = reference_producer_topic(producer, name);
    pthread_t poller;
    if (topic == NULL || pthread_create(&poller, NULL, poll_reports, producer) != 0)
        return reference_failed("awaited send", "no topic or no thread");
    void *value = malloc((size_t)value_size);
    memset(value, 'v', (size_t)value_size);
    double start = measurement_now(), cpu = measurement_cpu();
    int result = send_and_await(producer, topic, records, value, value_size, microseconds);
    measurement->seconds = measurement_now() - start;
    measurement->cpu_seconds = measurement_cpu() - cpu;
    measurement->records = records;

    pthread_mutex_lock(&producer->lock);
    producer->is_stopping = 1;
    pthread_mutex_unlock(&producer->lock);
    pthread_join(poller, NULL);
    if (producer->failures > 0)
        result = -1;
    free(value);
    rd_kafka_topic_destroy(topic);
    reference_producer_destroy(producer);
    return result;
}
