/*
 * The key of the development issuer; see development.h.
 */
#include "development.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_BITS = 2048
};

static int key_read(const char *path, EVP_PKEY **key)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (*key != NULL && EVP_PKEY_is_a(*key, "RSA") == 1)
        return 0;
    EVP_PKEY_free(*key);
    *key = NULL;
    return -EINVAL;
}

static int key_write(const char *path, EVP_PKEY *key)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return -errno;
    bool written = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    return fclose(file) == 0 && written ? 0 : -EIO;
}

/*
 * Makes a key and puts it at path unless another process did so meanwhile: link fails where a file exists, so
 * everybody ends up with the same key, and nobody reads half of one.
 */
static int key_make(const char *path)
{
    char *draft = NULL;
    if (asprintf(&draft, "%s.%d", path, (int)getpid()) < 0)
        return -ENOMEM;
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    int result = key == NULL ? -ENOMEM : key_write(draft, key);
    if (result == 0 && link(draft, path) != 0 && errno != EEXIST)
        result = -errno;
    unlink(draft);
    EVP_PKEY_free(key);
    free(draft);
    return result;
}

int development_key_open(const char *path, EVP_PKEY **key)
{
    int result = key_read(path, key);
    if (result != -ENOENT)
        return result;
    result = key_make(path);
    return result != 0 ? result : key_read(path, key);
}

char *development_key_public(EVP_PKEY *key)
{
    BIO *output = BIO_new(BIO_s_mem());
    char *text = NULL, *copy = NULL;
    if (output != NULL && PEM_write_bio_PUBKEY(output, key) == 1) {
        long length = BIO_get_mem_data(output, &text);
        copy = strndup(text, (size_t)length);
    }
    BIO_free(output);
    return copy;
}
