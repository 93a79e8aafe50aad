#include "web/session.h"
#include "config.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define VISITS_MAX    1000
#define VISITS_OF_ONE 20
#define IDLE_MS       (10 * 60 * 1000)
#define LIFETIME_MS   (60 * 60 * 1000)
#define TAG_BYTES     32
#define VARIANT       sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* A place for a visit. */
struct place {
    struct apw_visit *visit; /* NULL: free */
    uint8_t tag[TAG_BYTES];  /* of the cookie */
    int64_t begin_ms;
    int64_t last_ms;
    bool is_entered;
};

struct apw_visits {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    uint8_t key[crypto_generichash_KEYBYTES];
    struct place place[VISITS_MAX];
};

int apw_visits_new(struct apw_visits **visits_r, struct apw_error *error)
{
    struct apw_visits *visits = calloc(1, sizeof *visits);

    *visits_r = NULL;
    if (visits == NULL || pthread_mutex_init(&visits->mutex, NULL) != 0 ||
        pthread_cond_init(&visits->left, NULL) != 0) {
        free(visits);
        return apw_error_set(error, "out of memory");
    }
    randombytes_buf(visits->key, sizeof visits->key);
    *visits_r = visits;
    return 0;
}

static void free_place(struct place *place)
{
    struct apw_visit *visit = place->visit;

    if (visit != NULL) {
        apw_secret_free(&visit->enrolment_code_value);
        free(visit->dn);
        sodium_memzero(visit, sizeof *visit);
        free(visit);
    }
    memset(place, 0, sizeof *place);
}

void apw_visits_free(struct apw_visits **visits)
{
    if (*visits == NULL)
        return;
    for (size_t i = 0; i < VISITS_MAX; i++)
        free_place(&(*visits)->place[i]);
    pthread_cond_destroy(&(*visits)->left);
    pthread_mutex_destroy(&(*visits)->mutex);
    sodium_memzero(*visits, sizeof **visits);
    free(*visits);
    *visits = NULL;
}

/* `purpose` keeps the tag by which a visit is found apart from the token of its forms. */
static void make_tag(const struct apw_visits *visits, const char *purpose, const char *cookie,
                     uint8_t tag_r[TAG_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, visits->key, sizeof visits->key, TAG_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)purpose, strlen(purpose) + 1);
    crypto_generichash_update(&state, (const uint8_t *)cookie, strlen(cookie));
    crypto_generichash_final(&state, tag_r, TAG_BYTES);
}

static bool is_over(const struct place *place, int64_t now_ms)
{
    return now_ms - place->last_ms > IDLE_MS || now_ms - place->begin_ms > LIFETIME_MS;
}

static struct place *find(struct apw_visits *visits, const uint8_t tag[TAG_BYTES])
{
    for (size_t i = 0; i < VISITS_MAX; i++)
        if (visits->place[i].visit != NULL &&
            sodium_memcmp(visits->place[i].tag, tag, TAG_BYTES) == 0)
            return &visits->place[i];
    return NULL;
}

static struct place *place_of(struct apw_visits *visits, const struct apw_visit *visit)
{
    size_t i = 0;

    while (visits->place[i].visit != visit) /* an entered visit stays where it is */
        i++;
    return &visits->place[i];
}

struct apw_visit *apw_visit_enter(struct apw_visits *visits, const char *cookie, int64_t now_ms)
{
    struct apw_visit *visit = NULL;
    uint8_t tag[TAG_BYTES];
    struct place *place;

    make_tag(visits, "visit", cookie, tag);
    pthread_mutex_lock(&visits->mutex);
    while ((place = find(visits, tag)) != NULL && place->is_entered)
        pthread_cond_wait(&visits->left, &visits->mutex);
    if (place != NULL && is_over(place, now_ms)) {
        free_place(place);
    } else if (place != NULL) {
        place->is_entered = true;
        place->last_ms = now_ms;
        visit = place->visit;
    }
    pthread_mutex_unlock(&visits->mutex);
    return visit;
}

void apw_visit_leave(struct apw_visits *visits, struct apw_visit *visit)
{
    pthread_mutex_lock(&visits->mutex);
    place_of(visits, visit)->is_entered = false;
    pthread_cond_broadcast(&visits->left);
    pthread_mutex_unlock(&visits->mutex);
}

void apw_visit_end(struct apw_visits *visits, struct apw_visit *visit)
{
    pthread_mutex_lock(&visits->mutex);
    free_place(place_of(visits, visit));
    pthread_cond_broadcast(&visits->left);
    pthread_mutex_unlock(&visits->mutex);
}

/* Frees the places of visits that are over, so that their secrets do not outlive them for long. */
static void clear_old(struct apw_visits *visits, int64_t now_ms)
{
    for (size_t i = 0; i < VISITS_MAX; i++) {
        struct place *place = &visits->place[i];

        if (place->visit != NULL && !place->is_entered && is_over(place, now_ms))
            free_place(place);
    }
}

/* Whether `place` makes room sooner than `other`, which may be NULL: free places first, then visits
 * with fewer rights, then those that were idle longer. */
static bool goes_first(const struct place *place, const struct place *other)
{
    if (other == NULL || place->visit == NULL || other->visit == NULL)
        return other == NULL || other->visit != NULL;
    if (place->visit->rights != other->visit->rights)
        return place->visit->rights < other->visit->rights;
    return place->last_ms < other->last_ms;
}

/* The place that makes room for a visit to `dn`: one of the same person's where they have as many
 * as one may have, so that nobody crowds out the others. */
static struct place *make_room(struct apw_visits *visits, const char *dn)
{
    struct place *room = NULL, *own = NULL;
    size_t own_count = 0;

    for (size_t i = 0; i < VISITS_MAX; i++) {
        struct place *place = &visits->place[i];
        bool is_own = place->visit != NULL && strcmp(place->visit->dn, dn) == 0;

        own_count += is_own;
        if (place->is_entered)
            continue;
        if (goes_first(place, room))
            room = place;
        if (is_own && goes_first(place, own))
            own = place;
    }
    if (own_count >= VISITS_OF_ONE && own != NULL)
        room = own;
    if (room != NULL)
        free_place(room);
    return room;
}

void apw_cookie_make(char cookie_r[APW_COOKIE_SIZE])
{
    uint8_t bytes[32];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(cookie_r, APW_COOKIE_SIZE, bytes, sizeof bytes, VARIANT);
    sodium_memzero(bytes, sizeof bytes);
}

struct apw_visit *apw_visit_begin(struct apw_visits *visits, const char *login, const char *dn,
                                  int64_t now_ms, char cookie_r[APW_COOKIE_SIZE])
{
    struct apw_visit *visit = calloc(1, sizeof *visit);
    char *copy = strdup(dn);
    struct place *place = NULL;

    if (visit != NULL && copy != NULL && strlen(login) < sizeof visit->login) {
        pthread_mutex_lock(&visits->mutex);
        clear_old(visits, now_ms);
        place = make_room(visits, dn);
        if (place != NULL) {
            visit->dn = copy;
            strcpy(visit->login, login);
            *place = (struct place){
                .visit = visit, .begin_ms = now_ms, .last_ms = now_ms, .is_entered = true};
            apw_cookie_make(cookie_r);
            make_tag(visits, "visit", cookie_r, place->tag);
        }
        pthread_mutex_unlock(&visits->mutex);
    }
    if (place != NULL)
        return visit;
    free(copy);
    free(visit);
    return NULL;
}

void apw_visit_renew(struct apw_visits *visits, struct apw_visit *visit,
                     char cookie_r[APW_COOKIE_SIZE])
{
    apw_cookie_make(cookie_r);
    pthread_mutex_lock(&visits->mutex);
    make_tag(visits, "visit", cookie_r, place_of(visits, visit)->tag);
    pthread_cond_broadcast(&visits->left); /* who waits with the old one waits in vain */
    pthread_mutex_unlock(&visits->mutex);
}

void apw_visit_forget_password(struct apw_visit *visit)
{
    sodium_memzero(&visit->password, sizeof visit->password);
    sodium_memzero(visit->profile_token, sizeof visit->profile_token);
    visit->has_password = false;
}

void apw_visits_token(const struct apw_visits *visits, const char *cookie,
                      char token_r[APW_COOKIE_SIZE])
{
    uint8_t tag[TAG_BYTES];

    make_tag(visits, "form", cookie, tag);
    sodium_bin2base64(token_r, APW_COOKIE_SIZE, tag, sizeof tag, VARIANT);
}

bool apw_visits_token_is_right(const struct apw_visits *visits, const char *cookie,
                               const char *token)
{
    char right[APW_COOKIE_SIZE];

    apw_visits_token(visits, cookie, right);
    return strlen(token) == sizeof right - 1 && sodium_memcmp(token, right, sizeof right - 1) == 0;
}
