/* base/err.h - the reason why something on the control side did not work.
 *
 * Recorded once, where it is known; said once, where someone decides what to do
 * about it. The data path uses small enums instead.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	char text[512];		/* one sentence, without a newline */
};

/* Records a reason; a longer one is cut. Always returns -1, so that a caller can
 * write `return err_set(err, ...)`. */
__attribute__((format(printf, 2, 3)))
int err_set(struct err *err, const char *format, ...);

/* The same, followed by ": " and the text of errno. */
__attribute__((format(printf, 2, 3)))
int err_sys(struct err *err, const char *format, ...);

#endif
