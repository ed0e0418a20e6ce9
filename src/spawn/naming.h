/* spawn/naming.h - names of servers: in which order people want them, and which number a
 * made-up one has. Pure.
 */
#ifndef SPAWN_NAMING_H
#define SPAWN_NAMING_H

#include <stdint.h>

#include "model/own.h"

/* Below 0, 0 or above it, as strcmp; digits count as the numbers they write, so that S2
 * comes before S10. 0 for equal texts alone. */
int naming_compare(const char *a, const char *b);

/* The number of a name that naming_write makes of this prefix; 0: it is none of those. */
uint32_t naming_number(const char *name, const char *prefix);

/* Prefix and number, cut to OWN_NAME_MAX from the prefix's end if it must be. */
void naming_write(char name[OWN_NAME_MAX + 1], const char *prefix, uint32_t number);

#endif
