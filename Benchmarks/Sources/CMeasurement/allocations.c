#include "measurement.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

static atomic_bool counting;
static atomic_llong allocations;

void measurement_allocations_start(void) {
    atomic_store(&allocations, 0);
    atomic_store(&counting, true);
}

int64_t measurement_allocations_stop(void) {
    atomic_store(&counting, false);
    return atomic_load(&allocations);
}

#if defined(__GLIBC__)

// The executable's own malloc family stands before glibc's for every library in the process, librdkafka included.
// While nobody counts it costs one load and a branch that is always predicted.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static inline void count_one(void) {
    if (__builtin_expect(atomic_load_explicit(&counting, memory_order_relaxed), 0))
        atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

bool measurement_allocations_supported(void) {
    return true;
}

int64_t measurement_heap(void) {
    struct mallinfo2 information = mallinfo2();
    return (int64_t)(information.uordblks + information.hblkhd);
}

void *malloc(size_t size) {
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size) {
    count_one();
    return __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
        return EINVAL;
    count_one();
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL)
        return ENOMEM;
    *pointer = memory;
    return 0;
}

#else

bool measurement_allocations_supported(void) {
    return false;
}

int64_t measurement_heap(void) {
    return INT64_MAX;
}

#endif
