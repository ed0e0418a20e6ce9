/* base/log_level.h - the words for lines of the log, for those who only keep them. */
#ifndef BASE_LOG_LEVEL_H
#define BASE_LOG_LEVEL_H

enum log_level { LOG_LEVEL_ERROR = 1, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_form { LOG_FORM_LOGFMT, LOG_FORM_JSON };

enum { LOG_SAME_MAX = 100 };	/* lines of a kind in 10 s, unless another limit is set */

#endif
