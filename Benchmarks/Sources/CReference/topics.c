#include "measurement.h"
#include "producer.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

int reference_fill(const char *properties,
                   const char *topic_name,
                   int32_t partitions,
                   int64_t records_per_partition,
                   int32_t value_size) {
    reference_producer *producer = reference_producer_new(properties);
    if (producer == NULL)
        return -1;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer->client, topic_name, NULL);
    unsigned char *value = malloc((size_t)value_size);
    int result = 0;
    for (int64_t record = 0; record < records_per_partition && result == 0; record++) {
        memset(value, (int)('a' + record % 26), (size_t)value_size);
        for (int32_t partition = 0; partition < partitions && result == 0; partition++) {
            while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value, (size_t)value_size, NULL, 0, NULL) !=
                   0) {
                if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                    result = reference_failed("fill", rd_kafka_err2str(rd_kafka_last_error()));
                    break;
                }
                rd_kafka_poll(producer->client, 10);
            }
        }
        rd_kafka_poll(producer->client, 0);
    }
    if (result == 0 && rd_kafka_flush(producer->client, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        result = reference_failed("fill", "not all records were acknowledged in time");
    if (producer->failures > 0)
        result = -1;
    free(value);
    rd_kafka_topic_destroy(topic);
    reference_producer_destroy(producer);
    return result;
}

/// Waits for the answer of an admin call about one topic and frees everything.
static int finish(rd_kafka_t *client, rd_kafka_queue_t *queue, const char *operation, bool created) {
    int result = 0;
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (event == NULL) {
        result = reference_failed(operation, "no answer in time");
    } else if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        result = reference_failed(operation, rd_kafka_event_error_string(event));
    } else {
        size_t count = 0;
        const rd_kafka_topic_result_t **topics =
            created ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
                    : rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
        for (size_t index = 0; index < count; index++)
            if (rd_kafka_topic_result_error(topics[index]) != RD_KAFKA_RESP_ERR_NO_ERROR)
                result = reference_failed(operation, rd_kafka_topic_result_error_string(topics[index]));
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    return result;
}

int reference_create_topic(const char *properties, const char *name, int32_t partitions) {
    char reason[512];
    rd_kafka_conf_t *configuration = reference_configuration(properties);
    rd_kafka_t *client = configuration == NULL ? NULL : reference_client(RD_KAFKA_PRODUCER, configuration);
    if (client == NULL)
        return -1;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, -1, reason, sizeof(reason));
    if (topic == NULL) {
        rd_kafka_queue_destroy(queue);
        rd_kafka_destroy(client);
        return reference_failed("create topic", reason);
    }
    // The answer comes when the topic is there, not when it was accepted.
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, 10000, reason, sizeof(reason));
    rd_kafka_CreateTopics(client, &topic, 1, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    return finish(client, queue, "create topic", true);
}

int reference_delete_topic(const char *properties, const char *name) {
    rd_kafka_conf_t *configuration = reference_configuration(properties);
    rd_kafka_t *client = configuration == NULL ? NULL : reference_client(RD_KAFKA_PRODUCER, configuration);
    if (client == NULL)
        return -1;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(client, &topic, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(topic);
    return finish(client, queue, "delete topic", false);
}
