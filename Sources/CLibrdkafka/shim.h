#ifndef KSTREAM_CLIBRDKAFKA_SHIM_H
#define KSTREAM_CLIBRDKAFKA_SHIM_H

// What Swift can't import from librdkafka by itself: variadic calls and function-like macros.
// Everything else is called as it is.

#include <librdkafka/rdkafka.h>

/// Enqueues one message without headers or a timestamp; librdkafka copies key and value.
/// A NULL `value` is a tombstone, a NULL `key` is no key; both differ from a length of 0.
/// The answer is the error code: rd_kafka_last_error() is per thread, so it is read here.
static inline rd_kafka_resp_err_t kstream_produce(rd_kafka_topic_t *topic,
                                                  int32_t partition,
                                                  const void *key,
                                                  size_t key_length,
                                                  const void *value,
                                                  size_t value_length,
                                                  void *opaque) {
    if (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, (void *)value, value_length, key, key_length,
                         opaque) == 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    return rd_kafka_last_error();
}

/// Enqueues one message with headers (may be NULL) and a timestamp in milliseconds (0: now).
/// On success librdkafka owns `headers`; on failure the caller still does.
static inline rd_kafka_resp_err_t kstream_produce_with_headers(rd_kafka_t *client,
                                                               rd_kafka_topic_t *topic,
                                                               int32_t partition,
                                                               const void *key,
                                                               size_t key_length,
                                                               const void *value,
                                                               size_t value_length,
                                                               int64_t timestamp,
                                                               rd_kafka_headers_t *headers,
                                                               void *opaque) {
    if (headers == NULL)
        return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_length),
                                 RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_TIMESTAMP(timestamp),
                                 RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_length),
                             RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_TIMESTAMP(timestamp),
                             RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
}

#endif
