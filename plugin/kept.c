/* SPDX-License-Identifier: BSD-2-Clause */
#include "kept.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A list that only grows, at its head, with one link for each configuration. Readers need no lock,
 * so no fork() can leave one held. */
struct link {
    struct apw_front *front;
    const struct link *next;
    char config_path[];
};

static _Atomic(const struct link *) head;

static struct apw_front *find(const struct link *link, const char *config_path)
{
    for (; link != NULL; link = link->next)
        if (strcmp(link->config_path, config_path) == 0)
            return link->front;
    return NULL;
}

/* Adds the front to the list; returns the one that another thread added first, or NULL. */
static struct apw_front *add(struct link *link)
{
    const struct link *next = atomic_load(&head);

    do {
        struct apw_front *other = find(next, link->config_path);

        if (other != NULL)
            return other;
        link->next = next;
    } while (!atomic_compare_exchange_weak(&head, &next, link));
    return NULL;
}

/* Keeps the front. If another thread was faster, closes it and returns the other one. Without
 * memory the front is not kept, and apw_kept_release() closes it. */
static struct apw_front *keep(struct apw_front *front, const char *config_path)
{
    size_t size = strlen(config_path) + 1;
    struct link *link = malloc(sizeof *link + size);
    struct apw_front *other;

    if (link == NULL)
        return front;
    link->front = front;
    memcpy(link->config_path, config_path, size);
    other = add(link);
    if (other == NULL)
        return front;
    free(link);
    apw_front_close(&front);
    return other;
}

struct apw_front *apw_kept_take(const char *config_path, struct apw_error *error)
{
    struct apw_front *front = find(atomic_load(&head), config_path);

    error->text[0] = '\0';
    if (front != NULL || apw_front_open(config_path, &front, error) != 0)
        return front;
    return error->text[0] == '\0' ? keep(front, config_path) : front;
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
