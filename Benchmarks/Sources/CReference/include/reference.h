#ifndef KSTREAM_BENCH_REFERENCE_H
#define KSTREAM_BENCH_REFERENCE_H

// The reference: the same work as a C program does it with librdkafka, in the form that costs least.
// Every function blocks the calling thread. Those that return int return 0, or -1 after a sentence on standard error.

#include <stdbool.h>
#include <stdint.h>

/// One round of work, measured.
typedef struct {
    /// Seconds on the monotonic clock.
    double seconds;
    /// Seconds of processor time of the whole process.
    double cpu_seconds;
    /// Records that were consumed, or acknowledged by the broker.
    int64_t records;
    /// Allocations of the whole process, when they were counted.
    int64_t allocations;
    /// Batches that held fewer records than asked for: many of them mean that the reader was faster than the fetcher.
    int64_t short_batches;
    /// Sum over the records of length, first and last byte of the value: both sides must have seen the same.
    uint64_t checksum;
} reference_measurement;

// MARK: consume

/// Reads `records` records of partitions 0 to `partitions` of a topic from their start, by batches of `batch_size`:
/// takes what is there without waiting, and waits for one message only when nothing is.
/// - fetched_first: let librdkafka fetch everything before the clock starts, so that the reader's own cost is measured.
///   Otherwise the clock starts with the first batch.
/// - value_size: bytes of each value, to know when all are fetched.
/// - properties: librdkafka properties, "name=value" on a line each.
int reference_consume(const char *properties,
                      const char *topic,
                      int32_t partitions,
                      int64_t records,
                      int32_t value_size,
                      int32_t batch_size,
                      bool fetched_first,
                      bool count_allocations,
                      reference_measurement *measurement);

// MARK: produce

/// Sends `records` values of `value_size` bytes, the partitioner choosing, with at most `window` unacknowledged,
/// and waits for all acknowledgements. `batch_size` 1: rd_kafka_produce; above: rd_kafka_produce_batch.
/// Delivery reports are served by the producing thread. One record is acknowledged before the clock starts.
int reference_produce(const char *properties,
                      const char *topic,
                      int64_t records,
                      int32_t value_size,
                      int32_t batch_size,
                      int32_t window,
                      reference_measurement *measurement);

/// Sends one value at a time and waits for its acknowledgement, which a thread of its own polls for and signals.
/// - microseconds: room for `records` durations, each from the call to the woken caller.
int reference_send_awaited(const char *properties,
                           const char *topic,
                           int64_t records,
                           int32_t value_size,
                           double *microseconds,
                           reference_measurement *measurement);

// MARK: transactions

/// Sends transactions of `records_per_transaction` values of `value_size` bytes, one after the other, the partitioner
/// choosing: begin, produce, commit. One transaction is committed before the clock starts. `properties` has a
/// transactional.id.
int reference_transactions(const char *properties,
                           const char *topic,
                           int64_t transactions,
                           int32_t records_per_transaction,
                           int32_t value_size,
                           reference_measurement *measurement);

// MARK: idle

/// A producer that has sent one record and a consumer that waits at the end of partition 0, each parked in a blocking
/// call of its own thread, doing nothing for `seconds`. Ends with the process: the parked threads are not joined.
int reference_idle(const char *producer_properties,
                   const char *consumer_properties,
                   const char *topic,
                   double seconds,
                   reference_measurement *measurement);

// MARK: topics

/// Fills partitions 0 to `partitions` with `records_per_partition` values of `value_size` bytes each.
int reference_fill(const char *properties,
                   const char *topic,
                   int32_t partitions,
                   int64_t records_per_partition,
                   int32_t value_size);

/// Creates a topic of a cluster with the default replication of its brokers.
int reference_create_topic(const char *properties, const char *topic, int32_t partitions);

/// Deletes a topic of a cluster.
int reference_delete_topic(const char *properties, const char *topic);

// MARK: mock broker

/// Runs librdkafka's mock broker with topics given as lines of "name:partitions": prints its bootstrap servers on the
/// first line of standard output and ends when standard input does.
int reference_mock_broker(const char *topics);

#endif
