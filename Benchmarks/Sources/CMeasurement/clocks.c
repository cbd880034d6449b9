#include "measurement.h"

#include <sys/resource.h>
#include <time.h>

double measurement_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double measurement_cpu(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

void measurement_wait(double seconds) {
    struct timespec rest = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&rest, &rest) != 0)
        ;
}

bool measurement_wait_until_quiet(double seconds) {
    return measurement_wait_until_fetched(0, seconds);
}

bool measurement_wait_until_fetched(int64_t heap, double seconds) {
    // Empty fetches and timers go on while a client is quiet: they take well under 4 % of a core.
    const double interval = 0.05, quiet_cpu = 0.002;
    const int quiet_intervals = 5;
    const double deadline = measurement_now() + seconds;
    int quiet = 0;
    while (quiet < quiet_intervals) {
        if (measurement_now() > deadline)
            return false;
        double before = measurement_cpu();
        measurement_wait(interval);
        bool is_quiet = measurement_cpu() - before < quiet_cpu && measurement_heap() >= heap;
        quiet = is_quiet ? quiet + 1 : 0;
    }
    return true;
}
