/* config/own_words.h - a command and the variables of an environment: words that become
 * a list of texts, and back.
 *
 * Pure: a word in, a list that is one longer or a reason out.
 */
#ifndef CONFIG_OWN_WORDS_H
#define CONFIG_OWN_WORDS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "model/own.h"

/* One more word of the command. */
int own_add_word(struct model_own *own, const char *word, struct err *err);

/* Room for one more variable, an empty text for now; NULL: OWN_WORDS_MAX are there. */
char **own_add_variable(struct model_own *own);

/* Its name, and then its value: "NAME=" and "NAME=VALUE". */
int own_name_variable(char **variable, const char *name, struct err *err);
void own_set_variable(char **variable, const char *value);

/* They print as they are written. False, and nothing printed: there is nothing. */
bool own_show_command(const struct model_own *own, FILE *out);
bool own_show_name(const char *variable, FILE *out);
bool own_show_value(const char *variable, FILE *out);

#endif
