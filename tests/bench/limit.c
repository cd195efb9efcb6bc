/*
 * bench_limit: what answering over TCP costs at least on this machine. One epoll loop that parses nothing:
 * whatever arrives in one recv is taken for one request, and a constant answer is sent.
 *
 *     bench_limit PORT
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 256,
    REQUEST_BYTES = 8192,
    BACKLOG = 4096
};

static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "content-type: application/json\r\n"
                             "content-length: 19\r\n"
                             "\r\n"
                             "{\"message\":\"hello\"}";

static int listen_on(uint16_t port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
    };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, BACKLOG) != 0) {
        perror("bench_limit");
        exit(1);
    }
    return listener;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int epoll, int listener)
{
    for (int fd, one = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(epoll, fd);
    }
}

static void answer_one(int fd)
{
    char request[REQUEST_BYTES];
    if (recv(fd, request, sizeof request, 0) <= 0 || send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_limit PORT\n");
        return 2;
    }
    int listener = listen_on((uint16_t)atoi(argv[1])), epoll = epoll_create1(0);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event ready[EVENTS];
        int count = epoll_wait(epoll, ready, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                answer_one(ready[i].data.fd);
        }
    }
}
