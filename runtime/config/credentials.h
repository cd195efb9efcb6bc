/*
 * Secrets that are files: LoadCredential= of systemd, mounted secrets of containers. They count as variables of
 * the environment from here on, so that everything else knows one place to look.
 */
#ifndef CONFIG_CREDENTIALS_H
#define CONFIG_CREDENTIALS_H

/*
 * Sets a variable for each file of the directory that CREDENTIALS_DIRECTORY names: its name, when that is one
 * of a variable (A-Z, 0-9, _), and its text without the newline at its end. One that is set already stays. What
 * cannot be read, is longer than 64 KiB or holds a zero byte is left out, and standard error says so.
 */
void credentials_apply(void);

#endif
