#ifndef KSTREAM_BENCH_CLIENT_H
#define KSTREAM_BENCH_CLIENT_H

#include <librdkafka/rdkafka.h>

/// A configuration from "name=value" lines; NULL after a sentence on standard error.
rd_kafka_conf_t *reference_configuration(const char *properties);

/// A client; takes the configuration. NULL after a sentence on standard error.
rd_kafka_t *reference_client(rd_kafka_type_t type, rd_kafka_conf_t *configuration);

/// Prints what failed and why; returns -1.
int reference_failed(const char *operation, const char *reason);

#endif
