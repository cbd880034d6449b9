#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int reference_failed(const char *operation, const char *reason) {
    fprintf(stderr, "reference: %s: %s\n", operation, reason);
    return -1;
}

rd_kafka_conf_t *reference_configuration(const char *properties) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    char *lines = strdup(properties), *rest = lines, *line, reason[512];
    while ((line = strsep(&rest, "\n")) != NULL) {
        char *value = strchr(line, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        if (rd_kafka_conf_set(configuration, line, value, reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
            reference_failed("configuration", reason);
            rd_kafka_conf_destroy(configuration);
            free(lines);
            return NULL;
        }
    }
    free(lines);
    return configuration;
}

rd_kafka_t *reference_client(rd_kafka_type_t type, rd_kafka_conf_t *configuration) {
    char reason[512];
    rd_kafka_t *client = rd_kafka_new(type, configuration, reason, sizeof(reason));
    if (client == NULL) {
        reference_failed("client", reason);
        rd_kafka_conf_destroy(configuration);
    }
    return client;
}
