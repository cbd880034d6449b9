// The slow ways of Swift's Mutex, in which the kernel hands it over.
//
// The thread sanitizer sees the atomics of the fast way, which is compiled into those who lock. What the kernel does it does
// not see, so whatever a contended mutex protects would look unprotected. These functions are found before those of the
// standard library, and tell.

#if defined(__linux__)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SELF __attribute__((swift_context))
typedef __attribute__((swiftcall)) void lock_function(uint32_t thread, SELF void *mutex);
typedef __attribute__((swiftcall)) void unlock_function(SELF void *mutex);

__attribute__((swiftcall)) void kstream_lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void kstream_unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

__attribute__((swiftcall)) void kstream_lock_slow(uint32_t thread, SELF void *mutex) {
    lock_function *next = (lock_function *)dlsym(RTLD_NEXT, LOCK_SLOW);
    next(thread, mutex);
    __tsan_acquire(mutex);
}

__attribute__((swiftcall)) void kstream_unlock_slow(SELF void *mutex) {
    __tsan_release(mutex);
    unlock_function *next = (unlock_function *)dlsym(RTLD_NEXT, UNLOCK_SLOW);
    next(mutex);
}

#endif
