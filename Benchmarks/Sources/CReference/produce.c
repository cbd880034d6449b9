#include "producer.h"

#include "measurement.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

/// Longest time for a round's last reports, in seconds.
static const double patience = 30;

/// Records between two polls of a producer that sends one at a time.
static const int64_t poll_interval = 100;

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    reference_producer *producer = opaque;
    (void)client;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && producer->failures++ == 0)
        reference_failed("delivery", rd_kafka_err2str(message->err));
    if (message->_private == NULL) {
        producer->outstanding--;
        return;
    }
    pthread_mutex_lock(&producer->lock);
    producer->reports++;
    pthread_cond_signal(&producer->reported);
    pthread_mutex_unlock(&producer->lock);
}

reference_producer *reference_producer_new(const char *properties) {
    rd_kafka_conf_t *configuration = reference_configuration(properties);
    if (configuration == NULL)
        return NULL;
    reference_producer *producer = calloc(1, sizeof(*producer));
    pthread_mutex_init(&producer->lock, NULL);
    pthread_cond_init(&producer->reported, NULL);
    rd_kafka_conf_set_opaque(configuration, producer);
    rd_kafka_conf_set_dr_msg_cb(configuration, delivered);
    producer->client = reference_client(RD_KAFKA_PRODUCER, configuration);
    if (producer->client == NULL) {
        free(producer);
        return NULL;
    }
    return producer;
}

void reference_producer_destroy(reference_producer *producer) {
    rd_kafka_flush(producer->client, 5000);
    rd_kafka_destroy(producer->client);
    pthread_cond_destroy(&producer->reported);
    pthread_mutex_destroy(&producer->lock);
    free(producer);
}

/// Polls until at most `allowed` records are without a report.
static int drain(reference_producer *producer, int64_t allowed) {
    double deadline = measurement_now() + patience;
    while (producer->outstanding > allowed) {
        rd_kafka_poll(producer->client, 100);
        if (measurement_now() > deadline)
            return reference_failed("produce", "no delivery report came in time");
    }
    return producer->failures == 0 ? 0 : -1;
}

rd_kafka_topic_t *reference_producer_topic(reference_producer *producer, const char *name) {
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer->client, name, NULL);
    if (topic == NULL) {
        reference_failed("topic", rd_kafka_err2str(rd_kafka_last_error()));
        return NULL;
    }
    producer->outstanding++;
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)"warm", 4, NULL, 0, NULL) != 0 ||
        drain(producer, 0) != 0) {
        reference_failed("topic", name);
        rd_kafka_topic_destroy(topic);
        return NULL;
    }
    return topic;
}

static int send_singly(reference_producer *producer,
                       rd_kafka_topic_t *topic,
                       int64_t records,
                       const void *value,
                       int32_t value_size,
                       int32_t window) {
    for (int64_t sent = 0; sent < records; sent++) {
        if (producer->outstanding >= window && drain(producer, window - 1) != 0)
            return -1;
        if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)value, (size_t)value_size, NULL,
                             0, NULL) != 0)
            return reference_failed("produce", rd_kafka_err2str(rd_kafka_last_error()));
        producer->outstanding++;
        if (sent % poll_interval == 0)
            rd_kafka_poll(producer->client, 0);
    }
    return drain(producer, 0);
}

static int send_by_batches(reference_producer *producer,
                           rd_kafka_topic_t *topic,
                           int64_t records,
                           const void *value,
                           int32_t value_size,
                           int32_t batch_size,
                           int32_t window) {
    rd_kafka_message_t *messages = calloc((size_t)batch_size, sizeof(*messages));
    int result = 0;
    for (int64_t sent = 0; sent < records && result == 0;) {
        int count = records - sent < batch_size ? (int)(records - sent) : batch_size;
        for (int index = 0; index < count; index++)
            messages[index] = (rd_kafka_message_t){.payload = (void *)value, .len = (size_t)value_size};
        if (producer->outstanding > window - count)
            result = drain(producer, window - count);
        else
            rd_kafka_poll(producer->client, 0);
        if (result != 0)
            break;
        if (rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, messages, count) != count)
            result = reference_failed("produce_batch", "not all records were taken");
        producer->outstanding += count;
        sent += count;
    }
    free(messages);
    return result == 0 ? drain(producer, 0) : result;
}

int reference_produce(const char *properties,
                      const char *name,
                      int64_t records,
                      int32_t value_size,
                      int32_t batch_size,
                      int32_t window,
                      reference_measurement *measurement) {
    *measurement = (reference_measurement){0};
    reference_producer *producer = reference_producer_new(properties);
    if (producer == NULL)
        return -1;
    rd_kafka_topic_t *topic = reference_producer_topic(producer, name);
    int result = -1;
    if (topic != NULL) {
        void *value = malloc((size_t)value_size);
        memset(value, 'v', (size_t)value_size);
        double start = measurement_now(), cpu = measurement_cpu();
        result = batch_size > 1 ? send_by_batches(producer, topic, records, value, value_size, batch_size, window)
                                : send_singly(producer, topic, records, value, value_size, window);
        measurement->seconds = measurement_now() - start;
        measurement->cpu_seconds = measurement_cpu() - cpu;
        measurement->records = records;
        free(value);
        rd_kafka_topic_destroy(topic);
    }
    reference_producer_destroy(producer);
    return result;
}
