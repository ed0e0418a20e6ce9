/* ctl/commands.c - the table of commands, and how a line finds its entry. */
#include <stdio.h>
#include <string.h>

#include "base/expected.h"
#include "base/must.h"
#include "base/text.h"
#include "ctl/command.h"

#define O(id) OPTION_BIT(OPTION_##id)

const struct command command_table[] = {
	{"start", NULL, "ADDRESS PORT [SERVER...]", 0, COMMAND_WORDS_MANY,
	 OPTIONS_LOCAL | O(STATE) | O(LOG) | O(THREADS), WORDS_OTHER,
	 "start a balancer in the background",
	 "It balances TCP connections to ADDRESS and PORT over the servers, each "
	 "ADDRESS:PORT. "
	 "Returns when connections are accepted, or says why they are not. "
	 "Servers can be added later, too; a balancer that is started where one was "
	 "before remembers what was changed then. "
	 "Without --timeout it has 10 seconds to become ready. "
	 "The log is /var/log/balancerd/NAME.log for root, and in the state folder "
	 "for others.",
	 ctl_start},
	{"stop", NULL, "", 0, 0, OPTIONS_TARGET | O(LIMIT) | O(NOW), WORDS_OTHER,
	 "stop the balancer, draining its connections",
	 "No more connections are accepted; those that are open may go on as long as the "
	 "balancer's drain time, or --limit, allows. "
	 "Returns when the process is gone.",
	 ctl_stop},
	{"status", NULL, "", 0, 0, OPTIONS_TARGET, WORDS_OTHER,
	 "show the balancer, its listeners and pools",
	 "In a pipe each line is a word and its values, with tabs between them. "
	 "Behind the word listener: address, kind, pools, connections now, connections "
	 "accepted, requests. "
	 "Behind the word pool: name, policy, servers, servers up, requests or "
	 "connections now, waiting, in all, retries, connections moved to another server "
	 "and closed because they could not be, bytes up and bytes down.",
	 ctl_status},
	{"list", NULL, "", 0, 0, OPTIONS_TARGET | O(POOL), WORDS_OTHER,
	 "list the servers",
	 "In a pipe there are no titles, and tabs between the columns: server, pool, "
	 "state, weight, requests or connections under way, in all, and failed, where "
	 "the server comes from, and why it is down. "
	 "The state is up, down, draining, off (weight 0) or leaving. "
	 "What has no value is a minus sign. "
	 "Where the balancer makes servers itself, their names are a last column, and "
	 "those are there too that have no address yet.",
	 ctl_list},
	{"top", NULL, "", 0, 0,
	 (OPTIONS_TARGET & ~O(TIMEOUT)) | O(POOL) | O(ONCE), WORDS_OTHER,
	 "watch pools and servers live, and steer them",
	 "Once a second, in a terminal: state, weight, requests or connections now, "
	 "requests, errors and bytes a second, and times of the last minute. "
	 "Up, down and page up, page down choose a line; s, > and < change the order, S "
	 "turns it round. "
	 "d drains the server, e enables it, w sets its weight, r removes it when asked "
	 "once more. "
	 "/ shows what has a word in it, p pauses, h helps, q quits. "
	 "A balancer that goes away is asked again until it is back.",
	 ctl_top},
	{"scale", NULL, "[POOL] N|+N|-N", 1, 2, OPTIONS_TARGET | O(POOL), WORDS_POOL,
	 "set how many servers the balancer makes",
	 "For pools whose servers it makes itself: containers, or programs. "
	 "With N there are so many then, with +N so many more, with -N so many less. "
	 "Returns when the new ones serve; where one does not come up, all of them are "
	 "taken back.",
	 ctl_scale},
	{"add", NULL, "ADDRESS PORT", 0, COMMAND_WORDS_MANY,
	 OPTIONS_TARGET | O(POOL) | O(WEIGHT) | O(DRAIN) | O(TEMPORARY), WORDS_OTHER,
	 "add a server",
	 "ADDRESS is a name, an IPv4 or an IPv6 address. "
	 "ADDRESS:PORT as one word does as well, and so does unix:PATH. "
	 "In a pool whose servers the balancer makes itself, the words are the names of "
	 "new ones.",
	 ctl_add},
	{"remove", NULL, "ADDRESS PORT", 0, COMMAND_WORDS_MANY,
	 OPTIONS_TARGET | O(POOL) | O(LIMIT) | O(NO_WAIT) | O(TEMPORARY),
	 WORDS_SERVER_NAME, "remove a server",
	 "It gets no new work at once. "
	 "Returns when its last connection has ended, which takes no longer than the "
	 "balancer's drain time, or --limit. "
	 "In a pool whose servers the balancer makes itself, the words are names; it "
	 "returns at once.",
	 ctl_remove},
	{"drain", NULL, "ADDRESS PORT", 0, COMMAND_WORDS_MANY,
	 OPTIONS_TARGET | O(POOL) | O(TEMPORARY), WORDS_SERVER,
	 "give a server no new work",
	 "What it has goes on. It stays in the pool until it is enabled or removed.",
	 ctl_drain},
	{"enable", NULL, "ADDRESS PORT", 0, COMMAND_WORDS_MANY,
	 OPTIONS_TARGET | O(POOL) | O(TEMPORARY), WORDS_SERVER,
	 "give a drained server work again", NULL, ctl_enable},
	{"weight", NULL, "ADDRESS PORT N", 0, COMMAND_WORDS_MANY,
	 OPTIONS_TARGET | O(POOL) | O(TEMPORARY), WORDS_SERVER,
	 "set a server's share of the work",
	 "A server of weight 2 gets twice as much as one of weight 1; one of weight 0 "
	 "gets nothing.",
	 ctl_weight},
	{"explain", NULL, "[METHOD] URL | ADDRESS:PORT", 1, 2,
	 OPTIONS_TARGET | O(HEADER) | O(CLIENT) | O(LISTENER), WORDS_OTHER,
	 "say which server would take a request",
	 "And why; or a connection. Nothing is sent. "
	 "URL is http://HOST[:PORT]/PATH, or the path alone; ADDRESS:PORT "
	 "is where a TCP client connects to. "
	 "Shown are the listener, the route, the pool, the key that the policy goes by, and "
	 "in which order the servers would be asked. "
	 "In a pipe each line of the table begins with the word server.",
	 ctl_explain},
	{"events", NULL, "", 0, 0, OPTIONS_TARGET | O(FOLLOW) | O(LINES), WORDS_OTHER,
	 "show what has happened to the balancer",
	 "Servers that come up, go down and why, are added, taken out, set, started and "
	 "replaced; reloads, those that were refused, too; the end. "
	 "The last 1,024 are there; with --follow it begins with the last ten and goes on "
	 "until Ctrl-C or --timeout, also with the balancer that comes after this one. "
	 "In a pipe a line is the word event, time, kind, pool, server and text, with tabs "
	 "between them; what has no value is a minus sign. "
	 "With --follow and --json each line is an object.",
	 ctl_events},
	{"log", NULL, "", 0, 0, OPTIONS_TARGET | O(FOLLOW) | O(LINES), WORDS_OTHER,
	 "show the last lines of the balancer's log",
	 "Wherever the log is written to. The last 1,000 lines are there; with --follow it "
	 "begins with the last ten and goes on until Ctrl-C or --timeout, also with the "
	 "balancer that comes after this one. "
	 "With --json each line is an object.",
	 ctl_log},
	{"reload", NULL, "", 0, 0, OPTIONS_TARGET, WORDS_OTHER,
	 "read the configuration file again",
	 "A file with an error changes nothing. "
	 "What was changed by add, remove, drain, enable and weight stays.",
	 ctl_reload},
	{"upgrade", NULL, "[BINARY]", 0, 1, OPTIONS_TARGET | O(LIMIT), WORDS_FILE,
	 "have a new process take its place",
	 "It runs BINARY, or what stands now where the balancer was started from, with the "
	 "same arguments; it reads the configuration file, and takes the listening sockets "
	 "over. "
	 "Returns when it serves; where it does not come up, nothing has changed. "
	 "The old process accepts no more, and ends with its last connection, or after "
	 "--limit.",
	 ctl_upgrade},
	{"config", "check", "[FILE]", 0, 1, OPTIONS_TARGET, WORDS_FILE,
	 "say what is wrong with a configuration file",
	 "Without FILE it is the balancer's own one; \"-\" is standard input. "
	 "Where no balancer runs, balancerd check FILE does the same.",
	 ctl_config_check},
	{"config", "show", "", 0, 0, OPTIONS_TARGET, WORDS_OTHER,
	 "show the configuration that is in force", NULL, ctl_config_show},
	{"config", "diff", "", 0, 0, OPTIONS_TARGET, WORDS_OTHER,
	 "show how the file and what is in force differ",
	 "Lines with a minus sign are in the file only, those with a plus sign in force "
	 "only; one with a question mark is a change that waits for its pool. "
	 "Where nothing differs nothing is printed in a pipe.",
	 ctl_config_diff},
	{"help", NULL, "[COMMAND]", 0, 2, 0, WORDS_COMMAND,
	 "say how a command is used", NULL, ctl_help},
	{"completion", NULL, "bash|zsh|fish", 1, 1, 0, WORDS_SHELL,
	 "print the completion for a shell",
	 "To use it in this shell: source <(balancerctl completion bash); in fish, "
	 "balancerctl completion fish | source.",
	 ctl_completion},
	{"manual", NULL, "", 0, 0, 0, WORDS_OTHER,
	 "print the manual page of this program", NULL, ctl_manual},
	{"complete", NULL, "-- WORD...", 1, COMMAND_WORDS_MANY, 0, WORDS_OTHER,
	 NULL, NULL, ctl_complete},
};

const uint32_t command_count = COUNT_OF(command_table);

#define APPEND(usage, ...) text_append((usage).text, sizeof (usage).text, __VA_ARGS__)

struct command_usage command_usage(const struct command *c)
{
	struct command_usage u = {""};

	APPEND(u, "%s", c->name);
	if (c->second != NULL)
		APPEND(u, " %s", c->second);
	if (*c->arguments != '\0')
		APPEND(u, " %s", c->arguments);
	return u;
}

struct command_usage command_usage_full(const struct command *c)
{
	struct command_usage u = command_usage(c);

	for (enum option_id id = 0; id < OPTIONS; id++) {
		const struct option *o = &option_table[id];
		if ((c->options & OPTION_BIT(id) & ~OPTIONS_TARGET) == 0)
			continue;
		APPEND(u, " [--%s%s%s]", o->name, o->argument != NULL ? " " : "",
		       o->argument != NULL ? o->argument : "");
	}
	return u;
}

static const struct command *refuse_name(const char *word, struct err *err)
{
	struct expected e;

	expected_init(&e, word);
	for (uint32_t i = 0; i < command_count; i++)
		if (command_table[i].help != NULL)
			expected_add(&e, command_table[i].name);
	if (e.nearest != NULL)
		err_set(err, "unknown command %s; did you mean \"%s\"?", quote(word).text,
			e.nearest);
	else
		err_set(err, "unknown command %s; see balancerctl --help",
			quote(word).text);
	return NULL;
}

/* Of a command of two words: the second is missing or unknown. */
static const struct command *refuse_second(const char *name, const char *word,
					   struct err *err)
{
	struct expected e;

	expected_init(&e, word != NULL ? word : "");
	for (uint32_t i = 0; i < command_count; i++)
		if (strcmp(command_table[i].name, name) == 0)
			expected_add(&e, command_table[i].second);
	if (word == NULL)
		err_set(err, "what is to be done with the %s? %s", name,
			expected_text(&e).text);
	else
		err_set(err, "unknown command %s behind \"%s\", %s", quote(word).text,
			name, expected_text(&e).text);
	return NULL;
}

const struct command *command_find(char *const *words, uint32_t count, uint32_t *used,
				   struct err *err)
{
	const char *second = count > 1 ? words[1] : NULL;
	const struct command *named = NULL;

	for (uint32_t i = 0; i < command_count; i++) {
		const struct command *c = &command_table[i];
		if (strcmp(c->name, words[0]) != 0)
			continue;
		named = c;
		if (c->second == NULL ||
		    (second != NULL && strcmp(c->second, second) == 0)) {
			*used = c->second == NULL ? 1 : 2;
			return c;
		}
	}
	return named != NULL ? refuse_second(words[0], second, err) :
			       refuse_name(words[0], err);
}

int command_check(const struct command *c, const struct options *options,
		  uint32_t word_count, struct err *err)
{
	uint32_t strange = options->given & ~(c->options | OPTIONS_ALWAYS);
	struct command_usage usage = command_usage_full(c);

	for (enum option_id id = 0; id < OPTIONS; id++)
		if ((strange & OPTION_BIT(id)) != 0)
			return err_set(err, "%s takes no --%s; write: balancerctl %s",
				       c->name, option_table[id].name, usage.text);
	if (word_count > c->words_max)
		return err_set(err, "too many words; write: balancerctl %s", usage.text);
	if (word_count < c->words_min)
		return err_set(err, "a word is missing; write: balancerctl %s",
			       usage.text);
	return 0;
}
