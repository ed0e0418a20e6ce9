/* kv/resp_command.h - the commands of Redis that are understood: one table, in two files.
 *
 *   speech_resp.c   finds the command, checks how many arguments it has
 *   resp_data.c     keys and values: become requests of the pool
 *   resp_admin.c    the rest: answered at once
 *
 * Thread: the loop's.
 */
#ifndef KV_RESP_COMMAND_H
#define KV_RESP_COMMAND_H

#include "kv/client.h"

struct resp_ask {
	struct kv_client *client;
	const struct span *arguments;	/* the first is the command's name */
	uint32_t count;
};

struct resp_entry {
	const char *name;		/* lower case */
	uint32_t arguments_min, arguments_max;	/* with the name; max 0: any number */
	void (*run)(const struct resp_ask *ask);
	uint8_t first_key, key_step;	/* for COMMAND: where the keys are; 0: none */
	bool    many_keys;		/* up to the last argument */
};

struct resp_table {
	const struct resp_entry *entries;
	uint32_t count;
};
extern const struct resp_table resp_data, resp_admin;

/* ---- speech_resp.c ---- */

/* Answers in its turn. */
void resp_answer(struct kv_client *c, const void *at, size_t len);
void resp_answer_simple(struct kv_client *c, struct span text);
void resp_answer_bulk(struct kv_client *c, struct span value);
void resp_answer_integer(struct kv_client *c, int64_t number);
__attribute__((format(printf, 2, 3)))
void resp_answer_error(struct kv_client *c, const char *format, ...);

/* Entry i of both tables; NULL behind the last. */
const struct resp_entry *resp_entry_at(uint32_t i);

#endif
