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

// IncrementalAlterConfigs (KIP-339), which librdkafka has since 2.2. With older headers these are never called.

/// Whether the headers have it.
static inline int kstream_has_incremental_alter_configs(void) {
#if RD_KAFKA_VERSION >= 0x020200ff
    return 1;
#else
    return 0;
#endif
}

/// librdkafka's number of the request, an rd_kafka_admin_op_t.
static inline int kstream_incremental_alter_configs_operation(void) {
#if RD_KAFKA_VERSION >= 0x020200ff
    return RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS;
#else
    return -1;
#endif
}

/// Adds the change of one setting; the operation is 0 to set, 1 to delete, 2 to append, 3 to subtract.
/// The caller destroys the error, if there is one.
static inline rd_kafka_error_t *kstream_add_incremental_config(rd_kafka_ConfigResource_t *resource,
                                                               const char *name,
                                                               int operation,
                                                               const char *value) {
#if RD_KAFKA_VERSION >= 0x020200ff
    return rd_kafka_ConfigResource_add_incremental_config(resource, name, (rd_kafka_AlterConfigOpType_t)operation,
                                                          value);
#else
    (void)resource, (void)name, (void)operation, (void)value;
    return NULL;
#endif
}

static inline void kstream_incremental_alter_configs(rd_kafka_t *client,
                                                     rd_kafka_ConfigResource_t **resources,
                                                     size_t count,
                                                     const rd_kafka_AdminOptions_t *options,
                                                     rd_kafka_queue_t *queue) {
#if RD_KAFKA_VERSION >= 0x020200ff
    rd_kafka_IncrementalAlterConfigs(client, resources, count, options, queue);
#else
    (void)client, (void)resources, (void)count, (void)options, (void)queue;
#endif
}

/// The answers in an event, one for each resource.
static inline const rd_kafka_ConfigResource_t **kstream_incremental_alter_configs_result(rd_kafka_event_t *event,
                                                                                         size_t *count) {
#if RD_KAFKA_VERSION >= 0x020200ff
    return rd_kafka_IncrementalAlterConfigs_result_resources(rd_kafka_event_IncrementalAlterConfigs_result(event),
                                                             count);
#else
    (void)event;
    *count = 0;
    return NULL;
#endif
}

#endif
