/* control/token.h - who may ask over TCP: whoever knows what is in a file.
 *
 * Thread: control.
 */
#ifndef CONTROL_TOKEN_H
#define CONTROL_TOKEN_H

#include "base/err.h"
#include "base/span.h"
#include "control/ask.h"
#include "model/model.h"

enum { TOKEN_MAX = 256 };	/* bytes */

/* Tokens, filled up with zeros. */
struct tokens {
	char change[TOKEN_MAX];
	char read[TOKEN_MAX];		/* all zeros: nobody may only look */
};

/* Reads the first lines of the files. -1 and *err: one is missing, empty or none of
 * ours, or others than its owner can read it. */
int tokens_load(struct tokens *t, const struct model_control *c, struct err *err);

/* What the value of an Authorization field allows. How long it takes tells nothing of
 * the tokens. */
enum role tokens_role(const struct tokens *t, struct span authorization);

#endif
