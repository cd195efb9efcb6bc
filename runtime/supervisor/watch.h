/*
 * Watching functions.toml and the plugins' directory, and asking for a reload when something may have changed.
 *
 * inotify tells at once of files that are written, renamed or linked into place. Once a second everything is
 * looked at with stat as well: that finds what inotify cannot (links higher up that now lead elsewhere,
 * directories that were removed and made again, network file systems).
 */
#ifndef SUPERVISOR_WATCH_H
#define SUPERVISOR_WATCH_H

struct supervisor;
struct watch;

/* 0 or a negative errno; without inotify it looks once a second only. */
int watch_open(struct supervisor *supervisor);
void watch_close(struct supervisor *supervisor);

/* What is served has changed, and perhaps what is to be watched. */
void watch_follow(struct supervisor *supervisor);

#endif
