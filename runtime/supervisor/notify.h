/*
 * What a service manager is told: sd_notify(3) of systemd, for a unit of Type=notify. Datagrams to the socket
 * that NOTIFY_SOCKET names; without that variable nobody is told anything. A manager that does not read is not
 * waited for, and `edge serve --check` is nobody's service.
 *
 *   READY=1       every worker accepts; a reload has ended, whatever came of it; an upgraded host serves
 *   RELOADING=1   a change is being tried, or another binary takes this process over
 *   STOPPING=1    drains
 *   WATCHDOG=1    the supervisor's loop turns: twice in WATCHDOG_USEC (WatchdogSec=)
 */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

struct supervisor;

void notify_ready(struct supervisor *supervisor);
void notify_reloading(struct supervisor *supervisor);
void notify_stopping(const struct supervisor *supervisor);

/* READY=1 if the last word was RELOADING=1. */
void notify_reloaded(struct supervisor *supervisor);

/* Starts and stops the timer behind WATCHDOG=1, where the manager wants it of this process. */
void notify_watchdog_start(struct supervisor *supervisor);
void notify_watchdog_stop(struct supervisor *supervisor);

#endif
