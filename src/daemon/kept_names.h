/* daemon/kept_names.h - what names stand for outlives the process: a start by which no name
 * server answers, after a crash or in an upgrade, begins with what the last one knew.
 *
 *   start    the record (names_record.h) -> the first model, at once; all are asked for anew
 *   later    an answer, a model in force -> KEPT_SOON_MS, not again within KEPT_AGAIN_MS
 *            -> the record, if it says something else, is replaced as a whole
 *
 * One process writes at a time: the old one of an upgrade not while that is under way, the new
 * one not before it serves. Where there is no state folder nothing is kept, and where it cannot
 * be written, which is tried again, or read the log says so; a start never fails by it.
 *
 * Thread: control; writing waits for the disk.
 */
#ifndef DAEMON_KEPT_NAMES_H
#define DAEMON_KEPT_NAMES_H

#include "base/err.h"
#include "model/model.h"

enum { KEPT_SOON_MS = 200, KEPT_AGAIN_MS = 5 * 1000 };

struct service;

/* Reads the record, if there is one; s->state_folder is known. */
void kept_names_open(struct service *s);

/* The first model of the file with what it knows, owned by the caller; NULL: that is nothing. */
struct model *kept_names_lead(struct service *s, const struct model *file);

/* A model has its live parts: servers given by name get the addresses that they had.
 * Nothing happens once this process serves. */
void kept_names_take_over(struct service *s, const struct model *m);

/* The model with what is known is in force. */
void kept_names_say(const struct service *s);

/* It cannot be: what is known is used no more; and one without is in force, this being why. */
void kept_names_forget(struct service *s);
void kept_names_say_unused(const struct service *s, const struct err *why);

/* This process serves: what was read is of no more use, and from now on it is written. */
void kept_names_begin(struct service *s);

/* Names may stand for something else since now. Nothing happens when it is not open. */
void kept_names_changed(struct service *s);

/* What has changed is written at once, since another process is to read it. */
void kept_names_flush(struct service *s);

/* Another process writes from now on. */
void kept_names_leave(struct service *s);

/* The end; writes what has changed. Nothing happens when it was not opened. */
void kept_names_close(struct service *s);

#endif
