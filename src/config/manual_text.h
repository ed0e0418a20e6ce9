/* config/manual_text.h - what the manual page says that is in no table, in mdoc(7). */
#ifndef CONFIG_MANUAL_TEXT_H
#define CONFIG_MANUAL_TEXT_H

/* In the order of the page; between the third and the fourth stand the tables. */
extern const char manual_beginning[], manual_listeners[], manual_own[],
		  manual_example[], manual_ending[];

#endif
