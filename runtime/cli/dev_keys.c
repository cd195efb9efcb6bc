/*
 * Keys of `edge dev` on a terminal.
 */
#include "cli/command.h"
#include "cli/dev.h"
#include "cli/dev_banner.h"
#include "cli/development_token.h"
#include "cli/process.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TOKEN_LIFETIME_MS = 24 * 60 * 60 * 1000
};

void dev_keys_print(void)
{
    printf("Keys: r reload, t token, o addresses, q quit, Enter prints the calls anew\n");
}

static void print_token(const struct dev *dev)
{
    char *token = development_token(dev->config, "user_demo", TOKEN_LIFETIME_MS);
    if (token != NULL)
        printf("%s\n", token);
    free(token);
}

/* Pages of the host that need no key. */
static void print_addresses(const struct dev *dev)
{
    static const struct {
        const char *path, *what;
    } pages[] = {
        { "/_edge/ready", "whether everything is there" },
        { "/_edge/openapi.json", "every function, with input, answers, errors and limits" },
        { "/_edge/metrics", "counters, for Prometheus" },
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        printf("  %s%-22s %s\n", dev->host.origin, pages[i].path, pages[i].what);
}

/* Builds, and has the host look again at everything, also at what it has refused. */
static void reload(struct dev *dev)
{
    dev->forced = true;
    if (dev->build.pid == 0 && dev->build.command != NULL)
        dev_build_begin(dev);
    else if (dev->build.pid == 0)
        dev_build_done(dev);
}

bool dev_key(struct dev *dev, char key)
{
    switch (key) {
    case 'r':
        reload(dev);
        break;
    case 't':
        print_token(dev);
        break;
    case 'o':
        print_addresses(dev);
        break;
    case 'q':
        return false;
    case '\n':
    case '\r':
        dev_banner_print(dev->config, dev->host.origin);
        dev_keys_print();
        break;
    case '?':
    case 'h':
        dev_keys_print();
        break;
    default:
        break;
    }
    fflush(stdout);
    return true;
}
