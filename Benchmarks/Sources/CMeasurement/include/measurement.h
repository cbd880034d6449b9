#ifndef KSTREAM_BENCH_MEASUREMENT_H
#define KSTREAM_BENCH_MEASUREMENT_H

// The instruments that both sides of the benchmark share, so that neither is measured by a finer one.

#include <stdbool.h>
#include <stdint.h>

/// Seconds on the monotonic clock.
double measurement_now(void);

/// Seconds of processor time, user and system, that all threads of this process have used.
double measurement_cpu(void);

/// Bytes of the heap that are in use; the largest number where that can't be told (it can with glibc).
int64_t measurement_heap(void);

/// Blocks the calling thread until at least `heap` bytes are in use and the process has used next to no processor time
/// for a quarter of a second: then librdkafka has fetched ahead what there is.
/// Returns false when that is not so within `seconds`.
bool measurement_wait_until_fetched(int64_t heap, double seconds);

/// Blocks the calling thread until the process has used next to no processor time for a quarter of a second.
/// Returns false when that is not so within `seconds`.
bool measurement_wait_until_quiet(double seconds);

/// Blocks the calling thread for `seconds`.
void measurement_wait(double seconds);

/// Starts counting the allocations of all threads of this process, from 0.
void measurement_allocations_start(void);

/// Stops counting; returns how many allocations there were since the start. A realloc counts as one.
int64_t measurement_allocations_stop(void);

/// Whether allocations can be counted here (they are with glibc).
bool measurement_allocations_supported(void);

#endif
