#include "measurement.h"
#include "producer.h"
#include "reference.h"

/// The thread of a C program's producer: parked until there is a report, a log line or an error.
static void *serve_producer(void *argument) {
    reference_producer *producer = argument;
    for (;;)
        rd_kafka_poll(producer->client, -1);
    return NULL;
}

/// The thread of a C program's consumer: parked until there is a record.
static void *serve_consumer(void *argument) {
    rd_kafka_message_t *message;
    for (;;)
        if (rd_kafka_consume_batch_queue(argument, -1, &message, 1) == 1)
            rd_kafka_message_destroy(message);
    return NULL;
}

int reference_idle(const char *producer_properties,
                   const char *consumer_properties,
                   const char *name,
                   double seconds,
                   reference_measurement *measurement) {
    *measurement = (reference_measurement){0};
    reference_producer *producer = reference_producer_new(producer_properties);
    rd_kafka_topic_t *topic = producer == NULL ? NULL : reference_producer_topic(producer, name);
    rd_kafka_conf_t *configuration = topic == NULL ? NULL : reference_configuration(consumer_properties);
    rd_kafka_t *consumer = configuration == NULL ? NULL : reference_client(RD_KAFKA_CONSUMER, configuration);
    if (consumer == NULL)
        return -1;
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *assignment = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(assignment, name, 0)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer, assignment);
    rd_kafka_topic_partition_list_destroy(assignment);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return reference_failed("assign", rd_kafka_err2str(error));

    pthread_t thread;
    if (pthread_create(&thread, NULL, serve_producer, producer) != 0 ||
        pthread_create(&thread, NULL, serve_consumer, rd_kafka_queue_get_consumer(consumer)) != 0)
        return reference_failed("idle", "no thread");
    measurement_wait_until_quiet(5);
    double start = measurement_now(), cpu = measurement_cpu();
    measurement_wait(seconds);
    measurement->seconds = measurement_now() - start;
    measurement->cpu_seconds = measurement_cpu() - cpu;
    return 0;
}
