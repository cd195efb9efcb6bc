/*
 * bench_token: what it costs to say whose a session token is, with the host's own verifier: one that was seen
 * before, one that was not, and the RSA operation in it alone, which is the least that the second can cost.
 *
 *     bench_token KEY.pem ISSUER < TOKENS
 *
 * TOKENS are RS256 tokens of that issuer and key, one a line. Prints nanoseconds of CPU time as one line of
 * JSON.
 */
#include "harness.h"
#include "measure.h"

#include <http/token_system.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <string.h>

enum {
    TOKENS_MAX = 1000,
    CACHED_TURNS = 200
};

static struct {
    char *text;
    size_t length;
} tokens[TOKENS_MAX];
static size_t token_count;
static struct auth_config config;
static EVP_PKEY *key;

static void die(const char *what)
{
    fprintf(stderr, "bench_token: %s\n", what);
    exit(1);
}

static void read_tokens(void)
{
    char line[TOKEN_BYTES_MAX];
    while (token_count < TOKENS_MAX && fgets(line, sizeof line, stdin) != NULL) {
        size_t length = strcspn(line, "\n");
        tokens[token_count].text = strndup(line, length);
        tokens[token_count++].length = length;
    }
    if (token_count == 0)
        die("no tokens on standard input");
}

static char *read_key(const char *path)
{
    static char pem[8192];
    FILE *file = fopen(path, "re");
    if (file == NULL || fread(pem, 1, sizeof pem - 1, file) == 0)
        die("the key cannot be read");
    rewind(file);
    key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    return key != NULL ? pem : NULL;
}

static void identify_all(edge_ctx *ctx, void *arg)
{
    for (size_t turn = 0; turn < *(const size_t *)arg; turn++)
        for (size_t i = 0; i < token_count; i++) {
            const struct token_claims *claims = NULL;
            const char *reason = "its kind";
            if (token_identify(ctx, tokens[i].text, tokens[i].length, &claims, &reason) != TOKEN_SESSION)
                die(reason);
        }
}

static void forget(void)
{
    if (token_system_start(&config) != 0)
        die("the verifier does not start");
}

static void new_ones(size_t count)
{
    forget();
    size_t turns = count / token_count;
    harness_run(identify_all, &turns);
}

static void known_ones(size_t count)
{
    size_t turns = count / token_count;
    harness_run(identify_all, &turns);
}

/* Whether the signature fits does not change what it costs; it is of the right length. */
static void rsa_alone(size_t count)
{
    unsigned char signature[256] = { 0 }, digest[32] = { 1 };
    signature[1] = 1;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    if (EVP_PKEY_verify_init(context) != 1 || EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) != 1)
        die("OpenSSL does not begin");
    for (size_t i = 0; i < count; i++)
        EVP_PKEY_verify(context, signature, sizeof signature, digest, sizeof digest);
    EVP_PKEY_CTX_free(context);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: bench_token KEY.pem ISSUER < TOKENS");
    config = (struct auth_config){ .jwt_key = read_key(argv[1]), .issuer = argv[2], .clock_skew_ms = 5000 };
    read_tokens();
    harness_start();
    struct bench rows[] = {
        { "new", new_ones, token_count, 0 },
        { "known", known_ones, CACHED_TURNS * token_count, 0 },
        { "RSA alone", rsa_alone, token_count, 0 },
    };
    bench_measure(rows, sizeof rows / sizeof *rows);
    printf("{\"newNs\":%.1f,\"knownNs\":%.1f,\"rsaNs\":%.1f,\"tokens\":%zu,\"bytes\":%zu}\n", rows[0].best_ns,
        rows[1].best_ns, rows[2].best_ns, token_count, tokens[0].length);
    token_system_stop();
    return 0;
}
