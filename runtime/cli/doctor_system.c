/*
 * edge doctor: what the system has to offer.
 */
#include "cli/doctor.h"

#include "cli/plugin_look.h"
#include "config/config.h"
#include "plugin/plugin.h"
#include "supervisor/command.h"
#include "supervisor/listen.h"
#include "supervisor/store.h"

#include <curl/curl.h>
#include <libpq-fe.h>
#include <libwebsockets.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <zlib.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    DESCRIPTORS_LOW = 1024,
    VERSION_BYTES = 128
};

void doctor_libraries(struct doctor *doctor)
{
    int pq = PQlibVersion();
    doctor_say(doctor, FINDING_OK, "edge", NULL, "%s, ABI %d.%d", EDGE_VERSION, EDGE_ABI_MAJOR, EDGE_ABI_MINOR);
    doctor_say(doctor, FINDING_OK, "libraries", NULL, "curl %s, libpq %d.%d, %s, jansson %s",
        curl_version_info(CURLVERSION_NOW)->version, pq / 10000, pq % 10000, OpenSSL_version(OPENSSL_VERSION),
        jansson_version_str());
    doctor_say(doctor, FINDING_OK, "libraries", NULL, "libwebsockets %.*s, nghttp2 %s, zlib %s",
        (int)strcspn(lws_get_library_version(), "-"), lws_get_library_version(),
        nghttp2_version(0)->version_str, zlibVersion());
}

/* The first line that a program prints for --version; false when there is no such program. */
static bool program_version(const char *program, char version[VERSION_BYTES])
{
    char command[256];
    snprintf(command, sizeof command, "%s --version 2>/dev/null", program);
    FILE *output = popen(command, "re");
    *version = '\0';
    bool found = output != NULL && fgets(version, VERSION_BYTES, output) != NULL;
    version[strcspn(version, "\n")] = '\0';
    return output != NULL && pclose(output) == 0 && found;
}

void doctor_programs(struct doctor *doctor)
{
    static const struct {
        const char *program, *fix;
        bool needed;
    } programs[] = {
        { "cc", "To build functions: apt-get install build-essential", false },
        { "cmake", "To build functions: apt-get install cmake ninja-build", false },
        { "addr2line", "Backtraces of crashes have no source lines: apt-get install binutils", false },
        { "node", "edge test runs tests with it, of version 18 at least: apt-get install nodejs", false },
    };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        char version[VERSION_BYTES];
        if (program_version(programs[i].program, version))
            doctor_say(doctor, FINDING_OK, programs[i].program, NULL, "%s", version);
        else
            doctor_say(doctor, FINDING_WARNING, programs[i].program, programs[i].fix, "is not installed");
    }
}

void doctor_limits(struct doctor *doctor, const struct config *config)
{
    struct rlimit files, locked;
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_MEMLOCK, &locked);
    /* A worker's connections, its database, and what it calls. */
    rlim_t wanted = (rlim_t)config->server.max_connections + DESCRIPTORS_LOW;
    if (files.rlim_max >= wanted)
        doctor_say(doctor, FINDING_OK, "nofile", NULL, "%llu descriptors a process",
            (unsigned long long)files.rlim_max);
    else
        doctor_say(doctor, FINDING_WARNING, "nofile",
            "Raise the hard limit: ulimit -Hn, or LimitNOFILE= of systemd",
            "%llu descriptors a process; [server] max_connections = %d needs %llu",
            (unsigned long long)files.rlim_max, config->server.max_connections, (unsigned long long)wanted);
    if (locked.rlim_max >= 65536)
        doctor_say(doctor, FINDING_OK, "memlock", NULL, "keys can be locked in memory");
    else
        doctor_say(doctor, FINDING_WARNING, "memlock",
            "Raise the limit: ulimit -l, or LimitMEMLOCK=64K of systemd", "%llu bytes; keys may be swapped out",
            (unsigned long long)locked.rlim_max);
}

/* Made as the host would make it, and removed again. */
void doctor_directories(struct doctor *doctor, const struct config *config)
{
    struct store store = { 0 };
    struct store_error error = { 0 };
    if (store_open(&store, config->server.spool, config->server.plugins, &error) == 0) {
        doctor_say(
            doctor, FINDING_OK, "directory", NULL, "plugins are copied to, and run from, %s", store.directory);
        store_close(&store);
    } else {
        doctor_say(doctor, FINDING_FAILURE, "directory",
            "EDGE_STATE_DIR names a directory on a file system that is not mounted noexec", "%s", error.text);
    }
    if (access(config->server.spool, W_OK) != 0)
        doctor_say(doctor, FINDING_FAILURE, "spool", "Make it writable, or name another: [server] spool",
            "%s: %s", config->server.spool, strerror(errno));
}

void doctor_plugins(struct doctor *doctor, const struct config *config)
{
    char reason[1024] = "", first[1024] = "";
    int missing = 0, enabled = 0;
    for (size_t i = 0; i < config->function_count; i++) {
        if (!config->functions[i].enabled)
            continue;
        enabled++;
        struct plugin *plugin = plugin_look(config, &config->functions[i], reason, sizeof reason);
        if (plugin != NULL)
            plugin_release(plugin);
        else if (missing++ == 0)
            snprintf(first, sizeof first, "%s", reason);
    }
    if (missing == 0)
        doctor_say(doctor, FINDING_OK, "plugins", NULL, "%d in %s", enabled, config->server.plugins);
    else
        doctor_say(doctor, FINDING_FAILURE, "plugins", "Build them: scripts/build, or cmake --build build",
            "%d of %d cannot be loaded; %s", missing, enabled, first);
}

/* A host of this configuration may have the address; otherwise it has to be free. */
void doctor_address(struct doctor *doctor, const struct config *config)
{
    char problem[512];
    json_t *command = json_pack("{s:s}", "command", "status");
    json_t *status = command_send(config->path, command, problem, sizeof problem);
    struct listener listener = { .fd = -1 };
    struct listen_error error;
    if (status != NULL) {
        doctor_say(doctor, FINDING_OK, "address", NULL, "the host runs at %s (process %lld)",
            json_string_value(json_object_get(status, "address")),
            (long long)json_integer_value(json_object_get(status, "pid")));
    } else if (listen_open(config->server.listen, &listener, &error) == 0) {
        doctor_say(doctor, FINDING_OK, "address", NULL, "%s is free", config->server.listen);
        listen_close(&listener);
    } else {
        doctor_say(doctor, FINDING_FAILURE, "address", "Choose another: [server] listen, or --listen", "%s",
            error.text);
    }
    json_decref(command);
    json_decref(status);
}

static size_t ignore(char *bytes, size_t one, size_t length, void *arg)
{
    (void)bytes, (void)one, (void)arg;
    return length;
}

/* Whether the issuer's keys can be had. */
static void keys_check(struct doctor *doctor, const char *url)
{
    long status = 0;
    CURL *call = curl_easy_init();
    if (call == NULL)
        abort();
    curl_easy_setopt(call, CURLOPT_URL, url);
    curl_easy_setopt(call, CURLOPT_TIMEOUT, 5L);
    curl_easy_setopt(call, CURLOPT_WRITEFUNCTION, ignore);
    CURLcode code = curl_easy_perform(call);
    curl_easy_getinfo(call, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(call);
    if (code == CURLE_OK && status == 200)
        doctor_say(doctor, FINDING_OK, "auth", NULL, "keys come from %s", url);
    else
        doctor_say(doctor, FINDING_FAILURE, "auth", "Check CLERK_JWKS_URL, and the way out of this machine",
            "%s: %s", url, code != CURLE_OK ? curl_easy_strerror(code) : "does not answer with 200");
}

void doctor_auth(struct doctor *doctor, const struct config *config)
{
    const struct auth_config *auth = &config->auth;
    if (auth->development_key != NULL)
        doctor_say(doctor, FINDING_OK, "auth", NULL, "development issuer (edge token)");
    else if (auth->issuer == NULL)
        doctor_say(doctor, FINDING_WARNING, "auth",
            "Set CLERK_ISSUER and CLERK_JWKS_URL; `edge dev` needs neither",
            "no issuer is configured: nobody can sign in");
    else if (auth->jwt_key != NULL)
        doctor_say(doctor, FINDING_OK, "auth", NULL, "%s, by the key of the configuration", auth->issuer);
    else if (auth->jwks_url != NULL)
        keys_check(doctor, auth->jwks_url);
    else
        doctor_say(doctor, FINDING_FAILURE, "auth", "Set CLERK_JWKS_URL, or CLERK_JWT_KEY",
            "%s has neither a URL of its keys nor a key", auth->issuer);
}
