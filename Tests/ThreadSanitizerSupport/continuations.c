// What comes after a continuation.
//
// Whoever resumes a continuation before its task has come to wait for it meets the task by an atomic inside of Swift's
// runtime. The runtime tells the thread sanitizer what happened before the resumption, but not that the task then knows, so
// whatever was handed over with the continuation would look unprotected. Here the task gets to know where it goes on.

#if defined(__linux__)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *address);

// The order that the table of this file brings must stay unseen: threads that use it have nothing to do with each other.
#define UNSEEN __attribute__((disable_sanitizer_instrumentation))
#define ASYNC __attribute__((swiftasynccall))
#define CONTEXT __attribute__((swift_async_context))

struct context;
typedef ASYNC void continuation_function(CONTEXT struct context *context);

// How every context of a task begins (Swift's ABI, AsyncContext).
struct context {
    struct context *parent;
    continuation_function *resume;
};

__attribute__((swiftcall)) void *swift_task_getCurrent(void);

// Where tasks go on that wait for a continuation.
struct waiting {
    struct context *context;
    continuation_function *resume;
    struct waiting *next;
};

struct bucket {
    char is_locked;
    struct waiting *first;
};

static struct bucket buckets[1024];

UNSEEN static struct bucket *lock_bucket(struct context *context) {
    struct bucket *bucket = &buckets[((uintptr_t)context >> 4) % 1024];
    while (__atomic_test_and_set(&bucket->is_locked, __ATOMIC_ACQUIRE)) {
    }
    return bucket;
}

UNSEEN static void unlock_bucket(struct bucket *bucket) { __atomic_clear(&bucket->is_locked, __ATOMIC_RELEASE); }

UNSEEN static void insert(struct context *context) {
    struct waiting *waiting = malloc(sizeof(*waiting));
    if (waiting == NULL)
        abort();
    waiting->context = context;
    waiting->resume = context->resume;
    struct bucket *bucket = lock_bucket(context);
    waiting->next = bucket->first;
    bucket->first = waiting;
    unlock_bucket(bucket);
}

UNSEEN static continuation_function *take(struct context *context) {
    struct bucket *bucket = lock_bucket(context);
    struct waiting **link = &bucket->first;
    while ((*link)->context != context)
        link = &(*link)->next;
    struct waiting *waiting = *link;
    *link = waiting->next;
    unlock_bucket(bucket);
    continuation_function *resume = waiting->resume;
    free(waiting);
    return resume;
}

UNSEEN static ASYNC void resumed(CONTEXT struct context *context) {
    context->resume = take(context);
    __tsan_acquire(swift_task_getCurrent());
    __attribute__((musttail)) return context->resume(context);
}

#define AWAIT "swift_continuation_await"

typedef ASYNC void await_function(struct context *context);

await_function kstream_continuation_await __asm__(AWAIT);

UNSEEN ASYNC void kstream_continuation_await(struct context *context) {
    static await_function *next;
    if (next == NULL)
        next = (await_function *)dlsym(RTLD_NEXT, AWAIT);
    insert(context);
    context->resume = resumed;
    __attribute__((musttail)) return next(context);
}

#endif
