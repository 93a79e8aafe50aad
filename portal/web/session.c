/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/session.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_MAX    1000
#define SESSIONS_OF_ONE 20
#define WAITERS_MAX     7 /* each is a thread */
#define LIFETIME_MS     (60 * 60 * 1000)
#define TAG_BYTES       32
#define VARIANT         sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct place {
    struct apw_web_session *session; /* NULL: free */
    uint8_t tag[TAG_BYTES];          /* of the cookie; stays until the place is used again */
    enum apw_web_absence why;        /* the session ended */
    uint8_t network[TAG_BYTES];
    bool is_own; /* while room is made: it counts as one of the asker's own */
    int64_t begin_ms;
    int64_t last_ms;
    bool is_entered;
    unsigned waiters; /* for it to be left */
};

struct apw_web_sessions {
    const struct apw_web_session_content *content;
    pthread_mutex_t mutex;
    pthread_cond_t left;
    uint8_t key[crypto_generichash_KEYBYTES];
    struct place place[SESSIONS_MAX];
};

int apw_web_sessions_new(const struct apw_web_session_content *content,
                         struct apw_web_sessions **sessions_r, struct apw_error *error)
{
    struct apw_web_sessions *sessions = calloc(1, sizeof *sessions);

    *sessions_r = NULL;
    if (sessions == NULL || pthread_mutex_init(&sessions->mutex, NULL) != 0 ||
        pthread_cond_init(&sessions->left, NULL) != 0) {
        free(sessions);
        return apw_error_set(error, "out of memory");
    }
    sessions->content = content;
    randombytes_buf(sessions->key, sizeof sessions->key);
    *sessions_r = sessions;
    return 0;
}

/* Takes NULL, and a session that lacks memory for its parts. */
static void free_session(const struct apw_web_session_content *content,
                         struct apw_web_session *session)
{
    if (session == NULL)
        return;
    if (session->content != NULL) {
        content->clear(session->content);
        sodium_memzero(session->content, content->size);
    }
    free(session->content);
    free(session->owner);
    sodium_memzero(session, sizeof *session);
    free(session);
}

static struct apw_web_session *make_session(const struct apw_web_session_content *content,
                                            const char *owner)
{
    struct apw_web_session *session = calloc(1, sizeof *session);

    if (session == NULL)
        return NULL;
    session->idle_s = APW_WEB_SESSION_IDLE_S;
    session->owner = strdup(owner);
    session->content = calloc(1, content->size);
    if (session->owner != NULL && session->content != NULL)
        return session;
    free_session(content, session);
    return NULL;
}

static void free_place(const struct apw_web_sessions *sessions, struct place *place)
{
    free_session(sessions->content, place->session);
    memset(place, 0, sizeof *place);
}

/* As above, but the next request with that cookie is told why. */
static void expire(const struct apw_web_sessions *sessions, struct place *place,
                   enum apw_web_absence why, int64_t now_ms)
{
    struct place expired = {.why = why, .last_ms = now_ms};

    memcpy(expired.tag, place->tag, sizeof expired.tag);
    free_place(sessions, place);
    *place = expired;
}

void apw_web_sessions_free(struct apw_web_sessions **sessions)
{
    if (*sessions == NULL)
        return;
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        free_place(*sessions, &(*sessions)->place[i]);
    pthread_cond_destroy(&(*sessions)->left);
    pthread_mutex_destroy(&(*sessions)->mutex);
    sodium_memzero(*sessions, sizeof **sessions);
    free(*sessions);
    *sessions = NULL;
}

/* `purpose` keeps the tag of a session apart from the token of its forms. */
static void make_tag(const struct apw_web_sessions *sessions, const char *purpose,
                     const char *cookie, uint8_t tag_r[TAG_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, sessions->key, sizeof sessions->key, TAG_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)purpose, strlen(purpose) + 1);
    crypto_generichash_update(&state, (const uint8_t *)cookie, strlen(cookie));
    crypto_generichash_final(&state, tag_r, TAG_BYTES);
}

static int64_t idle_ms(const struct place *place)
{
    return place->session->idle_s * INT64_C(1000);
}

/* Why it is over; UNKNOWN if it is not. */
static enum apw_web_absence judge(const struct place *place, int64_t now_ms)
{
    if (now_ms - place->begin_ms > LIFETIME_MS)
        return APW_WEB_ABSENCE_OLD;
    return now_ms - place->last_ms > idle_ms(place) ? APW_WEB_ABSENCE_IDLE
                                                    : APW_WEB_ABSENCE_UNKNOWN;
}

static bool has_tag(const struct place *place, const uint8_t tag[TAG_BYTES])
{
    return sodium_memcmp(place->tag, tag, TAG_BYTES) == 0;
}

static struct place *find(struct apw_web_sessions *sessions, const uint8_t tag[TAG_BYTES])
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (sessions->place[i].session != NULL && has_tag(&sessions->place[i], tag))
            return &sessions->place[i];
    return NULL;
}

static enum apw_web_absence why_ended(const struct apw_web_sessions *sessions,
                                      const uint8_t tag[TAG_BYTES])
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (sessions->place[i].session == NULL && has_tag(&sessions->place[i], tag))
            return sessions->place[i].why;
    return APW_WEB_ABSENCE_UNKNOWN;
}

static struct place *place_of(struct apw_web_sessions *sessions,
                              const struct apw_web_session *session)
{
    size_t i = 0;

    while (sessions->place[i].session != session) /* an entered session keeps its place */
        i++;
    return &sessions->place[i];
}

/* NULL if the session has ended; still entered if too many wait for it. */
static struct place *wait_for(struct apw_web_sessions *sessions, const uint8_t tag[TAG_BYTES])
{
    struct place *place;

    while ((place = find(sessions, tag)) != NULL && place->is_entered &&
           place->waiters < WAITERS_MAX) {
        struct apw_web_session *session = place->session;

        place->waiters++;
        pthread_cond_wait(&sessions->left, &sessions->mutex);
        if (place->session == session && place->waiters > 0) /* not another in its place */
            place->waiters--;
    }
    return place;
}

struct apw_web_session *apw_web_session_enter(struct apw_web_sessions *sessions, const char *cookie,
                                              int64_t now_ms, enum apw_web_absence *why_r)
{
    struct apw_web_session *session = NULL;
    enum apw_web_absence why = APW_WEB_ABSENCE_UNKNOWN;
    uint8_t tag[TAG_BYTES];
    struct place *place;

    make_tag(sessions, "session", cookie, tag);
    pthread_mutex_lock(&sessions->mutex);
    place = wait_for(sessions, tag);
    if (place == NULL) {
        why = why_ended(sessions, tag);
    } else if (place->is_entered) {
        why = APW_WEB_ABSENCE_BUSY;
    } else if ((why = judge(place, now_ms)) != APW_WEB_ABSENCE_UNKNOWN) {
        expire(sessions, place, why, now_ms);
    } else {
        place->is_entered = true;
        place->last_ms = now_ms;
        session = place->session;
    }
    pthread_mutex_unlock(&sessions->mutex);
    if (why_r != NULL)
        *why_r = why;
    return session;
}

unsigned apw_web_session_left_s(struct apw_web_sessions *sessions,
                                const struct apw_web_session *session, int64_t now_ms,
                                bool *is_last_r)
{
    const struct place *place;
    int64_t idle, life;

    pthread_mutex_lock(&sessions->mutex);
    place = place_of(sessions, session);
    idle = place->last_ms + idle_ms(place) - now_ms;
    life = place->begin_ms + LIFETIME_MS - now_ms;
    pthread_mutex_unlock(&sessions->mutex);
    *is_last_r = life <= idle;
    if (life < idle)
        idle = life;
    return idle > 0 ? (unsigned)(idle / 1000) : 0;
}

void apw_web_session_leave(struct apw_web_sessions *sessions, struct apw_web_session *session)
{
    pthread_mutex_lock(&sessions->mutex);
    place_of(sessions, session)->is_entered = false;
    pthread_cond_broadcast(&sessions->left);
    pthread_mutex_unlock(&sessions->mutex);
}

void apw_web_session_end(struct apw_web_sessions *sessions, struct apw_web_session *session)
{
    pthread_mutex_lock(&sessions->mutex);
    free_place(sessions, place_of(sessions, session));
    pthread_cond_broadcast(&sessions->left);
    pthread_mutex_unlock(&sessions->mutex);
}

/* Frees the places of ended sessions, so that their secrets are soon wiped. */
static void clear_old(struct apw_web_sessions *sessions, int64_t now_ms)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct place *place = &sessions->place[i];
        enum apw_web_absence why = APW_WEB_ABSENCE_UNKNOWN;

        if (place->session != NULL && !place->is_entered)
            why = judge(place, now_ms);
        if (why != APW_WEB_ABSENCE_UNKNOWN)
            expire(sessions, place, why, now_ms);
    }
}

/* Whether `place` makes room sooner than `other`, which may be NULL: free places first, then
 * unknown browsers, then sessions with fewer rights, then those that were idle longer, or ended
 * longer ago. */
static bool goes_first(const struct place *place, const struct place *other)
{
    if (other == NULL)
        return true;
    if (place->session == NULL && other->session == NULL)
        return place->last_ms < other->last_ms;
    if (place->session == NULL || other->session == NULL)
        return place->session == NULL;
    if (place->session->is_known != other->session->is_known)
        return other->session->is_known;
    if (place->session->level != other->session->level)
        return place->session->level < other->session->level;
    return place->last_ms < other->last_ms;
}

/* Marks the asker's own sessions of the same kind; returns how many there are. */
static size_t mark_own(struct apw_web_sessions *sessions, const struct apw_web_session_asker *asker)
{
    size_t count = 0;

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct place *place = &sessions->place[i];

        place->is_own = place->session != NULL && place->session->is_known == asker->is_known &&
                        strcmp(place->session->owner, asker->owner) == 0;
        count += place->is_own;
    }
    return count;
}

static size_t count_own_of_network(const struct apw_web_sessions *sessions,
                                   const uint8_t network[TAG_BYTES])
{
    size_t count = 0;

    for (size_t i = 0; i < SESSIONS_MAX; i++)
        count += sessions->place[i].is_own &&
                 memcmp(sessions->place[i].network, network, TAG_BYTES) == 0;
    return count;
}

/* One of the owner's own, from the network that has most of them. NULL if all of these are entered:
 * no other network loses one for that. */
static struct place *find_own(struct apw_web_sessions *sessions)
{
    struct place *found = NULL;
    size_t most = 0;

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct place *place = &sessions->place[i];
        size_t count = place->is_own ? count_own_of_network(sessions, place->network) : 0;

        if (count > most) {
            most = count;
            found = NULL;
        }
        if (count > 0 && count == most && !place->is_entered && goes_first(place, found))
            found = place;
    }
    return found;
}

static struct place *find_any(struct apw_web_sessions *sessions, bool is_known)
{
    struct place *found = NULL;

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct place *place = &sessions->place[i];
        bool may_end = place->session == NULL || is_known || !place->session->is_known;

        if (!place->is_entered && may_end && goes_first(place, found))
            found = place;
    }
    return found;
}

/* Owners with too many sessions lose one of their own, so nobody can crowd out the others. */
static struct place *make_room(struct apw_web_sessions *sessions,
                               const struct apw_web_session_asker *asker, int64_t now_ms,
                               bool *is_crowding_r)
{
    struct place *own = NULL, *room;

    if (mark_own(sessions, asker) >= SESSIONS_OF_ONE)
        own = find_own(sessions);
    *is_crowding_r = own != NULL && !asker->is_known;
    if (own != NULL)
        expire(sessions, own, APW_WEB_ABSENCE_CROWDED, now_ms);
    room = find_any(sessions, asker->is_known);
    if (room != NULL)
        free_place(sessions, room);
    return room;
}

void apw_web_session_make_cookie(char cookie_r[APW_COOKIE_SIZE])
{
    uint8_t bytes[32];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(cookie_r, APW_COOKIE_SIZE, bytes, sizeof bytes, VARIANT);
    sodium_memzero(bytes, sizeof bytes);
}

struct apw_web_session *apw_web_session_begin(struct apw_web_sessions *sessions,
                                              const struct apw_web_session_asker *asker,
                                              int64_t now_ms, char cookie_r[APW_COOKIE_SIZE])
{
    struct apw_web_session *session = make_session(sessions->content, asker->owner);
    struct place *place;

    if (session == NULL)
        return NULL;
    session->is_known = asker->is_known;
    pthread_mutex_lock(&sessions->mutex);
    clear_old(sessions, now_ms);
    place = make_room(sessions, asker, now_ms, &session->is_crowding);
    if (place != NULL) {
        *place = (struct place){
            .session = session, .begin_ms = now_ms, .last_ms = now_ms, .is_entered = true};
        apw_web_session_make_cookie(cookie_r);
        make_tag(sessions, "session", cookie_r, place->tag);
        make_tag(sessions, "network", asker->network, place->network);
    }
    pthread_mutex_unlock(&sessions->mutex);
    if (place != NULL)
        return session;
    free_session(sessions->content, session);
    return NULL;
}

void apw_web_session_renew(struct apw_web_sessions *sessions, struct apw_web_session *session,
                           char cookie_r[APW_COOKIE_SIZE])
{
    apw_web_session_make_cookie(cookie_r);
    pthread_mutex_lock(&sessions->mutex);
    make_tag(sessions, "session", cookie_r, place_of(sessions, session)->tag);
    pthread_cond_broadcast(&sessions->left); /* threads that wait with the old cookie give up */
    pthread_mutex_unlock(&sessions->mutex);
}

void apw_web_sessions_token(const struct apw_web_sessions *sessions, const char *cookie,
                            char token_r[APW_COOKIE_SIZE])
{
    uint8_t tag[TAG_BYTES];

    make_tag(sessions, "form", cookie, tag);
    sodium_bin2base64(token_r, APW_COOKIE_SIZE, tag, sizeof tag, VARIANT);
}

bool apw_web_sessions_token_is_right(const struct apw_web_sessions *sessions, const char *cookie,
                                     const char *token)
{
    char right[APW_COOKIE_SIZE];

    apw_web_sessions_token(sessions, cookie, right);
    return strlen(token) == sizeof right - 1 && sodium_memcmp(token, right, sizeof right - 1) == 0;
}
