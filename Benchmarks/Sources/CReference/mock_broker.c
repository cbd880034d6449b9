#include "client.h"
#include "reference.h"

#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// Creates the topic of "name:partitions".
static int create(rd_kafka_mock_cluster_t *cluster, char *description) {
    char *colon = strrchr(description, ':');
    int partitions = colon == NULL ? 0 : atoi(colon + 1);
    if (partitions < 1)
        return reference_failed("mock broker: not NAME:PARTITIONS", description);
    *colon = '\0';
    rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(cluster, description, partitions, 1);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : reference_failed(description, rd_kafka_err2str(error));
}

int reference_mock_broker(const char *topics) {
    // The cluster lives on a client of its own that never connects anywhere.
    rd_kafka_conf_t *configuration = reference_configuration("log_level=4");
    rd_kafka_t *client = configuration == NULL ? NULL : reference_client(RD_KAFKA_PRODUCER, configuration);
    if (client == NULL)
        return -1;
    int result = 0;
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    if (cluster == NULL)
        result = reference_failed("mock broker", "it can't be started");
    char *lines = strdup(topics), *rest = lines, *line;
    while ((line = strsep(&rest, "\n")) != NULL && result == 0)
        if (*line != '\0')
            result = create(cluster, line);
    free(lines);
    if (result == 0) {
        printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
        fflush(stdout);
        char buffer[256];
        while (read(STDIN_FILENO, buffer, sizeof(buffer)) > 0)
            ;
    }
    if (cluster != NULL)
        rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
    return result;
}
