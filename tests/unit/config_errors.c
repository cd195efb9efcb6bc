/*
 * What is said about a faulty functions.toml: file, line, key, what was found, what is allowed, what was meant.
 * Each case is a document and the whole message.
 */
#include "config/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fault {
    const char *document, *message;
};

static void check(const struct fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config *config = NULL;
        struct config_error error;
        int result = config_parse("f.toml", faults[i].document, strlen(faults[i].document), &config, &error);
        assert_null(config);
        assert_int_equal(result, -22);
        assert_string_equal(error.text, faults[i].message);
    }
}
#define CHECK(faults) check(faults, sizeof(faults) / sizeof *(faults))

static void syntax(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "[server\n", "f.toml:1:8: Error while parsing table header: expected ']', saw '\\n'" },
    };
    CHECK(faults);
}

static void unknown_keys(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "[sever]\n", "f.toml:1: sever: is no known section; did you mean \"server\"" },
        { "\n\nname = 1\n",
            "f.toml:3: name: is no known section; there are \"server\", \"database\", \"auth\", \"providers\", "
            "\"defaults\", \"functions\"" },
        { "[functions.a]\ntimout = \"5s\"\n",
            "f.toml:2: functions.a.timout: is no known key; did you mean \"timeout\"" },
        { "[functions.a]\ntiemout = \"5s\"\n",
            "f.toml:2: functions.a.tiemout: is no known key; did you mean \"timeout\"" },
        { "[functions.a]\nrate-limit = \"5/s\"\n",
            "f.toml:2: functions.a.rate-limit: is no known key; did you mean \"rate_limit\"" },
        { "[defaults]\nroute = \"/a\"\n", "f.toml:2: defaults.route: is no known key; there are \"auth\", "
                                          "\"timeout\", \"memory\", \"max_body\", "
                                          "\"rate_limit\", \"timezone\", \"env\", \"on_disconnect\"" },
        { "[server]\n\"max body\" = 1\n",
            "f.toml:2: server.\"max body\": is no known key; did you mean \"max_body\"" },
        { "server = 5\n", "f.toml:1: server: is not a table; write [server]" },
        { "functions = []\n", "f.toml:1: functions: is not a table; write [functions.<name>]" },
        { "[functions]\na = 1\n", "f.toml:2: functions.a: is not a table; write [functions.a]" },
        { "[[providers]]\n", "f.toml:1: providers: is not a table; write [providers.<name>]" },
    };
    CHECK(faults);
}

static void wrong_types(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "[functions.a]\ntimeout = 10\n", "f.toml:2: functions.a.timeout: the number 10 is not a duration "
                                           "from 1ms to 1d (units ms, s, min, h, d)" },
        { "[functions.a]\ntimeout = \"10\"\n",
            "f.toml:2: functions.a.timeout: \"10\" is not a duration from 1ms to 1d (units ms, s, min, h, d)" },
        { "[functions.a]\nmemory = \"32MB\"\n", "f.toml:2: functions.a.memory: \"32MB\" is not a size from "
                                                "64KiB to 16GiB (units B, KiB, MiB, GiB)" },
        { "[server]\nworkers = \"2\"\n",
            "f.toml:2: server.workers: \"2\" is not a whole number from 0 to 512" },
        { "[server]\nworkers = 2.5\n",
            "f.toml:2: server.workers: the number 2.5 is not a whole number from 0 to 512" },
        { "[server]\nworkers = 513\n",
            "f.toml:2: server.workers: the number 513 is not a whole number from 0 to 512" },
        { "[server]\nworkers = -1\n",
            "f.toml:2: server.workers: the number -1 is not a whole number from 0 to 512" },
        { "[database]\npgbouncer = 1\n", "f.toml:2: database.pgbouncer: the number 1 is not true or false" },
        { "[database]\npgbouncer = \"true\"\n", "f.toml:2: database.pgbouncer: \"true\" is not true or false" },
        { "[server]\nlisten = true\n", "f.toml:2: server.listen: true is not text" },
        { "[server]\nlisten = 2026-03-09\n", "f.toml:2: server.listen: a date or time is not text" },
        { "[server]\nplugins = {}\n", "f.toml:2: server.plugins: a table is not text" },
        { "[server]\nspool = []\n", "f.toml:2: server.spool: an array is not text" },
        { "[functions.a]\nenv = 5\n", "f.toml:2: functions.a.env: the number 5 is not an array of strings" },
        { "[functions.a]\nenv = [\n  \"A\",\n  5,\n]\n",
            "f.toml:4: functions.a.env[1]: the number 5 is not text" },
        { "[functions.a]\nplugin = \"a\\u0000b\"\n",
            "f.toml:2: functions.a.plugin: \"a\" contains a NUL character" },
    };
    CHECK(faults);
}

#define AUTH_MODES                                                                                             \
    "\"public\", \"user\", \"optional\", \"admin\", \"service\", \"user_or_service\", \"webhook:svix\", "      \
    "\"webhook:elevenlabs\", \"webhook:shopify\", \"webhook:gohighlevel\""

static void wrong_values(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "[functions.a]\nauth = \"usr\"\n",
            "f.toml:2: functions.a.auth: \"usr\" is not one of " AUTH_MODES "; did you mean \"user\"" },
        { "[functions.a]\nauth = \"webhook:stripe\"\n",
            "f.toml:2: functions.a.auth: \"webhook:stripe\" is not one of " AUTH_MODES
            "; did you mean \"webhook:svix\"" },
        { "[functions.a]\non_disconnect = \"cancle\"\n", "f.toml:2: functions.a.on_disconnect: \"cancle\" is "
                                                         "not one of \"cancel\", \"finish\"; did you mean "
                                                         "\"cancel\"" },
        { "[server]\nlog_level = \"loud\"\n",
            "f.toml:2: server.log_level: \"loud\" is not one of \"debug\", \"info\", \"warn\", \"error\"" },
        { "[functions.a]\ntimeout = \"90d\"\n", "f.toml:2: functions.a.timeout: \"90d\" is not a duration from "
                                                "1ms to 1d (units ms, s, min, h, d)" },
        { "[functions.a]\nrate_limit = \"60 per minute\"\n",
            "f.toml:2: functions.a.rate_limit: \"60 per minute\" is not a rate, as \"60/min\", \"60/min per "
            "user\", "
            "\"5/s per ip\" or \"none\" (windows s, min, h, day)" },
        { "[functions.a]\nschedule = \"0 25 * * *\"\n", "f.toml:2: functions.a.schedule: \"0 25 * * *\" has "
                                                        "\"25\" as its hour, which takes 0 to 23, ranges a-b, "
                                                        "steps /n and lists" },
        { "[functions.a]\ntimezone = \"Mars/Olympus\"\n",
            "f.toml:2: functions.a.timezone: \"Mars/Olympus\" is no time zone of this system, as \"UTC\" or "
            "\"America/New_York\" (package tzdata)" },
        { "[functions.a]\nenv = [\"path\"]\n",
            "f.toml:2: functions.a.env[0]: \"path\" is no name of an environment variable (A-Z, 0-9, _)" },
        { "[functions.a]\nplugin = \"../a\"\n",
            "f.toml:2: functions.a.plugin: \"../a\" is no plugin's file name without \".so\" and without a "
            "directory" },
        { "[functions.\"a b\"]\n",
            "f.toml:1: functions.\"a b\": is no function's name (A-Z, a-z, 0-9, _ and -, at most 64)" },
        { "[server]\nlisten = \"8000\"\n", "f.toml:2: server.listen: \"8000\" is no address to listen on, as "
                                           "\"127.0.0.1:8000\", \"[::]:8000\", "
                                           "\":8000\" or \"unix:/run/edge.sock\"" },
        { "[server]\ntrusted_proxies = [\"10.0.0.0/33\"]\n",
            "f.toml:2: server.trusted_proxies[0]: \"10.0.0.0/33\" is no IP address or block, as \"10.0.0.0/8\" "
            "or "
            "\"fd00::/8\"" },
        { "[server]\ncors_origins = [\"https://app.example.com/\"]\n",
            "f.toml:2: server.cors_origins[0]: \"https://app.example.com/\" is neither \"*\" nor an origin, as "
            "\"https://app.example.com\" without a path" },
        { "[auth]\njwks_url = \"app.example.com\"\n",
            "f.toml:2: auth.jwks_url: \"app.example.com\" is no http or https URL (without user, query and "
            "fragment)" },
        { "[providers.openai]\nkey_header = \"X-Key\"\n", "f.toml:2: providers.openai.key_header: \"X-Key\" is "
                                                          "no header name in lower case, as \"x-api-key\"" },
    };
    CHECK(faults);
}

static void contradictions(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "[server]\ntls_key = \"key.pem\"\n",
            "f.toml:2: server.tls_key: needs the other one of tls_cert and tls_key" },
        { "[functions.a]\nauth = \"webhook:svix\"\n", "f.toml:1: functions.a: has auth \"webhook:svix\" but no "
                                                      "webhook_secret, the name of the variable that "
                                                      "holds the secret" },
        { "[functions.a]\nwebhook_secret = \"SECRET\"\n",
            "f.toml:2: functions.a.webhook_secret: belongs to auth \"webhook:<scheme>\" only" },
        { "[functions.a]\nwebhook_secret_fallback = \"SECRET\"\n",
            "f.toml:2: functions.a.webhook_secret_fallback: belongs to a webhook_secret only" },
        { "[server]\nmax_body = \"1MiB\"\n[functions.a]\nmax_body = \"2MiB\"\n",
            "f.toml:4: functions.a.max_body: is larger than [server] max_body, which is 1048576 bytes" },
        { "[providers.opnai]\ntimeout = \"5s\"\n", "f.toml:1: providers.opnai: is no provider that the runtime "
                                                   "knows, so it needs a base_url; did you mean "
                                                   "\"openai\"" },
        { "[providers.Acme]\nbase_url = \"https://acme.example\"\n",
            "f.toml:1: providers.Acme: is no provider's name (a-z, 0-9, _, at most 64)" },
    };
    CHECK(faults);
}

static void routes(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "[functions.a]\nroute = \"a\"\n", "f.toml:2: functions.a.route: \"a\" does not begin with \"/\"" },
        { "[functions.a]\nroute = \"/x\"\n[functions.b]\nroute = \"/x\"\n",
            "f.toml:4: functions.b.route: \"/x\" of function \"b\" takes the same paths as \"/x\" of \"a\" "
            "(line 1)" },
        { "[functions.b]\n[functions.a]\nroute = \"/functions/v1/b\"\n",
            "f.toml:3: functions.a.route: \"/functions/v1/b\" of function \"a\" takes the same paths as "
            "\"/functions/v1/b\" of \"b\" (line 1)" },
        { "[functions.a]\nroute = \"/x/{id}/c\"\n[functions.b]\nroute = \"/x/b/{id}\"\n",
            "f.toml:4: functions.b.route: \"/x/b/{id}\" of function \"b\" and \"/x/{id}/c\" of \"a\" (line 1) "
            "are "
            "ambiguous: paths match both, and neither pattern is the more specific one" },
    };
    CHECK(faults);
}

static void variables(void **state)
{
    (void)state;
    unsetenv("EDGE_TEST_UNSET");
    setenv("EDGE_TEST_EMPTY", "", 1);
    setenv("EDGE_TEST_SECRET", "hunter2 is no URL = at all", 1);
    static const struct fault faults[] = {
        { "[server]\nlisten = \"${EDGE_TEST_UNSET}\"\n",
            "f.toml:2: server.listen: environment variable \"EDGE_TEST_UNSET\" is not set; set it, or write "
            "${EDGE_TEST_UNSET:-default}" },
        { "[server]\nlisten = \"${EDGE_TEST_EMPTY}\"\n",
            "f.toml:2: server.listen: environment variable \"EDGE_TEST_EMPTY\" is not set; set it, or write "
            "${EDGE_TEST_EMPTY:-default}" },
        { "[server]\nworkers = \"${EDGE_TEST_UNSET:-many}\"\n",
            "f.toml:2: server.workers: \"many\" is not a whole number from 0 to 512" },
        { "[server]\nlisten = \"$PORT\"\n", "f.toml:2: server.listen: \"$PORT\" has a \"$\" that begins no "
                                            "${NAME} or ${NAME:-default}; write $$ for a "
                                            "literal one" },
        { "[server]\nlisten = \"${PORT\"\n", "f.toml:2: server.listen: \"${PORT\" has a \"$\" that begins no "
                                             "${NAME} or ${NAME:-default}; write $$ for "
                                             "a literal one" },
        /* What is secret is not shown, not even when it is wrong. */
        { "[database]\nurl = \"${EDGE_TEST_SECRET}\"\n", "f.toml:2: database.url: its value is no connection "
                                                         "URL, as \"postgresql://user@host:5432/database\"" },
        { "[auth]\njwt_key = \"sekret\"\n",
            "f.toml:2: auth.jwt_key: its value is no RSA public key in PEM (-----BEGIN PUBLIC KEY-----)" },
    };
    CHECK(faults);
    unsetenv("EDGE_TEST_EMPTY");
    unsetenv("EDGE_TEST_SECRET");
}

/* Of several errors the first one in the file is told, in whatever order they are found. */
static void first_error(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "[functions.a]\ntimeout = \"x\"\n[server]\nworkers = -1\n[sever]\n",
            "f.toml:2: functions.a.timeout: \"x\" is not a duration from 1ms to 1d (units ms, s, min, h, d)" },
        { "[sever]\n[functions.a]\ntimeout = \"x\"\n",
            "f.toml:1: sever: is no known section; did you mean \"server\"" },
    };
    CHECK(faults);
}

static void files(void **state)
{
    (void)state;
    struct config *config;
    struct config_error error;
    assert_int_equal(config_load("/nonexistent/f.toml", &config, &error), -2);
    assert_string_equal(error.text, "/nonexistent/f.toml: cannot be read: No such file or directory");
    assert_int_equal(config_load("/", &config, &error), -21);
    assert_string_equal(error.text, "/: cannot be read: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(routes),
        cmocka_unit_test(variables),
        cmocka_unit_test(first_error),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
