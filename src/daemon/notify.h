/* daemon/notify.h - tells the service manager how far we are.
 *
 * The protocol of sd_notify(3): one datagram of lines VARIABLE=VALUE to the UNIX socket
 * that the environment names in NOTIFY_SOCKET ("@..." is an abstract one). Who started
 * us without it is told nothing. A manager that does not listen holds us up for
 * NOTIFY_WAIT_MS at most.
 *
 * Thread: control.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

enum { NOTIFY_WAIT_MS = 500 };

/* Serving, or serving again: a reload is over, whether it was refused or not. `status`
 * is one line for people. */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);

/* Nothing hangs; for managers that wait for it (watchdog.h). */
void notify_alive(void);

/* From now on this process is the one that the manager looks after. */
void notify_replaced(int pid);

#endif
