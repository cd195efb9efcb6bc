/*
 * Checks of configured text; see checks.h.
 */
#include "checks.h"

#include "cron.h"
#include "pattern.h"

#include <curl/curl.h>
#include <libpq-fe.h>
#include <openssl/pem.h>

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Room for a check's own words; loading a configuration is one thread's work. */
static _Thread_local char words[256];

static bool consists_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

const char *check_nothing(const char *text)
{
    return *text == '\0' ? "is empty" : NULL;
}

static bool port_valid(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= 5 && consists_of(text, DIGITS) && atoi(text) <= 65535;
}

const char *check_listen(const char *text)
{
    static const char *const expected = "is no address to listen on, as \"127.0.0.1:8000\", \"[::]:8000\", "
                                        "\":8000\" or \"unix:/run/edge.sock\"";
    if (strncmp(text, "unix:/", 6) == 0)
        return strlen(text) - 5 <= 107 ? NULL : "is longer than the 107 bytes a Unix socket's path may have";

    const char *port = strrchr(text, ':');
    if (port == NULL || !port_valid(port + 1))
        return expected;

    char host[256];
    bool six = *text == '[';
    size_t length = (size_t)(port - text);
    if (length >= sizeof host || (six && port[-1] != ']'))
        return expected;
    snprintf(host, sizeof host, "%.*s", (int)(six ? length - 2 : length), text + six);
    bool valid = six ? inet_pton(AF_INET6, host, &(struct in6_addr){ 0 }) == 1
                     : consists_of(host, UPPER LOWER DIGITS "-.");
    return valid ? NULL : expected;
}

/* Whether one part of a parsed URL is present. */
static bool url_has(CURLU *url, CURLUPart part)
{
    char *value = NULL;
    bool present = curl_url_get(url, part, &value, 0) == CURLUE_OK;
    curl_free(value);
    return present;
}

static bool url_valid(const char *text, bool path_allowed)
{
    bool web = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
    CURLU *url = curl_url();
    bool valid = web && url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                 !url_has(url, CURLUPART_USER) && !url_has(url, CURLUPART_QUERY) &&
                 !url_has(url, CURLUPART_FRAGMENT);
    if (!path_allowed)
        valid = valid && strchr(strstr(text, "//") + 2, '/') == NULL;
    curl_url_cleanup(url);
    return valid;
}

const char *check_url(const char *text)
{
    return url_valid(text, true) ? NULL : "is no http or https URL (without user, query and fragment)";
}

const char *check_origin(const char *text)
{
    if (strcmp(text, "*") == 0 || url_valid(text, false))
        return NULL;
    return "is neither \"*\" nor an origin, as \"https://app.example.com\" without a path";
}

const char *check_database(const char *text)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(text, &message);
    if (options != NULL) {
        PQconninfoFree(options);
        return NULL;
    }
    /* libpq's own words may quote the text, and with it a password. */
    PQfreemem(message);
    return "is no connection URL, as \"postgresql://user@host:5432/database\"";
}

const char *check_network(const char *text)
{
    char address[64];
    size_t length = strcspn(text, "/");
    snprintf(address, sizeof address, "%.*s", (int)length, text);

    bool six = strchr(address, ':') != NULL;
    bool valid =
        length < sizeof address && inet_pton(six ? AF_INET6 : AF_INET, address, &(struct in6_addr){ 0 }) == 1;
    if (text[length] == '/') {
        const char *bits = text + length + 1;
        valid = valid && port_valid(bits) && atoi(bits) <= (six ? 128 : 32);
    }
    return valid ? NULL : "is no IP address or block, as \"10.0.0.0/8\" or \"fd00::/8\"";
}

const char *check_pem(const char *text)
{
    BIO *input = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = input == NULL ? NULL : PEM_read_bio_PUBKEY(input, NULL, NULL, NULL);
    bool valid = key != NULL && EVP_PKEY_is_a(key, "RSA") == 1;
    EVP_PKEY_free(key);
    BIO_free(input);
    return valid ? NULL : "is no RSA public key in PEM (-----BEGIN PUBLIC KEY-----)";
}

const char *check_variable(const char *text)
{
    bool valid = *text != '\0' && strchr(DIGITS, *text) == NULL && consists_of(text, UPPER DIGITS "_");
    return valid ? NULL : "is no name of an environment variable (A-Z, 0-9, _)";
}

const char *check_header(const char *text)
{
    bool valid = *text != '\0' && consists_of(text, LOWER DIGITS "-");
    return valid ? NULL : "is no header name in lower case, as \"x-api-key\"";
}

const char *check_host(const char *text)
{
    bool valid = *text != '\0' && *text != '.' && consists_of(text, LOWER DIGITS "-.");
    return valid ? NULL : "is no host name in lower case, as \"example.com\"";
}

const char *check_plugin(const char *text)
{
    bool valid = *text != '\0' && *text != '.' && consists_of(text, UPPER LOWER DIGITS "_-.");
    return valid ? NULL : "is no plugin's file name without \".so\" and without a directory";
}

const char *check_timezone(const char *text)
{
    if (strcmp(text, "UTC") == 0)
        return NULL;
    struct stat status;
    snprintf(words, sizeof words, "/usr/share/zoneinfo/%s", text);
    bool valid = *text != '\0' && *text != '/' && strstr(text, "..") == NULL &&
                 strlen(text) < sizeof words - sizeof "/usr/share/zoneinfo/" && stat(words, &status) == 0 &&
                 S_ISREG(status.st_mode);
    return valid ? NULL : "is no time zone of this system, as \"UTC\" or \"America/New_York\" (package tzdata)";
}

const char *check_schedule(const char *text)
{
    struct cron cron;
    return cron_parse(text, &cron, words, sizeof words) ? NULL : words;
}

const char *check_route(const char *text)
{
    return pattern_check(text);
}
