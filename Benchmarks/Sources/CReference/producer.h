#ifndef KSTREAM_BENCH_PRODUCER_H
#define KSTREAM_BENCH_PRODUCER_H

#include "client.h"

#include <pthread.h>
#include <stdint.h>

/// A producer, and what its delivery reports say.
typedef struct {
    rd_kafka_t *client;
    /// Sent and not reported; only the thread that polls touches it, which in a windowed round is the sending one.
    int64_t outstanding;
    int64_t failures;
    /// The awaited send: guarded by `lock`.
    pthread_mutex_t lock;
    pthread_cond_t reported;
    int64_t reports;
    int is_stopping;
} reference_producer;

/// NULL after a sentence on standard error.
reference_producer *reference_producer_new(const char *properties);

void reference_producer_destroy(reference_producer *producer);

/// A topic handle whose partitions are known, since one record has been acknowledged; NULL after a sentence.
rd_kafka_topic_t *reference_producer_topic(reference_producer *producer, const char *name);

#endif
