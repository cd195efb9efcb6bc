/*
 * A configuration as a worker serves it, with the table of its routes. Generations use it, and whoever holds
 * one may look into its part of the configuration.
 */
#ifndef PLUGIN_ROUTING_H
#define PLUGIN_ROUTING_H

struct config;
struct route_error;
struct route_table;

struct routing {
    const struct config *config;
    struct config *owned; /* freed with it; NULL: somebody else's */
    struct route_table *routes;
    unsigned users;
};

/* Used once; owned may be NULL. 0, or a negative errno as route_table_create. */
int routing_create(
    const struct config *config, struct config *owned, struct routing **routing, struct route_error *error);
void routing_use(struct routing *routing);
void routing_release(struct routing *routing);

#endif
