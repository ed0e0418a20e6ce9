#include "ctl/completion.h"

#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "ctl/call.h"
#include "ctl/member.h"

enum { ASK_MS = 1000 };

static const char bash_script[] =
	"# Completion for bash, printed by `balancerctl completion bash`.\n"
	"_balancerctl()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} offer before\n"
	"\tlocal -a words\n"
	"\tread -ra words <<<\"$line\"\n"
	"\t[[ $line == *[[:blank:]] ]] && words+=('')\n"
	"\t# bash ends words at colons, too; what stands before the last one is there.\n"
	"\tbefore=${words[${#words[@]} - 1]%\"$2\"}\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS=$'\\t' read -r offer _; do\n"
	"\t\tcase $offer in\n"
	"\t\t:files) compopt -o filenames\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n"
	"\t\t:folders) compopt -o filenames\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$2\") ;;\n"
	"\t\t*) printf -v offer %q \"${offer#\"$before\"}\"; COMPREPLY+=(\"$offer\") ;;\n"
	"\t\tesac\n"
	"\tdone < <(\"$1\" complete -- \"${words[@]:1}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _balancerctl balancerctl\n";

static const char zsh_script[] =
	"#compdef balancerctl\n"
	"# Completion for zsh, printed by `balancerctl completion zsh`.\n"
	"_balancerctl()\n"
	"{\n"
	"\tlocal line\n"
	"\tlocal -a found offers\n"
	"\tfound=(\"${(@f)$(\"${(Q)words[1]}\" complete -- "
	"\"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" 2>/dev/null)}\")\n"
	"\tcase $found[1] in\n"
	"\t:files) _files; return ;;\n"
	"\t:folders) _files -/; return ;;\n"
	"\tesac\n"
	"\tfor line in $found; do\n"
	"\t\tif [[ $line == *$'\\t'* ]]; then\n"
	"\t\t\toffers+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
	"\t\telse\n"
	"\t\t\toffers+=(\"${line//:/\\\\:}\")\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t_describe -V balancerctl offers\n"
	"}\n"
	"if [[ ${funcstack[1]} == _balancerctl ]]; then\n"
	"\t_balancerctl \"$@\"\n"
	"else\n"
	"\tcompdef _balancerctl balancerctl\n"
	"fi\n";

static const char fish_script[] =
	"# Completion for fish, printed by `balancerctl completion fish`.\n"
	"function __balancerctl\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l begun (commandline -ct)\n"
	"\tset -l found ($words[1] complete -- $words[2..] \"$begun\" 2>/dev/null)\n"
	"\tswitch \"$found[1]\"\n"
	"\t\tcase :files\n"
	"\t\t\t__fish_complete_path \"$begun\"\n"
	"\t\tcase :folders\n"
	"\t\t\t__fish_complete_directories \"$begun\"\n"
	"\t\tcase '*'\n"
	"\t\t\tprintf '%s\\n' $found\n"
	"\tend\n"
	"end\n"
	"complete -c balancerctl -k -f -a '(__balancerctl)'\n";

static const struct {
	const char *name, *script;
} shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

const char *completion_script(const char *shell)
{
	for (size_t i = 0; i < COUNT_OF(shells); i++)
		if (strcmp(shells[i].name, shell) == 0)
			return shells[i].script;
	return NULL;
}

/* The option that takes the word behind this one for its value, or OPTIONS. */
static enum option_id find_taker(const char *word)
{
	if (strncmp(word, "--", 2) != 0)
		return OPTIONS;
	for (enum option_id id = 0; id < OPTIONS; id++)
		if (strcmp(option_table[id].name, word + 2) == 0)
			return option_table[id].argument != NULL ? id : OPTIONS;
	return OPTIONS;
}

static enum offer offer_of_option(enum option_id id)
{
	switch (option_table[id].completes) {
	case COMPLETES_FILE:   return OFFER_FILES;
	case COMPLETES_FOLDER: return OFFER_FOLDERS;
	case COMPLETES_POOL:   return OFFER_POOLS;
	case COMPLETES_NOTHING: break;
	}
	return OFFER_NOTHING;
}

static enum offer offer_of_words(const struct command *c)
{
	switch (c->words) {
	case WORDS_SERVER:
	case WORDS_SERVER_NAME: return OFFER_SERVERS;
	case WORDS_POOL:    return OFFER_POOLS;
	case WORDS_FILE:    return OFFER_FILES;
	case WORDS_COMMAND: return OFFER_COMMANDS;
	case WORDS_SHELL:   return OFFER_SHELLS;
	case WORDS_OTHER:   break;
	}
	return OFFER_NOTHING;
}

/* Notes a text that an option has; one of another kind does not matter here. */
static void note_value(struct options *o, enum option_id id, const char *value)
{
	if (option_table[id].is_text && *value != '\0')
		memcpy((char *)o + option_table[id].offset, &value, sizeof value);
}

static bool has_seconds(const char *name)
{
	for (uint32_t i = 0; i < command_count; i++)
		if (strcmp(command_table[i].name, name) == 0)
			return command_table[i].second != NULL;
	return false;
}

/* What the words that are no options lead to. */
static void look_at_words(struct completion *c, char *const *words, uint32_t count)
{
	struct err ignored;
	uint32_t used = 0;

	c->offer = OFFER_COMMANDS;
	if (count == 0)
		return;
	c->first = words[0];
	c->command = command_find(words, count, &used, &ignored);
	c->offer = OFFER_NOTHING;
	if (c->command == NULL && count == 1 && has_seconds(c->first)) {
		c->offer = OFFER_SECONDS;
	} else if (c->command != NULL && count == used) {
		c->offer = offer_of_words(c->command);
	} else if (c->command != NULL && c->command->words == WORDS_COMMAND &&
		   count == used + 1 && has_seconds(words[used])) {
		c->first = words[used];
		c->offer = OFFER_SECONDS;
	}
}

void completion_look(struct completion *c, char *const *words, uint32_t count)
{
	enum { PLAIN_MAX = 8 };		/* no command is known by more */
	char *plain[PLAIN_MAX];
	uint32_t plain_count = 0;
	enum option_id taker = OPTIONS;

	must(count > 0);
	*c = (struct completion){.begun = words[count - 1]};
	for (uint32_t i = 0; i + 1 < count; i++) {
		if (taker != OPTIONS) {
			note_value(&c->options, taker, words[i]);
			taker = OPTIONS;
			continue;
		}
		taker = find_taker(words[i]);
		if (words[i][0] != '-' && plain_count < PLAIN_MAX)
			plain[plain_count++] = words[i];
	}
	look_at_words(c, plain, plain_count);
	if (taker != OPTIONS)
		c->offer = offer_of_option(taker);
	else if (*c->begun == '-')
		c->offer = OFFER_OPTIONS;
}

/* A line, if the word goes on with what has begun. */
static void print_word(const struct completion *c, const char *before, const char *word,
		       const char *help)
{
	size_t len = strlen(before), begun = strlen(c->begun);
	bool fits = strncmp(before, c->begun, begun < len ? begun : len) == 0 &&
		    (begun <= len || strncmp(word, c->begun + len, begun - len) == 0);

	if (fits && help != NULL)
		printf("%s%s\t%s\n", before, word, help);
	else if (fits)
		printf("%s%s\n", before, word);
}

static void print_commands(const struct completion *c)
{
	for (uint32_t i = 0; i < command_count; i++) {
		const struct command *one = &command_table[i];
		bool again = i > 0 && strcmp(one->name, command_table[i - 1].name) == 0;
		if (one->help != NULL && !again)
			print_word(c, "", one->name,
				   one->second == NULL ? one->help : NULL);
	}
}

static void print_seconds(const struct completion *c)
{
	for (uint32_t i = 0; i < command_count; i++)
		if (strcmp(command_table[i].name, c->first) == 0)
			print_word(c, "", command_table[i].second, command_table[i].help);
}

static void print_options(const struct completion *c)
{
	uint32_t bits = OPTIONS_ALWAYS | (c->command != NULL ? c->command->options :
					  OPTIONS_TARGET | OPTION_BIT(OPTION_VERSION));

	for (enum option_id id = 0; id < OPTIONS; id++)
		if ((bits & OPTION_BIT(id)) != 0)
			print_word(c, "--", option_table[id].name, option_table[id].help);
}

static void print_server(const struct completion *c, const json_t *server)
{
	const char *name = c->command->words == WORDS_SERVER_NAME
			 ? member_text(server, "name") : "";

	print_word(c, "", *name != '\0' ? name : member_text(server, "address"),
		   member_text(server, "state"));
}

/* Servers of the pool that is meant, or of all; or the names of the pools. */
static void print_from_balancer(const struct completion *c, struct call *call)
{
	const json_t *pool, *server;
	struct answer a;
	struct err ignored;
	size_t i, k;

	call->options = c->options;
	call->options.timeout_ms = ASK_MS;
	call->options.given = OPTION_BIT(OPTION_TIMEOUT);
	call_init(call);
	if (call_get(call, "/v1/pools", &a, &ignored) !=
	    OUTCOME_DONE)
		return;
	json_array_foreach(json_object_get(a.json, "pools"), i, pool) {
		const char *name = member_text(pool, "name");
		const char *wanted = c->options.pool;
		if (c->offer == OFFER_POOLS)
			print_word(c, "", name, member_text(pool, "balance"));
		else if (wanted == NULL || strcmp(wanted, name) == 0)
			json_array_foreach(json_object_get(pool, "servers"), k, server)
				print_server(c, server);
	}
	client_answer_fini(&a);
}

enum outcome ctl_complete(struct call *call, struct err *err)
{
	struct completion c;

	(void)err;
	completion_look(&c, call->words, call->word_count);
	switch (c.offer) {
	case OFFER_COMMANDS: print_commands(&c); break;
	case OFFER_SECONDS:  print_seconds(&c); break;
	case OFFER_OPTIONS:  print_options(&c); break;
	case OFFER_SERVERS:
	case OFFER_POOLS:    print_from_balancer(&c, call); break;
	case OFFER_FILES:    puts(":files"); break;
	case OFFER_FOLDERS:  puts(":folders"); break;
	case OFFER_SHELLS:
		for (size_t i = 0; i < COUNT_OF(shells); i++)
			print_word(&c, "", shells[i].name, NULL);
		break;
	case OFFER_NOTHING:
		break;
	}
	return OUTCOME_DONE;
}

enum outcome ctl_completion(struct call *call, struct err *err)
{
	const char *script = completion_script(call->words[0]);

	if (script == NULL)
		return outcome_set(err, OUTCOME_WRONG,
				   "there is completion for bash, zsh and fish, "
				   "not for %s",
				   quote(call->words[0]).text);
	fputs(script, stdout);
	return OUTCOME_DONE;
}
