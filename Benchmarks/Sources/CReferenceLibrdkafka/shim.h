#ifndef KSTREAM_BENCH_LIBRDKAFKA_SHIM_H
#define KSTREAM_BENCH_LIBRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#endif
