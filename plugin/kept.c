#include "kept.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A list that only grows, at its head: whoever reads it needs no lock, and no fork() can leave one
 * held. There is one link per configuration, or a few where threads began at the same time. */
struct link {
    struct apw_front *front;
    const struct link *next;
    char config_path[];
};

static _Atomic(const struct link *) head;

static struct apw_front *find(const char *config_path)
{
    for (const struct link *link = atomic_load(&head); link != NULL; link = link->next)
        if (strcmp(link->config_path, config_path) == 0)
            return link->front;
    return NULL;
}

static void keep(struct apw_front *front, const char *config_path)
{
    size_t size = strlen(config_path) + 1;
    struct link *link = malloc(sizeof *link + size);
    const struct link *next = atomic_load(&head);

    if (link == NULL)
        return; /* closed when it is given back */
    link->front = front;
    memcpy(link->config_path, config_path, size);
    do
        link->next = next;
    while (!atomic_compare_exchange_weak(&head, &next, link));
}

struct apw_front *apw_kept_take(const char *config_path, struct apw_error *error)
{
    struct apw_front *front = find(config_path);

    error->text[0] = '\0';
    if (front != NULL || apw_front_open(config_path, &front, error) != 0)
        return front;
    if (error->text[0] == '\0')
        keep(front, config_path);
    return front;
}

void apw_kept_give_back(struct apw_front **front)
{
    for (const struct link *link = atomic_load(&head); link != NULL; link = link->next)
        if (link->front == *front) {
            *front = NULL;
            return;
        }
    apw_front_close(front);
}
