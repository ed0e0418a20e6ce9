/* Goal: a text becomes its statements and blocks, and a mistake costs no more of
 * the tree than itself. */
#include "unit/config/read.h"

#include "config/tree.h"

static struct tree read_tree(const char *text)
{
	struct tree t;

	report_init(&report, "test.conf", span_of(text));
	tree_init(&t, report.text, &report);
	return t;
}

static char *print(const struct tree *t)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	tree_print(t, out);
	fclose(out);
	return text;
}

/* A text is read as this one, with these errors. */
static void reads(const char *text, const char *expected, const char *errors)
{
	struct tree t = read_tree(text);
	char *found = print(&t), *said = problems_text(&report);

	assert_string_equal(found, expected);
	assert_string_equal(said, errors);
	free(found);
	free(said);
	tree_fini(&t);
}

static void statements_end_at_lines_semicolons_and_braces(void **unused)
{
	(void)unused;
	reads("", "", "");
	reads(";;\n;", "", "");
	reads("a b;c\nd { e; f }g", "a b\nc\nd {\n\te\n\tf\n}\ng\n", "");
	reads("a { } b {\n\n} ; c", "a {\n}\nb {\n}\nc\n", "");
	reads("a { b { c } }", "a {\n\tb {\n\t\tc\n\t}\n}\n", "");
}

static void what_is_printed_reads_the_same(void **unused)
{
	(void)unused;
	const char *text = "a \"b c\" \"\" { \"#d\" \"\\n\\\"\\\\\"; \"\xef\xbb\xbf\" \\ "
			   "{ } } '";
	struct tree first = read_tree(text);
	char *printed = print(&first);
	struct tree second = read_tree(printed);

	assert_int_equal(report.error_count, 0);
	assert_true(tree_equals(&first, &second));
	tree_fini(&first);
	tree_fini(&second);
	free(printed);
}

static void trees_differ_in_words_blocks_and_order(void **unused)
{
	(void)unused;
	const char *texts[] = {"",     "a",    "b",       "a b",    "a; b",
			       "b; a", "a {}", "a { b }", "a; b {}"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
			struct tree a = read_tree(texts[i]), b = read_tree(texts[k]);
			assert_int_equal(tree_equals(&a, &b), i == k);
			tree_fini(&a);
			tree_fini(&b);
		}
}

static void an_unclosed_block_is_named_where_it_opens(void **unused)
{
	(void)unused;
	reads("a\n"
	      "pool web {\n"
	      " x {\n"
	      " y\n",
	      "a\n"
	      "pool web {\n"
	      "\tx {\n"
	      "\t\ty\n"
	      "\t}\n"
	      "}\n",
	      "2:10: error: the block of \"pool\" that is opened here is never "
	      "closed; add \"}\"\n"
	      "3:4: error: the block of \"x\" that is opened here is never closed; "
	      "add \"}\"\n");
}

static void a_closing_brace_too_many_is_dropped(void **unused)
{
	(void)unused;
	reads("a { b } } c",
	      "a {\n"
	      "\tb\n"
	      "}\n"
	      "c\n",
	      "1:9: error: \"}\" closes nothing; no block is open here\n");
}

static void a_lone_brace_belongs_to_the_line_above(void **unused)
{
	(void)unused;
	reads("pool web\n"
	      "{\n"
	      "a\n"
	      "}\n"
	      "b",
	      "pool web {\n"
	      "\ta\n"
	      "}\n"
	      "b\n",
	      "2:1: error: \"{\" stands alone; put it at the end of line 1, behind "
	      "\"web\"\n");
	reads("{ a }\n"
	      "b",
	      " {\n"
	      "\ta\n"
	      "}\n"
	      "b\n",
	      "1:1: error: \"{\" without a word in front of it; a block begins with "
	      "its name, for example: pool web {\n");
	reads("a { } { b }",
	      "a {\n"
	      "}\n"
	      " {\n"
	      "\tb\n"
	      "}\n",
	      "1:7: error: \"{\" without a word in front of it; a block begins with "
	      "its name, for example: pool web {\n");
}

static void blocks_nest_so_deep_and_no_deeper(void **unused)
{
	(void)unused;
	reads("1 { 2 { 3 { 4 { 5 { 6 { 7 { 8 { } } } } } } } }\n"
	      "a",
	      "1 {\n"
	      "\t2 {\n"
	      "\t\t3 {\n"
	      "\t\t\t4 {\n"
	      "\t\t\t\t5 {\n"
	      "\t\t\t\t\t6 {\n"
	      "\t\t\t\t\t\t7 {\n"
	      "\t\t\t\t\t\t\t8 {\n"
	      "\t\t\t\t\t\t\t}\n"
	      "\t\t\t\t\t\t}\n"
	      "\t\t\t\t\t}\n"
	      "\t\t\t\t}\n"
	      "\t\t\t}\n"
	      "\t\t}\n"
	      "\t}\n"
	      "}\n"
	      "a\n",
	      "");
	struct tree t = read_tree("1{2{3{4{5{6{7{8{9 { 10 { x } } y; }}}}}}}}\nb");
	assert_int_equal(report.error_count, 1);
	assert_string_equal(report.problems[0].text,
			    "blocks within blocks, more than 8 deep");
	assert_int_equal(report.problems[0].at.column, 19);
	/* What follows is where it belongs. */
	assert_string_equal(t.first->next->words[0].text, "b");
	tree_fini(&t);
}

static void a_statement_has_so_many_words_and_no_more(void **unused)
{
	(void)unused;
	char text[4 * TREE_WORDS_MAX + 16] = "";

	for (int i = 0; i < TREE_WORDS_MAX; i++)
		strcat(text, "a ");
	struct tree t = read_tree(text);
	assert_int_equal(report.error_count, 0);
	assert_int_equal(t.first->word_count, TREE_WORDS_MAX);
	tree_fini(&t);

	strcat(text, "b c\nd");
	t = read_tree(text);
	assert_int_equal(report.error_count, 1);
	assert_int_equal(report.problems[0].at.column, 2 * TREE_WORDS_MAX + 1);
	assert_true(t.first->broken);
	assert_string_equal(t.first->next->words[0].text, "d");
	tree_fini(&t);
}

static void words_know_their_place(void **unused)
{
	(void)unused;
	struct tree t = read_tree("a\n\tbc \"d e\" {\n  f }");
	const struct tree_statement *s = t.first->next;

	assert_int_equal(s->words[0].at.line, 2);
	assert_int_equal(s->words[0].at.column, 2);
	assert_int_equal(s->words[0].at.width, 2);
	assert_int_equal(s->words[1].at.column, 5);
	assert_int_equal(s->words[1].at.width, 5);
	assert_int_equal(s->children->words[0].at.line, 3);
	assert_int_equal(s->children->words[0].at.column, 3);
	tree_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_end_at_lines_semicolons_and_braces),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(trees_differ_in_words_blocks_and_order),
		cmocka_unit_test(an_unclosed_block_is_named_where_it_opens),
		cmocka_unit_test(a_closing_brace_too_many_is_dropped),
		cmocka_unit_test(a_lone_brace_belongs_to_the_line_above),
		cmocka_unit_test(blocks_nest_so_deep_and_no_deeper),
		cmocka_unit_test(a_statement_has_so_many_words_and_no_more),
		cmocka_unit_test(words_know_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
