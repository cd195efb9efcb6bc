/*
 * The host that `edge dev` runs: this same program as `edge serve`, in a process of its own.
 */
#ifndef DEV_HOST_H
#define DEV_HOST_H

#include <stdbool.h>
#include <sys/types.h>

struct dev_host {
    char listen[160]; /* "127.0.0.1:8000" */
    char origin[192]; /* "http://127.0.0.1:8000": where clients on this machine reach it */
    int lock;         /* descriptor of the lock's file */
    int output;       /* the host's standard output */
    bool takes_log;   /* its log comes to us; false: it goes to our own standard error */
    bool apart;       /* the terminal's Ctrl-C does not reach it */
    int log;          /* takes_log: non-blocking descriptor to read it from, else -1 */
    pid_t pid;        /* 0: not running */
};

/*
 * Takes the lock of the project and looks whether the address is free, before anything else is started. False
 * when another `edge dev` runs here or the address is taken, and what to do on standard error.
 */
bool dev_host_prepare(struct dev_host *host, const char *config_path, const char *listen);

/* Starts it with the environment of this process and waits until it listens. */
bool dev_host_start(struct dev_host *host, const char *config_path, const char *workers);

/* Lets it finish what runs, then ends it. */
void dev_host_stop(struct dev_host *host);

#endif
